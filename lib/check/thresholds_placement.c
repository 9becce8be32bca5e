// SPDX-License-Identifier: GPL-2.0-only
/* Thresholds on where workers and their memory are: CPU migrations, local, moved and slow pages. */
#include <math.h>

#include "check/evaluation.h"

void ktstr_check_migration_ratio(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	const struct ktstr_cgroup_stats *stats = e->stats;

	if (!stats->migration_ratio.set)
		ktstr_check_untold(e, KTSTR_DETAIL_MIGRATION,
				   "cgroup %s: %s cannot be told: %llu migrations over 0 iterations (limit %g)",
				   e->scope->name, check->name, (unsigned long long)stats->total_migrations, limit);
	else if (stats->migration_ratio.value <= limit)
		ktstr_check_passes_number(e, check, "le", stats->migration_ratio.value, limit);
	else
		ktstr_check_fails(e, KTSTR_DETAIL_MIGRATION,
				  "cgroup %s: %.4f migrations per iteration (%llu over %llu), limit %g", e->scope->name,
				  stats->migration_ratio.value, (unsigned long long)stats->total_migrations,
				  (unsigned long long)stats->total_iterations, limit);
}

/* No page at all is a locality of 0: who asks for local memory and has none does not get what he asked for. */
void ktstr_check_page_locality(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	const struct ktstr_cgroup_stats *stats = e->stats;
	double locality = stats->page_locality.set ? stats->page_locality.value : 0;

	if (locality >= limit && stats->page_locality.set)
		ktstr_check_passes_number(e, check, "ge", locality, limit);
	else
		ktstr_check_fails(e, KTSTR_DETAIL_PAGE_LOCALITY,
				  "cgroup %s: page locality %.3f (%llu of %llu pages on local nodes), floor %g",
				  e->scope->name, locality, (unsigned long long)stats->numa_pages_local,
				  (unsigned long long)stats->numa_pages_total, limit);
}

void ktstr_check_cross_node(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	const struct ktstr_cgroup_stats *stats = e->stats;

	if (!stats->cross_node_migration_ratio.set)
		ktstr_check_untold(e, KTSTR_DETAIL_CROSS_NODE_MIGRATION,
				   "cgroup %s: %s cannot be told: %s (limit %g)", e->scope->name, check->name,
				   stats->numa_pages_total ? "the kernel does not count migrated pages" :
							     "its workers have 0 pages",
				   limit);
	else if (stats->cross_node_migration_ratio.value <= limit)
		ktstr_check_passes_number(e, check, "le", stats->cross_node_migration_ratio.value, limit);
	else
		ktstr_check_fails(e, KTSTR_DETAIL_CROSS_NODE_MIGRATION,
				  "cgroup %s: the kernel moved %.3f pages between nodes per page of %llu, limit %g",
				  e->scope->name, stats->cross_node_migration_ratio.value,
				  (unsigned long long)stats->numa_pages_total, limit);
}

void ktstr_check_slow_tier(const struct ktstr_evaluation *e, const struct ktstr_check *check, double limit)
{
	uint64_t slow_nodes = ktstr_slow_nodes(e->scope->topo);
	double worst = 0;
	size_t measured = 0, above = 0;

	for (size_t i = 0; i < e->count; i++) {
		struct ktstr_page_counts pages = ktstr_count_pages(e->reports[i].numa_pages, 0, slow_nodes);
		double share;

		if (!pages.total)
			continue;
		measured++;
		share = (double)pages.slow / (double)pages.total;
		worst = fmax(worst, share);
		if (share <= limit)
			continue;
		above++;
		ktstr_check_fails(e, KTSTR_DETAIL_SLOW_TIER,
				  KTSTR_WORKER_FMT " has %.3f of its %llu pages on nodes without CPUs, limit %g",
				  KTSTR_WORKER_ARGS(e, &e->reports[i]), share, (unsigned long long)pages.total, limit);
	}
	if (!measured)
		ktstr_check_untold(e, KTSTR_DETAIL_SLOW_TIER,
				   "cgroup %s: %s cannot be told: none of %zu workers has pages (limit %g)",
				   e->scope->name, check->name, e->count, limit);
	else if (!above)
		ktstr_check_passes_number(e, check, "le", worst, limit);
}
