// SPDX-License-Identifier: GPL-2.0-only
/* Several copies of a scheduler's variables in one dump, and choosing among them. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/store.h"

struct rows {
	struct ktstr_snapshot_row *items;
	size_t count;
};

static void rows_deinit(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->items[i].fields);
	free(rows->items);
}

/* A row for the map when it has all of the names. */
static void add_row(struct rows *rows, const struct ktstr_snapshot *snapshot, const struct ktstr_failure_dump_map *map,
		    const char *const *names, size_t count)
{
	const struct ktstr_rendered_value *value = ktstr_rendered_peel(map->value);
	struct ktstr_snapshot_row row = { map, ktstr_xcalloc(count + 1, sizeof(*row.fields)), count };

	for (size_t i = 0; i < count; i++) {
		const struct ktstr_rendered_value *member = ktstr_rendered_member(value, names[i]);

		if (!member) {
			free(row.fields);
			return;
		}
		row.fields[i] = ktstr_snapshot_value(snapshot->store, member);
	}
	rows->items = ktstr_xrealloc(rows->items, (rows->count + 1) * sizeof(row));
	rows->items[rows->count++] = row;
}

static const struct ktstr_snapshot_error *failed(const struct ktstr_snapshot *snapshot, const char *const *names,
						 size_t count, const char *why)
{
	_cleanup_str_ struct ktstr_str reason = { 0 };

	for (size_t i = 0; i < count; i++)
		ktstr_str_addf(&reason, "%s%s", i ? ", " : "", names[i]);
	ktstr_str_addf(&reason, ": %s", why);
	return ktstr_snapshot_fail(snapshot->store,
				   &(struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_PROJECTION_FAILED,
								   .reason = (char *)ktstr_str_text(&reason) });
}

const struct ktstr_snapshot_error *ktstr_snapshot_live_vars_via(const struct ktstr_snapshot *snapshot,
								const char *const *names, size_t count,
								ktstr_snapshot_picker picker, void *context,
								struct ktstr_snapshot_field *fields)
{
	const struct ktstr_snapshot_error *error = snapshot->error;
	struct rows rows = { 0 };
	int picked = -1;

	for (size_t i = 0; !error && i < snapshot->dump->maps_count; i++)
		if (strchr(snapshot->dump->maps[i].name, '.'))
			add_row(&rows, snapshot, &snapshot->dump->maps[i], names, count);
	if (rows.count)
		picked = picker(rows.items, rows.count, context);
	if (!error && !rows.count)
		error = failed(snapshot, names, count, "no map of global variables has them");
	else if (!error && (picked < 0 || (size_t)picked >= rows.count))
		error = failed(snapshot, names, count, "none of the copies could be picked");
	for (size_t i = 0; i < count; i++)
		fields[i] = error ? ktstr_snapshot_missing(snapshot->store, error) : rows.items[picked].fields[i];
	rows_deinit(&rows);
	return error;
}

struct ktstr_snapshot_field ktstr_snapshot_live_var_via(const struct ktstr_snapshot *snapshot, const char *name,
							ktstr_snapshot_picker picker, void *context)
{
	struct ktstr_snapshot_field field;
	const struct ktstr_snapshot_error *error = ktstr_snapshot_live_vars_via(snapshot, &name, 1, picker, context, &field);

	(void)error; /* the field carries it */
	return field;
}

/* The saturating sum of the first `fields` fields of a row; false when one is no u64. */
static bool sum_of(const struct ktstr_snapshot_row *row, size_t fields, uint64_t *sum)
{
	*sum = 0;
	for (size_t i = 0; i < fields; i++) {
		uint64_t value;

		if (ktstr_snapshot_field_as_u64(row->fields[i], &value))
			return false;
		if (__builtin_add_overflow(*sum, value, sum))
			*sum = UINT64_MAX;
	}
	return true;
}

static int max_by_sum(const struct ktstr_snapshot_row *rows, size_t count, size_t fields)
{
	uint64_t most = 0;
	int best = -1;

	for (size_t i = 0; i < count; i++) {
		uint64_t sum;

		if (!sum_of(&rows[i], fields, &sum) || sum < most)
			continue;
		most = sum;
		best = (int)i;
	}
	return best;
}

int ktstr_snapshot_max_by_counter_value(const struct ktstr_snapshot_row *rows, size_t count, void *context)
{
	(void)context;
	return max_by_sum(rows, count, 1);
}

int ktstr_snapshot_max_by_sum_u64(const struct ktstr_snapshot_row *rows, size_t count, void *context)
{
	(void)context;
	return max_by_sum(rows, count, count ? rows[0].fields_count : 0);
}
