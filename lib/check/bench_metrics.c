// SPDX-License-Identifier: GPL-2.0-only
/* The metrics of a cgroup's benchmarks: statistics of all its workers pooled first, then named. */
#include <string.h>

#include "check/grow.h"
#include "check/stats_build.h"
#include "ktstr/benchmark.h"

static void keep(void *context, const char *name, double value)
{
	ktstr_cgroup_stats_add_metric(context, name, value);
}

void ktstr_cgroup_stats_add_metric(struct ktstr_cgroup_stats *cgroup, const char *name, double value)
{
	cgroup->ext_metrics =
		ktstr_grow(cgroup->ext_metrics, cgroup->ext_metrics_count, sizeof(*cgroup->ext_metrics));
	cgroup->ext_metrics[cgroup->ext_metrics_count++] =
		(struct ktstr_named_value){ ktstr_xstrdup(name), value };
}

void ktstr_cgroup_stats_add_benchmarks(struct ktstr_cgroup_stats *cgroup,
				       const struct ktstr_worker_report *reports, size_t count)
{
	_cleanup_free_ struct ktstr_schbench_stats *schbench = ktstr_xcalloc(1, sizeof(*schbench));
	_cleanup_free_ struct ktstr_taobench_stats *taobench = ktstr_xcalloc(1, sizeof(*taobench));
	bool has_schbench = false, has_taobench = false;

	for (size_t i = 0; i < count; i++) {
		if (reports[i].schbench)
			ktstr_schbench_stats_merge(schbench, reports[i].schbench);
		if (reports[i].taobench)
			ktstr_taobench_stats_merge(taobench, reports[i].taobench);
		has_schbench |= reports[i].schbench != NULL;
		has_taobench |= reports[i].taobench != NULL;
	}
	if (has_schbench)
		ktstr_schbench_metrics(schbench, true, keep, cgroup);
	if (has_taobench)
		ktstr_taobench_metrics(taobench, true, keep, cgroup);
}

struct ktstr_opt_f64 ktstr_cgroup_stats_metric(const struct ktstr_cgroup_stats *stats, const char *name)
{
	for (size_t i = 0; i < stats->ext_metrics_count; i++)
		if (!strcmp(stats->ext_metrics[i].name, name))
			return (struct ktstr_opt_f64)KTSTR_SOME(stats->ext_metrics[i].value);
	return (struct ktstr_opt_f64)KTSTR_NONE;
}
