// SPDX-License-Identifier: GPL-2.0-only
/* Judges a run by its samples and captures; result->monitor is the sidecar's "monitor". */
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "check/json_util.h"
#include "check/result_json.h"
#include "dump/number.h"
#include "observe/dump.h"
#include "runner/sightings.h"

struct ktstr_monitor_thresholds ktstr_run_monitor_thresholds(const struct ktstr_run *run)
{
	struct ktstr_assert assert = { 0 };
	_cleanup_error_ struct ktstr_error *error = ktstr_assert_from_json(run->test->checks, &assert);

	return ktstr_monitor_thresholds_of(&assert);
}

static void set_f64(json_t *json, const char *key, struct ktstr_opt_f64 value)
{
	if (value.set)
		json_object_set_new(json, key, ktstr_json_f64(value.value));
}

static void set_u64(json_t *json, const char *key, struct ktstr_opt_u64 value)
{
	if (value.set)
		json_object_set_new(json, key, ktstr_json_u64(value.value));
}

/* Of the 13 counters those that the kernel has; null when it has none. */
static json_t *event_deltas(const struct ktstr_event_deltas *events)
{
	static const char *const names[] = {
#define NAME_(name) #name,
		KTSTR_SCX_EVENTS(NAME_)
#undef NAME_
	};
	const struct ktstr_opt_i64 *counts = (const struct ktstr_opt_i64 *)&events->total;
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (counts[i].set)
			json_object_set_new(json, names[i], json_integer(counts[i].value));
	if (!json_object_size(json)) {
		json_decref(json);
		return json_null();
	}
	set_f64(json, "fallback_rate", events->fallback_rate);
	set_f64(json, "keep_last_rate", events->keep_last_rate);
	set_u64(json, "max_fallback_burst", events->max_fallback_burst);
	return json;
}

static json_t *schedstat_deltas(const struct ktstr_monitor_summary *summary)
{
	json_t *json;

	if (!summary->schedstat.available)
		return json_null();
	json = json_object();
#define SET_(name) json_object_set_new(json, #name, ktstr_json_u64(summary->schedstat.name));
	KTSTR_RQ_SCHEDSTATS(SET_)
#undef SET_
	set_f64(json, "wall_sec", summary->schedstat_wall_sec);
	return json;
}

static json_t *prog_deltas(const struct ktstr_monitor_summary *summary)
{
	json_t *array;

	if (!summary->progs_count)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < summary->progs_count; i++) {
		const struct ktstr_prog_delta *prog = &summary->progs[i];

		json_array_append_new(array, json_pack("{so so so so}", "name", ktstr_json_text(prog->name), "cnt",
						       ktstr_json_u64(prog->cnt), "nsecs",
						       ktstr_json_u64(prog->nsecs), "nsecs_per_call",
						       ktstr_json_f64(prog->nsecs_per_call)));
	}
	return array;
}

static json_t *summary_to_json(const struct ktstr_monitor_summary *summary)
{
	json_t *json = json_object();

	json_object_set_new(json, "total_samples", ktstr_json_u64(summary->total_samples));
	json_object_set_new(json, "plausible_samples", ktstr_json_u64(summary->plausible_samples));
	json_object_set_new(json, "max_imbalance_ratio", ktstr_json_f64(summary->max_imbalance_ratio));
	json_object_set_new(json, "avg_imbalance_ratio", ktstr_json_f64(summary->avg_imbalance_ratio));
	json_object_set_new(json, "max_local_dsq_depth", ktstr_json_u64(summary->max_local_dsq_depth));
	json_object_set_new(json, "avg_local_dsq_depth", ktstr_json_f64(summary->avg_local_dsq_depth));
	json_object_set_new(json, "avg_nr_running", ktstr_json_f64(summary->avg_nr_running));
	json_object_set_new(json, "stuck_count", ktstr_json_u64(summary->stuck_count));
	set_f64(json, "avg_irq_util", summary->avg_irq_util);
	set_f64(json, "max_avg_irq_util", summary->max_avg_irq_util);
	set_f64(json, "psi_irq_full_avg10", summary->psi_irq_full_avg10);
	set_u64(json, "total_irq_pressure_us", summary->total_irq_pressure_us);
	json_object_set_new(json, "event_deltas", event_deltas(&summary->events));
	json_object_set_new(json, "schedstat_deltas", schedstat_deltas(summary));
	json_object_set_new(json, "prog_stats_deltas", prog_deltas(summary));
	return json;
}

/* The watchdog's time limit that was written, and what the kernel had then. */
static json_t *watchdog_to_json(const struct ktstr_watchdog_override *watchdog)
{
	if (watchdog->unavailable)
		return json_pack("{ss}", "unavailable", watchdog->unavailable);
	if (!watchdog->written)
		return json_null();
	return json_pack("{so so si}", "expected_jiffies", ktstr_json_u64(watchdog->expected_jiffies),
			 "observed_jiffies", ktstr_json_u64(watchdog->observed_jiffies), "hz", (int)watchdog->hz);
}

static json_t *cost_to_json(const struct ktstr_session_cost *cost)
{
	return json_pack("{so so so so so so so so}", "open_ns", ktstr_json_u64(cost->open_ns), "ticks",
			 ktstr_json_u64(cost->ticks), "tick_ns", ktstr_json_u64(cost->tick_ns), "tick_bytes",
			 ktstr_json_u64(cost->tick_bytes), "captures", ktstr_json_u64(cost->captures), "capture_ns",
			 ktstr_json_u64(cost->capture_ns), "capture_bytes", ktstr_json_u64(cost->capture_bytes), "cpu_ns",
			 ktstr_json_u64(cost->cpu_ns));
}

static void add_monitor(const struct ktstr_sightings *sightings, const struct ktstr_monitor_series *series,
			struct ktstr_test_result *result)
{
	const struct ktstr_session *session = &sightings->session;
	struct ktstr_monitor_summary summary = ktstr_monitor_summarise(series);
	size_t count;
	const struct ktstr_verified_prog *verified = ktstr_sampler_verified(session->sampler, &count);

	result->monitor = summary_to_json(&summary);
	json_object_set_new(result->monitor, "preemption_threshold_ns", ktstr_json_u64(series->preemption_threshold_ns));
	json_object_set_new(result->monitor, "page_offset", ktstr_json_address(session->view->space.page_offset));
	json_object_set_new(result->monitor, "boot_wait_outcome", json_string(session->boot_wait_outcome));
	json_object_set_new(result->monitor, "scx_event_counters_supported",
			    json_boolean(ktstr_types_size(session->view->types, "scx_event_stats")));
	json_object_set_new(result->monitor, "watchdog_observation", watchdog_to_json(&session->watchdog));
	json_object_set_new(result->monitor, "frozen_ns", ktstr_json_u64(session->frozen_ns));
	json_object_set_new(result->monitor, "cost", cost_to_json(&session->cost));
	json_object_set_new(result->monitor, "symbols_from", json_string(session->view->symbols_from));
	if (session->view->symbols_note)
		json_object_set_new(result->monitor, "symbols_note", ktstr_json_text(session->view->symbols_note));
	if (ktstr_sampler_is_full(session->sampler))
		json_object_set_new(result->monitor, "truncated", json_true());
	result->verifier_stats = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(result->verifier_stats,
				      json_pack("{so so}", "name", ktstr_json_text(verified[i].name), "verified_insns",
						ktstr_json_u64(verified[i].verified_insns)));
	ktstr_monitor_summary_metrics(&summary, &result->verdict.stats.ext_metrics);
	ktstr_monitor_summary_deinit(&summary);
}

static void add_map_metrics(const struct ktstr_map_watches *watches, struct ktstr_test_result *result)
{
	json_t *metrics = ktstr_map_watches_metrics(watches), *value;
	const char *name;

	json_object_foreach(metrics, name, value)
		ktstr_metric_set_put(&result->verdict.stats.ext_metrics, name, json_number_value(value));
	json_decref(metrics);
}

/* Captures that were declared must come about, unless somebody looks at them who may judge for himself. */
static void judge_periodic(const struct ktstr_sightings *sightings, const struct ktstr_run *run,
			   struct ktstr_test_result *result)
{
	const struct ktstr_observe_plan *plan = &run->test->observe;

	result->periodic_target = plan->num_snapshots;
	result->periodic_fired = sightings->periodic_fired;
	if (!plan->num_snapshots || plan->post_vm || sightings->periodic_real || !result->guest_result_received ||
	    ktstr_test_result_kind(result) == KTSTR_OUTCOME_SKIP)
		return;
	ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_MONITOR,
			    "none of %u periodic captures was taken%s%s", plan->num_snapshots,
			    sightings->session.unavailable ? ": " : "",
			    sightings->session.unavailable ? sightings->session.unavailable : "");
}

/* The dump of an error exit; a failure without one says why there is none. */
static void add_failure_dump(const struct ktstr_session *session, struct ktstr_test_result *result)
{
	json_t *dump = json_incref(session->failure_dump);
	const char *reason = "the scheduler did not exit with an error";

	if (session->config.has_scheduler && !session->config.guest_clock && session->cost.ticks && !session->scheduler_seen)
		reason = "no scheduler was attached whenever the host looked: it had gone before, or never came";
	if (session->exits_unseen)
		reason = session->exits_unseen;
	if (session->unavailable)
		reason = session->unavailable;
	if (!dump && ktstr_test_result_kind(result) == KTSTR_OUTCOME_FAIL)
		dump = session->unseen_failure ? json_incref(session->unseen_failure) : ktstr_dump_placeholder(reason);
	result->failure_dump = dump ? json_dumps(dump, JSON_INDENT(1)) : NULL;
	json_decref(dump);
}

/*
 * Thresholds that nobody enforces need no word about samples that were never to be taken: a deterministic guest is looked
 * at where it begins and ends scenarios and steps, and may have none. One that could not be read says why.
 */
static void judge_samples(const struct ktstr_session *session, const struct ktstr_monitor_thresholds *thresholds,
			  const struct ktstr_monitor_series *series, struct ktstr_test_result *result)
{
	bool none_due = result->deterministic || session->config.no_samples;

	if (session->unavailable && !series->count && !thresholds->enforce)
		ktstr_assert_note(&result->verdict, "monitor: %s", session->unavailable);
	else if (series->count || thresholds->enforce || !none_due)
		ktstr_monitor_evaluate(thresholds, series, &result->verdict);
}

void ktstr_sightings_phases(const struct ktstr_sightings *sightings, struct ktstr_stimulus_log *course,
			    struct ktstr_test_result *result)
{
	const struct ktstr_session *session = &sightings->session;
	struct ktstr_monitor_series series = { 0 };
	struct ktstr_stimulus_views views = { .snapshots = session->captures.snapshots,
					      .scenario_starts_ms = sightings->scenario_starts_ms,
					      .scenario_starts_count = sightings->scenarios_count };

	if (session->sampler) {
		series = ktstr_sampler_series(session->sampler);
		views.monitor = &series;
	}
	ktstr_stimulus_log_finish(course, &views, result);
}

void ktstr_sightings_judge(const struct ktstr_sightings *sightings, const struct ktstr_run *run,
			   struct ktstr_test_result *result)
{
	const struct ktstr_session *session = &sightings->session;
	struct ktstr_monitor_thresholds thresholds = ktstr_run_monitor_thresholds(run);
	struct ktstr_monitor_series series = { 0 };

	if (session->sampler) {
		series = ktstr_sampler_series(session->sampler);
		add_monitor(sightings, &series, result);
	}
	if (result->guest_result_received)
		judge_samples(session, &thresholds, &series, result);
	judge_periodic(sightings, run, result);
	add_map_metrics(&session->map_watches, result);
	result->map_writes_delivered = session->map_writes_delivered;
	result->captures = ktstr_captures_to_json(&session->captures);
	add_failure_dump(session, result);
}
