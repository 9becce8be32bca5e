// SPDX-License-Identifier: GPL-2.0-only
/* Affinity intents on a topology: which CPUs they mean, and what one worker draws of them. */
#include "base/str.h"
#include "ktstr/topology.h"
#include "work/affinity.h"

static const char *const names[KTSTR_AFFINITIES] = {
	[KTSTR_AFFINITY_INHERIT] = "inherit",
	[KTSTR_AFFINITY_EXACT] = "exact",
	[KTSTR_AFFINITY_RANDOM_SUBSET] = "random_subset",
	[KTSTR_AFFINITY_LLC_ALIGNED] = "llc_aligned",
	[KTSTR_AFFINITY_SINGLE_CPU] = "single_cpu",
	[KTSTR_AFFINITY_CROSS_CGROUP] = "cross_cgroup",
	[KTSTR_AFFINITY_SMT_SIBLING_PAIR] = "smt_sibling_pair",
};

const char *ktstr_affinity_name(enum ktstr_affinity_kind kind)
{
	return (unsigned int)kind < KTSTR_AFFINITIES ? names[kind] : NULL;
}

/* The named CPUs that the cgroup has. */
static struct ktstr_error *clip(const struct ktstr_affinity *affinity, const struct ktstr_cpus *pool,
				struct ktstr_cpus *cpus)
{
	_cleanup_free_ char *wanted = ktstr_cpus_to_text(&affinity->cpus);
	_cleanup_free_ char *available = ktstr_cpus_to_text(pool);

	if (!*wanted)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"the affinity %s is without CPUs: name at least one, or use KTSTR_AFFINITY_INHERIT",
			names[affinity->kind]);
	*cpus = *available ? ktstr_cpus_and(&affinity->cpus, pool) : affinity->cpus;
	if (ktstr_cpus_count(cpus))
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"the affinity %s is for the CPUs %s, but the cgroup has only the CPUs %s: choose among those",
		names[affinity->kind], wanted, available);
}

static struct ktstr_cpus largest_llc(const struct ktstr_test_topology *topo, const struct ktstr_cpus *pool)
{
	struct ktstr_cpus best = { 0 };
	size_t count;
	const struct ktstr_llc_info *llcs = ktstr_test_topology_llcs(topo, &count);

	for (size_t i = 0; i < count; i++) {
		struct ktstr_cpus part = ktstr_cpus_and(&llcs[i].cpus, pool);

		if (ktstr_cpus_count(&part) > ktstr_cpus_count(&best))
			best = part;
	}
	return best;
}

static struct ktstr_cpus lowest(const struct ktstr_cpus *cpus, unsigned int count)
{
	struct ktstr_cpus some = { 0 };

	ktstr_for_each_cpu (cpu, cpus)
		if (count-- > 0)
			ktstr_cpus_add(&some, (unsigned int)cpu);
		else
			break;
	return some;
}

static struct ktstr_error *sibling_pair(const struct ktstr_test_topology *topo, const struct ktstr_cpus *pool,
					struct ktstr_cpus *pair)
{
	_cleanup_free_ char *available = ktstr_cpus_to_text(pool);

	ktstr_for_each_cpu (cpu, pool) {
		struct ktstr_cpus siblings = ktstr_test_topology_siblings(topo, (unsigned int)cpu);

		siblings = ktstr_cpus_and(&siblings, pool);
		if (ktstr_cpus_count(&siblings) < 2)
			continue;
		*pair = lowest(&siblings, 2);
		return NULL;
	}
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"the affinity smt_sibling_pair needs a core with two threads among the CPUs %s: ask for a topology "
		"with 2 threads per core, or a larger cpuset",
		available);
}

/* Intents that are about the shape of the machine. */
static struct ktstr_error *resolve_on(const struct ktstr_test_topology *topo, enum ktstr_affinity_kind kind,
				      const struct ktstr_cpus *pool, struct ktstr_resolved_affinity *resolved)
{
	resolved->kind = KTSTR_RESOLVED_FIXED;
	switch (kind) {
	case KTSTR_AFFINITY_LLC_ALIGNED:
		resolved->cpus = largest_llc(topo, pool);
		break;
	case KTSTR_AFFINITY_SINGLE_CPU:
		resolved->kind = KTSTR_RESOLVED_SINGLE_CPU;
		resolved->cpus = lowest(pool, 1);
		break;
	case KTSTR_AFFINITY_CROSS_CGROUP:
		resolved->cpus = ktstr_test_topology_all_cpus(topo);
		break;
	default:
		return sibling_pair(topo, pool, &resolved->cpus);
	}
	if (!ktstr_cpus_count(&resolved->cpus))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the affinity %s finds no CPU: the cgroup has none of this machine",
				       names[kind]);
	return NULL;
}

struct ktstr_error *ktstr_affinity_resolve(const struct ktstr_affinity *affinity,
					   const struct ktstr_test_topology *topo, const struct ktstr_cpus *cpuset,
					   struct ktstr_resolved_affinity *resolved)
{
	struct ktstr_cpus pool = { 0 };

	*resolved = (struct ktstr_resolved_affinity){ 0 };
	if (cpuset)
		pool = *cpuset;
	if (topo && !ktstr_cpus_count(&pool))
		pool = ktstr_test_topology_all_cpus(topo);
	if ((unsigned int)affinity->kind >= KTSTR_AFFINITIES)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the affinity %d is unknown: use KTSTR_AFFINITY_*",
				       (int)affinity->kind);
	switch (affinity->kind) {
	case KTSTR_AFFINITY_INHERIT:
		return NULL;
	case KTSTR_AFFINITY_EXACT:
		resolved->kind = KTSTR_RESOLVED_FIXED;
		return clip(affinity, &pool, &resolved->cpus);
	case KTSTR_AFFINITY_RANDOM_SUBSET:
		if (!affinity->count)
			return ktstr_error_new(
				KTSTR_ERR_INVALID,
				"the affinity random_subset has a count of 0: each worker draws at least 1 CPU");
		resolved->kind = KTSTR_RESOLVED_RANDOM;
		resolved->count = affinity->count;
		return clip(affinity, &pool, &resolved->cpus);
	default:
		break;
	}
	if (!topo)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"the affinity %s needs a topology: only inherit, exact and random_subset do without",
			names[affinity->kind]);
	return resolve_on(topo, affinity->kind, &pool, resolved);
}

/* Selection sampling: each CPU is taken with the chance that makes every subset of that size equally likely. */
struct ktstr_cpus work_affinity_draw(const struct ktstr_resolved_affinity *resolved, struct ktstr_random *random)
{
	unsigned int left = ktstr_cpus_count(&resolved->cpus), wanted = resolved->count;
	struct ktstr_cpus drawn = { 0 };

	if (resolved->kind != KTSTR_RESOLVED_RANDOM)
		return resolved->cpus;
	ktstr_for_each_cpu (cpu, &resolved->cpus) {
		if (ktstr_random_next(random) % left-- >= wanted)
			continue;
		ktstr_cpus_add(&drawn, (unsigned int)cpu);
		wanted--;
	}
	return drawn;
}
