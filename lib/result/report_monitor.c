// SPDX-License-Identifier: GPL-2.0-only
/* The monitor's summary in a failure report. Numbers come from our own JSON, names in it from the guest. */
#include "result/internal.h"

static double number(const json_t *json, const char *key)
{
	return json_number_value(json_object_get(json, key));
}

static void add_events(struct ktstr_str *out, const json_t *events)
{
	const char *key;
	json_t *value;

	if (!json_is_object(events))
		return;
	ktstr_str_add(out, "  events:");
	json_object_foreach((json_t *)events, key, value)
		if (json_is_integer(value) && json_integer_value(value))
			ktstr_str_addf(out, " %s=%lld", key, (long long)json_integer_value(value));
	if (json_is_number(json_object_get(events, "fallback_rate")))
		ktstr_str_addf(out, " (fallback %.1f/s, keep_last %.1f/s)", number(events, "fallback_rate"),
			       number(events, "keep_last_rate"));
	ktstr_str_add(out, "\n");
}

static void add_schedstat(struct ktstr_str *out, const json_t *stat)
{
	if (!json_is_object(stat))
		return;
	ktstr_str_addf(out, "  schedstat: run_delay=%.1fms schedules=%.0f idle=%.0f wakeups=%.0f local=%.0f\n",
		       number(stat, "run_delay") / 1e6, number(stat, "sched_count"), number(stat, "sched_goidle"),
		       number(stat, "ttwu_count"), number(stat, "ttwu_local"));
}

static void add_progs(struct ktstr_str *out, const json_t *progs)
{
	const json_t *prog;
	size_t i;

	json_array_foreach(progs, i, prog) {
		if (!number(prog, "cnt"))
			continue;
		ktstr_str_add(out, "  bpf ");
		ktstr_add_line(out, json_string_value(json_object_get(prog, "name")) ?: "?");
		ktstr_str_addf(out, ": %.0f calls, %.0f ns each\n", number(prog, "cnt"), number(prog, "nsecs_per_call"));
	}
}

/* Nothing to say of what is as it should be. */
static void add_symbols(struct ktstr_str *out, const json_t *monitor)
{
	const char *note = json_string_value(json_object_get(monitor, "symbols_note"));

	if (!note)
		return;
	ktstr_str_add(out, "  symbols are those of the guest's kallsyms: ");
	ktstr_add_line(out, note);
	ktstr_str_add(out, "\n");
}

void ktstr_add_monitor(struct ktstr_str *out, const json_t *monitor)
{
	ktstr_str_addf(out,
		       "  samples=%.0f imbalance max %.1f avg %.2f, local DSQ depth max %.0f avg %.2f, nr_running avg %.2f, stuck=%.0f\n",
		       number(monitor, "total_samples"), number(monitor, "max_imbalance_ratio"),
		       number(monitor, "avg_imbalance_ratio"), number(monitor, "max_local_dsq_depth"),
		       number(monitor, "avg_local_dsq_depth"), number(monitor, "avg_nr_running"),
		       number(monitor, "stuck_count"));
	add_events(out, json_object_get(monitor, "event_deltas"));
	add_schedstat(out, json_object_get(monitor, "schedstat_deltas"));
	add_progs(out, json_object_get(monitor, "prog_stats_deltas"));
	add_symbols(out, monitor);
}
