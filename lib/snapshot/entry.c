// SPDX-License-Identifier: GPL-2.0-only
/* One entry of a map: its key, its value, and folds over the CPUs of a per-CPU one. */
#include <math.h>

#include "snapshot/store.h"

static const struct ktstr_snapshot_error *fail(const struct ktstr_snapshot_entry *entry, struct ktstr_snapshot_error error)
{
	error.map = entry->map.raw ? entry->map.raw->name : "?";
	return ktstr_snapshot_fail(entry->map.store, &error);
}

static struct ktstr_snapshot_field missing(const struct ktstr_snapshot_entry *entry, struct ktstr_snapshot_error error)
{
	return ktstr_snapshot_missing(entry->map.store, entry->error ? entry->error : fail(entry, error));
}

static bool is_per_cpu(const struct ktstr_snapshot_entry *entry)
{
	return entry->kind == KTSTR_SNAPSHOT_ENTRY_PERCPU || entry->kind == KTSTR_SNAPSHOT_ENTRY_PERCPU_HASH;
}

static struct ktstr_snapshot_field copy_of_cpu(const struct ktstr_snapshot_entry *entry)
{
	uint32_t cpu = entry->map.cpu.value;

	if (!entry->map.cpu.set)
		return missing(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_PER_CPU_NOT_NARROWED });
	if (cpu >= entry->per_cpu_count || !entry->per_cpu[cpu])
		return missing(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_PER_CPU_SLOT, .cpu = cpu,
								     .len = entry->per_cpu_count,
								     .unmapped = cpu < entry->per_cpu_count });
	return ktstr_snapshot_value(entry->map.store, entry->per_cpu[cpu]);
}

struct ktstr_snapshot_field ktstr_snapshot_entry_get(const struct ktstr_snapshot_entry *entry, const char *path)
{
	if (is_per_cpu(entry))
		return ktstr_snapshot_field_get(copy_of_cpu(entry), path);
	if (!entry->rendered_value)
		return missing(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_NO_RENDERED,
								     .component = "value" });
	return ktstr_snapshot_field_get(ktstr_snapshot_value(entry->map.store, entry->rendered_value), path);
}

struct ktstr_snapshot_field ktstr_snapshot_entry_key(const struct ktstr_snapshot_entry *entry, const char *path)
{
	struct ktstr_snapshot_field index = { .kind = KTSTR_SNAPSHOT_FIELD_INDEX, .index = entry->index,
					      .store = entry->map.store };

	if (entry->kind == KTSTR_SNAPSHOT_ENTRY_PERCPU || entry->kind == KTSTR_SNAPSHOT_ENTRY_VALUE)
		return ktstr_snapshot_field_get(index, path);
	if (!entry->rendered_key)
		return missing(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_NO_RENDERED, .component = "key" });
	return ktstr_snapshot_field_get(ktstr_snapshot_value(entry->map.store, entry->rendered_key), path);
}

const struct ktstr_snapshot_error *
ktstr_snapshot_entry_cpu_each(const struct ktstr_snapshot_entry *entry, const char *path,
			      bool (*visit)(uint32_t cpu, struct ktstr_snapshot_field field, void *context),
			      void *context)
{
	bool any = false;

	if (entry->error)
		return entry->error;
	for (size_t cpu = 0; is_per_cpu(entry) && cpu < entry->per_cpu_count; cpu++) {
		struct ktstr_snapshot_field field;

		if (!entry->per_cpu[cpu])
			continue;
		any = true;
		field = ktstr_snapshot_field_get(ktstr_snapshot_value(entry->map.store, entry->per_cpu[cpu]), path);
		if (!visit((uint32_t)cpu, field, context))
			break;
	}
	if (any)
		return NULL;
	return fail(entry, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_NO_MATCH, .op = "cpu_each",
							  .len = entry->per_cpu_count });
}

static uint64_t sum_u64(uint64_t a, uint64_t b)
{
	return __builtin_add_overflow(a, b, &a) ? UINT64_MAX : a;
}

static int64_t sum_i64(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static double sum_f64(double a, double b)
{
	return a + b;
}

#define max_u64(a, b) ((a) > (b) ? (a) : (b))
#define max_i64(a, b) max_u64(a, b)
#define max_f64(a, b) fmax(a, b) /* the other one when one is NaN */
#define min_u64(a, b) ((a) < (b) ? (a) : (b))
#define min_i64(a, b) min_u64(a, b)
#define min_f64(a, b) fmin(a, b)

#define DEFINE_CPU_FOLD(fold, name, type)                                                                              \
	struct fold##_##name {                                                                                         \
		type result;                                                                                           \
		bool any;                                                                                              \
		const struct ktstr_snapshot_error *error;                                                              \
	};                                                                                                             \
	static bool fold##_##name##_of_cpu(uint32_t cpu, struct ktstr_snapshot_field field, void *context)             \
	{                                                                                                              \
		struct fold##_##name *folded = context;                                                                \
		type value;                                                                                            \
														       \
		(void)cpu;                                                                                             \
		folded->error = ktstr_snapshot_field_as_##name(field, &value);                                         \
		if (folded->error)                                                                                     \
			return false;                                                                                  \
		folded->result = folded->any ? fold##_##name(folded->result, value) : value;                           \
		folded->any = true;                                                                                    \
		return true;                                                                                           \
	}                                                                                                              \
	const struct ktstr_snapshot_error *ktstr_snapshot_entry_cpu_##fold##_##name(                                   \
		const struct ktstr_snapshot_entry *entry, const char *path, type *result)                              \
	{                                                                                                              \
		struct fold##_##name folded = { 0 };                                                                   \
		const struct ktstr_snapshot_error *error =                                                             \
			ktstr_snapshot_entry_cpu_each(entry, path, fold##_##name##_of_cpu, &folded);                   \
														       \
		*result = folded.result;                                                                               \
		return error ? error : folded.error;                                                                   \
	}

KTSTR_SNAPSHOT_CPU_FOLDS(DEFINE_CPU_FOLD)
