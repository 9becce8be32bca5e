// SPDX-License-Identifier: GPL-2.0-only
/* CPU sets described relative to a topology: checked by validate, turned into CPUs by resolve. */
#include <math.h>
#include <stdlib.h>

#include "base/str.h"
#include "ktstr/cpuset.h"
#include "ktstr/topology.h"

static struct ktstr_error *check_index(const char *what, unsigned int index, unsigned int count)
{
	if (index < count)
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"cpuset %s(%u): this machine has %u of them; the highest index is %u", what, index,
		count, count - 1);
}

static struct ktstr_error *check_numa(const struct ktstr_cpuset_spec *spec,
				      const struct ktstr_test_topology *topology)
{
	size_t count;
	const unsigned int *ids = ktstr_test_topology_numa_node_ids(topology, &count);

	KTSTR_TRY(check_index("numa", spec->index, count));
	if (ktstr_test_topology_is_memory_only(topology, ids[spec->index]))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "cpuset numa(%u): NUMA node %u has memory only, no CPUs; "
				       "name a node with CPUs",
				       spec->index, ids[spec->index]);
	return NULL;
}

static struct ktstr_error *check_range(const struct ktstr_cpuset_spec *spec)
{
	/* Written so that NaN fails too. */
	if (spec->from >= 0 && spec->to <= 1 && spec->from < spec->to)
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"cpuset range(%g, %g): wants two fractions 0 <= from < to <= 1, such as "
		"range(0, 0.5)",
		spec->from, spec->to);
}

static struct ktstr_error *check_parts(const struct ktstr_cpuset_spec *spec,
				       const struct ktstr_test_topology *topology)
{
	const char *name = spec->kind == KTSTR_CPUSET_OVERLAP ? "overlap" : "disjoint";
	struct ktstr_cpus usable = ktstr_test_topology_usable_cpus(topology);
	unsigned int n = ktstr_cpus_count(&usable);

	if (!spec->of)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"cpuset %s(%u, 0): cannot cut CPUs into 0 parts; say 1 or more", name,
			spec->index);
	if (spec->index >= spec->of)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"cpuset %s(%u, %u): parts are counted from 0; the highest is %u", name,
			spec->index, spec->of, spec->of - 1);
	if (n < spec->of)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "cpuset %s(%u, %u): only %u usable CPUs; ask for at most %u "
				       "parts or a larger topology",
				       name, spec->index, spec->of, n, n);
	if (spec->kind == KTSTR_CPUSET_OVERLAP && !(spec->overlap >= 0 && spec->overlap <= 1))
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"cpuset overlap(%u, %u, %g): the overlap is a fraction between "
			"0 and 1, such as 0.5",
			spec->index, spec->of, spec->overlap);
	return NULL;
}

static struct ktstr_error *check_exact(const struct ktstr_cpuset_spec *spec,
				       const struct ktstr_test_topology *topology)
{
	struct ktstr_cpus all = ktstr_test_topology_all_cpus(topology);
	struct ktstr_cpus missing = ktstr_cpus_minus(&spec->cpus, &all);
	_cleanup_free_ char *have = ktstr_cpus_to_text(&all);
	_cleanup_free_ char *absent = ktstr_cpus_to_text(&missing);

	if (!ktstr_cpus_count(&spec->cpus))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "cpuset exact(): the set is empty; name CPUs out of %s",
				       have);
	if (*absent)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "cpuset exact(): CPUs %s do not exist; this machine has %s",
				       absent, have);
	return NULL;
}

struct ktstr_error *ktstr_cpuset_validate(const struct ktstr_cpuset_spec *spec,
					  const struct ktstr_test_topology *topology)
{
	switch (spec->kind) {
	case KTSTR_CPUSET_INHERIT:
		return NULL;
	case KTSTR_CPUSET_LLC:
		return check_index("llc", spec->index, ktstr_test_topology_num_llcs(topology));
	case KTSTR_CPUSET_NUMA:
		return check_numa(spec, topology);
	case KTSTR_CPUSET_RANGE:
		return check_range(spec);
	case KTSTR_CPUSET_DISJOINT:
	case KTSTR_CPUSET_OVERLAP:
		return check_parts(spec, topology);
	case KTSTR_CPUSET_EXACT:
		return check_exact(spec, topology);
	}
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"cpuset kind %d does not exist; build specs with ktstr_cpuset_llc() and "
		"its siblings",
		(int)spec->kind);
}

/* The CPUs at positions first..end-1 of the ascending set. */
static struct ktstr_cpus slice(const struct ktstr_cpus *set, unsigned int first, unsigned int end)
{
	struct ktstr_cpus result = { 0 };
	unsigned int position = 0;

	ktstr_for_each_cpu (cpu, set) {
		if (position >= first && position < end)
			ktstr_cpus_add(&result, cpu);
		position++;
	}
	return result;
}

/* NaN and anything below 0 give 0, anything above 1 gives 1. */
static double clamp_fraction(double value)
{
	return value > 0 ? fmin(value, 1) : 0;
}

static struct ktstr_cpus resolve_part(const struct ktstr_cpuset_spec *spec,
				      const struct ktstr_cpus *usable, double overlap)
{
	unsigned int n = ktstr_cpus_count(usable);
	unsigned int of = spec->of ? spec->of : 1;
	unsigned int index = spec->index < of ? spec->index : of - 1;
	unsigned int part = n / of;
	unsigned int grow = (unsigned int)(part * clamp_fraction(overlap));
	unsigned int start = index ? index * part - grow : 0;
	unsigned int end = index == of - 1 ? n : (index + 1) * part + grow;

	return slice(usable, start, end);
}

static unsigned int clamp_index(unsigned int index, size_t count)
{
	return index < count ? index : (unsigned int)count - 1;
}

struct ktstr_cpus ktstr_cpuset_resolve(const struct ktstr_cpuset_spec *spec,
				       const struct ktstr_test_topology *topology)
{
	struct ktstr_cpus usable = ktstr_test_topology_usable_cpus(topology);
	unsigned int n = ktstr_cpus_count(&usable);
	const unsigned int *ids;
	size_t count;

	switch (spec->kind) {
	case KTSTR_CPUSET_INHERIT:
		break;
	case KTSTR_CPUSET_LLC:
		count = ktstr_test_topology_num_llcs(topology);
		return ktstr_test_topology_cpus_in_llc(topology, clamp_index(spec->index, count));
	case KTSTR_CPUSET_NUMA:
		ids = ktstr_test_topology_numa_node_ids(topology, &count);
		return ktstr_test_topology_cpus_in_node(topology,
							ids[clamp_index(spec->index, count)]);
	case KTSTR_CPUSET_RANGE:
		return slice(&usable, (unsigned int)(n * clamp_fraction(spec->from)),
			     (unsigned int)(n * clamp_fraction(spec->to)));
	case KTSTR_CPUSET_DISJOINT:
		return resolve_part(spec, &usable, 0);
	case KTSTR_CPUSET_OVERLAP:
		return resolve_part(spec, &usable, spec->overlap);
	case KTSTR_CPUSET_EXACT:
		return spec->cpus;
	}
	return usable;
}
