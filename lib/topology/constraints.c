// SPDX-License-Identifier: GPL-2.0-only
/* Which topologies make sense for a test: three ranges, and SMT. */
#include <stddef.h>
#include <stdio.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "topology/constraints.h"

/* One range, with its default. */
struct range {
	const char *name; /* of the fields behind min_ and max_ */
	const char *what;
	size_t min, max; /* offsets of unsigned ints */
	unsigned int default_max; /* the default min is 1 */
};

#define RANGE(fields, words, limit)                                                                               \
	{                                                                                                         \
		.name = #fields, .what = (words), .default_max = (limit),                                         \
		.min = offsetof(struct ktstr_topology_constraints, min_##fields),                                 \
		.max = offsetof(struct ktstr_topology_constraints, max_##fields),                                 \
	}

static const struct range ranges[] = {
	RANGE(numa_nodes, "NUMA nodes", 1),
	RANGE(llcs, "LLCs", 12),
	RANGE(cpus, "CPUs", 192),
};

static unsigned int get(const struct ktstr_topology_constraints *constraints, size_t offset)
{
	return *(const unsigned int *)((const char *)constraints + offset);
}

static void set(struct ktstr_topology_constraints *constraints, size_t offset, unsigned int value)
{
	*(unsigned int *)((char *)constraints + offset) = value;
}

/* Fields of `to` that are unset. */
static void fill(struct ktstr_topology_constraints *to, size_t offset, unsigned int value)
{
	if (!get(to, offset))
		set(to, offset, value);
}

struct ktstr_topology_constraints ktstr_constraints_inherit(const struct ktstr_topology_constraints *own,
							    const struct ktstr_topology_constraints *base)
{
	struct ktstr_topology_constraints merged = *own;

	for (size_t i = 0; base && i < ARRAY_SIZE(ranges); i++) {
		fill(&merged, ranges[i].min, get(base, ranges[i].min));
		fill(&merged, ranges[i].max, get(base, ranges[i].max));
	}
	merged.requires_smt |= base && base->requires_smt;
	return merged;
}

struct ktstr_topology_constraints ktstr_constraints_effective(const struct ktstr_topology_constraints *constraints)
{
	struct ktstr_topology_constraints filled = *constraints;

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		fill(&filled, ranges[i].min, 1);
		fill(&filled, ranges[i].max, ranges[i].default_max);
	}
	return filled;
}

struct ktstr_topology_constraints ktstr_constraints_declared(const struct ktstr_topology_constraints *constraints)
{
	struct ktstr_topology_constraints declared = *constraints;

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		fill(&declared, ranges[i].max, KTSTR_NO_MAX);
	return declared;
}

static struct ktstr_error *crossed(const struct range *range, unsigned int min, unsigned int max, const char *from)
{
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       ".max_%s (%u%s) is below .min_%s (%u): set a larger one, or KTSTR_NO_MAX for none", range->name,
			       max, from, range->name, min);
}

struct ktstr_error *ktstr_constraints_validate(const struct ktstr_topology_constraints *own,
					       const struct ktstr_topology_constraints *base)
{
	struct ktstr_topology_constraints merged = ktstr_constraints_inherit(own, base);
	struct ktstr_topology_constraints effective = ktstr_constraints_effective(&merged);

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		unsigned int min = get(&effective, ranges[i].min), max = get(&effective, ranges[i].max);

		if (max < min)
			return crossed(&ranges[i], min, max,
				       get(own, ranges[i].max)	   ? "" :
				       get(&merged, ranges[i].max) ? ", the scheduler's" :
								     ", the default");
	}
	return NULL;
}

static struct ktstr_error *check_range(const struct range *range, const struct ktstr_topology_constraints *effective,
				       unsigned int value, const char *shape)
{
	if (value < get(effective, range->min))
		return ktstr_error_new(KTSTR_ERR_INVALID, "topology %s has %u %s, the test needs at least %u", shape, value,
				       range->what, get(effective, range->min));
	if (value > get(effective, range->max))
		return ktstr_error_new(KTSTR_ERR_INVALID, "topology %s has %u %s, the test allows at most %u", shape, value,
				       range->what, get(effective, range->max));
	return NULL;
}

struct ktstr_error *ktstr_topology_check_constraints(const struct ktstr_topology_constraints *constraints,
						     const struct ktstr_topology *topology)
{
	const unsigned int values[ARRAY_SIZE(ranges)] = { topology->numa_nodes, topology->llcs,
							  ktstr_topology_total_cpus(topology) };
	struct ktstr_topology_constraints effective = ktstr_constraints_effective(constraints);
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	ktstr_topology_format(topology, shape);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		KTSTR_TRY(check_range(&ranges[i], &effective, values[i], shape));
	if (constraints->requires_smt && topology->threads_per_core < 2)
		return ktstr_error_new(KTSTR_ERR_INVALID, "topology %s has 1 thread per core, the test needs SMT (at least 2)",
				       shape);
	return NULL;
}

bool ktstr_constraints_accept_preset(const struct ktstr_topology_constraints *constraints,
				     const struct ktstr_topology *preset, unsigned int host_cpus)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_topology_check_constraints(constraints, preset);

	return !error && ktstr_topology_total_cpus(preset) <= host_cpus;
}

static void bound_to_json(json_t *object, const char *end, const struct range *range, unsigned int value)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_%s", end, range->name);
	json_object_set_new(object, key, value == KTSTR_NO_MAX ? json_null() : json_integer(value));
}

json_t *ktstr_constraints_to_json(const struct ktstr_topology_constraints *constraints)
{
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		bound_to_json(object, "min", &ranges[i], get(constraints, ranges[i].min));
		bound_to_json(object, "max", &ranges[i], get(constraints, ranges[i].max));
	}
	json_object_set_new(object, "requires_smt", json_boolean(constraints->requires_smt));
	return object;
}

static unsigned int bound_from_json(const json_t *object, const char *end, const struct range *range)
{
	const json_t *value;
	json_int_t number;
	char key[32];

	snprintf(key, sizeof(key), "%s_%s", end, range->name);
	value = json_object_get(object, key);
	number = json_integer_value(value);
	if (json_is_null(value) || number > UINT32_MAX)
		return KTSTR_NO_MAX;
	return number > 0 ? (unsigned int)number : 0;
}

struct ktstr_topology_constraints ktstr_constraints_from_json(const json_t *json)
{
	struct ktstr_topology_constraints constraints = { .requires_smt = json_is_true(json_object_get(json, "requires_smt")) };

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		set(&constraints, ranges[i].min, bound_from_json(json, "min", &ranges[i]));
		set(&constraints, ranges[i].max, bound_from_json(json, "max", &ranges[i]));
	}
	return constraints;
}
