// SPDX-License-Identifier: GPL-2.0-only
/* What can go wrong when a dump is looked at, in words. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/store.h"

enum { NAMES_SHOWN = 12 };

struct ktstr_snapshot_store {
	struct ktstr_snapshot_error **errors;
	size_t count;
};

struct ktstr_snapshot_store *ktstr_snapshot_store_create(void)
{
	return ktstr_xcalloc(1, sizeof(struct ktstr_snapshot_store));
}

static void free_error(struct ktstr_snapshot_error *error)
{
	char *const texts[] = { error->message, error->requested, error->walked, error->component, error->map,
				error->op,	error->tag,	  error->reason, error->active_obj };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (size_t i = 0; i < error->names_count; i++)
		free(error->names[i]);
	free(error->names);
	free(error->kvas);
	free(error->other_kvas);
	free(error);
}

void ktstr_snapshot_store_destroy(struct ktstr_snapshot_store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->count; i++)
		free_error(store->errors[i]);
	free(store->errors);
	free(store);
}

/* What was being looked for inside of something, before the colon; nothing when it was looked for at the start. */
static void add_place(struct ktstr_str *text, const struct ktstr_snapshot_error *error)
{
	if (error->walked && *error->walked)
		ktstr_str_addf(text, "\"%s\": ", error->requested);
}

static void add_names(struct ktstr_str *text, const char *what, const struct ktstr_snapshot_error *error)
{
	const char *nearest = error->requested ? ktstr_nearest_name(error->component ? error->component : error->requested,
								    (const char *const *)error->names, error->names_count) :
						 NULL;

	if (nearest)
		ktstr_str_addf(text, "; did you mean \"%s\"?", nearest);
	ktstr_str_addf(text, error->names_count ? "%s%s: " : "%s%s: none", nearest ? " " : "; ", what);
	for (size_t i = 0; i < error->names_count && i < NAMES_SHOWN; i++)
		ktstr_str_addf(text, "%s%s", i ? ", " : "", error->names[i]);
	if (error->names_count > NAMES_SHOWN)
		ktstr_str_addf(text, " and %zu more", error->names_count - NAMES_SHOWN);
}

static void add_kvas(struct ktstr_str *text, const uint64_t *kvas, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ktstr_str_addf(text, "%s0x%llx", i ? " " : "", (unsigned long long)kvas[i]);
}

static void describe(const struct ktstr_snapshot_error *error, struct ktstr_str *text)
{
	switch (error->kind) {
	case KTSTR_SNAPSHOT_MAP_NOT_FOUND:
		ktstr_str_addf(text, "no map \"%s\"", error->requested);
		return add_names(text, "maps", error);
	case KTSTR_SNAPSHOT_VAR_NOT_FOUND:
		ktstr_str_addf(text, "no variable \"%s\" in any .bss, .data or .rodata map", error->requested);
		return add_names(text, "variables", error);
	case KTSTR_SNAPSHOT_AMBIGUOUS_VAR:
		ktstr_str_addf(text, "variable \"%s\" is in several maps", error->requested);
		ktstr_str_add(text, " (live_var_via() chooses): ");
		for (size_t i = 0; i < error->names_count; i++)
			ktstr_str_addf(text, "%s%s", i ? ", " : "", error->names[i]);
		return;
	case KTSTR_SNAPSHOT_FIELD_NOT_FOUND:
		add_place(text, error);
		ktstr_str_addf(text, "no \"%s\"", error->component);
		if (error->walked && *error->walked)
			ktstr_str_addf(text, " in %s", error->walked);
		return add_names(text, "there are", error);
	case KTSTR_SNAPSHOT_NOT_A_STRUCT:
		add_place(text, error);
		ktstr_str_addf(text, "%s has no members to look for \"%s\" in, it is of kind %s",
			       error->walked && *error->walked ? error->walked : "this", error->component, error->actual);
		return;
	case KTSTR_SNAPSHOT_TYPE_MISMATCH:
		ktstr_str_addf(text, "expected %s, got %s", error->expected, error->actual);
		return;
	case KTSTR_SNAPSHOT_INDEX_OUT_OF_RANGE:
		if (error->map && *error->map)
			ktstr_str_addf(text, "%s: ", error->map);
		ktstr_str_addf(text, "no entry %llu, it has %llu", (unsigned long long)error->index,
			       (unsigned long long)error->len);
		return;
	case KTSTR_SNAPSHOT_PER_CPU_SLOT:
		ktstr_str_addf(text, error->unmapped ? "%s: the copy of CPU %u could not be read (of %llu CPUs)" :
						       "%s: no CPU %u, it has %llu",
			       error->map, error->cpu, (unsigned long long)error->len);
		return;
	case KTSTR_SNAPSHOT_NO_MATCH:
		ktstr_str_addf(text, "%s: %s matched none of %llu", error->map, error->op, (unsigned long long)error->len);
		if (error->names_count)
			ktstr_str_add(text, "; first keys: ");
		for (size_t i = 0; i < error->names_count; i++)
			ktstr_str_addf(text, "%s%s", i ? ", " : "", error->names[i]);
		return;
	case KTSTR_SNAPSHOT_EMPTY_PATH_COMPONENT:
		ktstr_str_addf(text, "\"%s\" has an empty component", error->requested);
		return;
	case KTSTR_SNAPSHOT_PER_CPU_NOT_NARROWED:
		ktstr_str_addf(text, "%s has a copy per CPU: choose one with cpu(n), or fold them with cpu_sum", error->map);
		return;
	case KTSTR_SNAPSHOT_NO_RENDERED:
		ktstr_str_addf(text, "%s: the %s could not be read or has no type", error->map, error->component);
		return;
	case KTSTR_SNAPSHOT_PLACEHOLDER_SAMPLE:
		ktstr_str_addf(text, "sample %s is a placeholder: %s", error->tag, error->reason);
		return;
	case KTSTR_SNAPSHOT_PLACEHOLDER_SNAPSHOT:
		ktstr_str_addf(text, "the dump is a placeholder: %s", error->reason);
		return;
	case KTSTR_SNAPSHOT_MISSING_STATS:
		ktstr_str_addf(text, "sample %s has no statistics of the scheduler: %s", error->tag, error->reason);
		return;
	case KTSTR_SNAPSHOT_HOST_FIELD_UNAVAILABLE:
		ktstr_str_addf(text, "sample %s has nothing about CPU %u", error->tag, error->cpu);
		return;
	case KTSTR_SNAPSHOT_NO_ACTIVE_SCHEDULER:
		ktstr_str_addf(text, "no active scheduler: %s", error->reason);
		return;
	case KTSTR_SNAPSHOT_ACTIVE_FILTER_EXCLUDED_MAPS:
		ktstr_str_addf(text, "only maps that do not belong to the active scheduler %s have it: ", error->active_obj);
		for (size_t i = 0; i < error->names_count; i++)
			ktstr_str_addf(text, "%s%s", i ? ", " : "", error->names[i]);
		ktstr_str_add(text, "; its maps are at ");
		return add_kvas(text, error->kvas, error->kvas_count);
	case KTSTR_SNAPSHOT_WALKER_DRIFTED_WITHIN_PHASE:
		ktstr_str_addf(text, "the scheduler was another one earlier in phase %u: maps ", error->phase);
		add_kvas(text, error->kvas, error->kvas_count);
		ktstr_str_add(text, " then, ");
		return add_kvas(text, error->other_kvas, error->other_kvas_count);
	case KTSTR_SNAPSHOT_PROJECTION_FAILED:
		ktstr_str_add(text, error->reason);
		return;
	case KTSTR_SNAPSHOT_MAP_RENDER_INCOMPLETE:
		ktstr_str_addf(text, "%s was not read: %s", error->map, error->reason);
		return;
	}
}

static char *copy(const char *text)
{
	return text ? ktstr_xstrdup(text) : NULL;
}

static uint64_t *copy_kvas(const uint64_t *kvas, size_t count)
{
	uint64_t *copied = count ? ktstr_xcalloc(count, sizeof(*copied)) : NULL;

	if (count)
		memcpy(copied, kvas, count * sizeof(*copied));
	return copied;
}

const struct ktstr_snapshot_error *ktstr_snapshot_fail(struct ktstr_snapshot_store *store,
						       const struct ktstr_snapshot_error *wanted)
{
	struct ktstr_snapshot_error *error = ktstr_xcalloc(1, sizeof(*error));
	_cleanup_str_ struct ktstr_str text = { 0 };
	struct ktstr_str printable = { 0 };

	*error = *wanted;
	error->requested = copy(wanted->requested);
	error->walked = copy(wanted->walked);
	error->component = copy(wanted->component);
	error->map = copy(wanted->map);
	error->op = copy(wanted->op);
	error->tag = copy(wanted->tag);
	error->reason = copy(wanted->reason);
	error->active_obj = copy(wanted->active_obj);
	error->names = wanted->names_count ? ktstr_xcalloc(wanted->names_count, sizeof(*error->names)) : NULL;
	for (size_t i = 0; i < wanted->names_count; i++)
		error->names[i] = copy(wanted->names[i]);
	error->kvas = copy_kvas(wanted->kvas, wanted->kvas_count);
	error->other_kvas = copy_kvas(wanted->other_kvas, wanted->other_kvas_count);
	describe(error, &text);
	ktstr_str_add_printable(&printable, ktstr_str_text(&text), text.length); /* names come from the guest */
	error->message = ktstr_str_take(&printable);
	store->errors = ktstr_xrealloc(store->errors, (store->count + 1) * sizeof(*store->errors));
	store->errors[store->count++] = error;
	return error;
}

const char *ktstr_snapshot_error_kind_name(enum ktstr_snapshot_error_kind kind)
{
	static const char *const names[] = {
		"map_not_found", "var_not_found", "ambiguous_var", "field_not_found", "not_a_struct", "type_mismatch",
		"index_out_of_range", "per_cpu_slot", "no_match", "empty_path_component", "per_cpu_not_narrowed",
		"no_rendered", "placeholder_sample", "placeholder_snapshot", "missing_stats", "host_field_unavailable",
		"no_active_scheduler", "active_filter_excluded_maps", "walker_drifted_within_phase", "projection_failed",
		"map_render_incomplete",
	};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

struct ktstr_error *ktstr_snapshot_error_to_error(const struct ktstr_snapshot_error *error)
{
	return error ? ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s", error->message) : NULL;
}
