// SPDX-License-Identifier: GPL-2.0-only
/* The timeline of a failure report: phases as they were measured, or how far a scenario came that has none. */
#include "base/array.h"
#include "result/internal.h"

enum { MAX_PHASES = 64, MAX_CGROUPS = 16, LAST_EVENTS = 20 };

static void add_opt(struct ktstr_str *out, const char *name, struct ktstr_opt_f64 value, const char *unit)
{
	if (value.set)
		ktstr_str_addf(out, " %s=%.4g%s", name, value.value, unit);
}

static const struct {
	const char *shown, *metric, *unit;
} phase_metrics[] = {
	{ "iter/s", "iteration_rate", "" },
	{ "p99_wake", "worst_p99_wake_latency_us", "us" },
	{ "migrations", "total_migrations", "" },
	{ "imbalance", "max_imbalance_ratio", "x" },
	{ "dsq", "max_dsq_depth", "" },
	{ "nr_run", "avg_nr_running", "" },
	{ "fallback", "total_fallback", "" },
	{ "keep_last", "total_keep_last", "" },
};

static void add_cgroup(struct ktstr_str *out, const struct ktstr_phase_cgroup_stats *cgroup)
{
	ktstr_str_add(out, "    ");
	ktstr_add_line(out, cgroup->cgroup_name ?: "?");
	ktstr_str_add(out, ":");
	add_opt(out, "off-cpu", ktstr_metric_set_get(&cgroup->metrics, "avg_off_cpu_pct"), "%");
	add_opt(out, "run-delay", ktstr_metric_set_get(&cgroup->metrics, "mean_run_delay_us"), "us");
	ktstr_str_addf(out, " iter=%llu", (unsigned long long)cgroup->total_iterations);
	if (cgroup->num_workers)
		ktstr_str_addf(out, " gap=%.0fms@cpu%u", cgroup->max_gap_ms, cgroup->max_gap_cpu);
	ktstr_str_add(out, "\n");
}

static void add_phase(struct ktstr_str *out, const struct ktstr_phase_bucket *phase)
{
	ktstr_str_addf(out, "  %s: %.1f-%.1fs", phase->label, (double)phase->start_ms / 1e3, (double)phase->end_ms / 1e3);
	for (size_t i = 0; i < ARRAY_SIZE(phase_metrics); i++)
		add_opt(out, phase_metrics[i].shown, ktstr_metric_set_get(&phase->metrics, phase_metrics[i].metric),
			phase_metrics[i].unit);
	ktstr_str_add(out, "\n");
	for (size_t i = 0; i < phase->per_cgroup_count && i < MAX_CGROUPS; i++)
		add_cgroup(out, &phase->per_cgroup[i]);
	if (phase->per_cgroup_count > MAX_CGROUPS)
		ktstr_str_addf(out, "    ... and %zu more cgroups\n", phase->per_cgroup_count - MAX_CGROUPS);
}

static void add_event(struct ktstr_str *out, const struct ktstr_stimulus_event *event)
{
	const char *texts[] = { event->label, event->op_kind, event->detail };

	ktstr_str_addf(out, "  %.1fs", (double)event->elapsed_ms / 1e3);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!texts[i])
			continue;
		ktstr_str_add(out, " ");
		ktstr_add_line(out, texts[i]);
	}
	ktstr_str_add(out, "\n");
}

void ktstr_add_timeline(struct ktstr_str *out, const struct ktstr_test_result *result)
{
	const struct ktstr_phase_buckets *phases = &result->verdict.stats.phases;
	size_t events = result->stimulus_events_count;

	for (size_t i = 0; i < phases->count && i < MAX_PHASES; i++)
		add_phase(out, &phases->items[i]);
	if (phases->count > MAX_PHASES)
		ktstr_str_addf(out, "  ... and %zu more phases\n", phases->count - MAX_PHASES);
	if (phases->count)
		return;
	for (size_t i = events > LAST_EVENTS ? events - LAST_EVENTS : 0; i < events; i++)
		add_event(out, &result->stimulus_events[i]);
}
