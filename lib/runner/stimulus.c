// SPDX-License-Identifier: GPL-2.0-only
/* Stimulus frames become events, and events of a scenario, with what the host saw meanwhile, phases. */
#include <endian.h>
#include <string.h>

#include "base/str.h"
#include "runner/capture_values.h"
#include "runner/stimulus.h"
#include "wire/stimulus.h"

enum { EVENTS_MAX = 4096, SCENARIOS_MAX = 1024 };

/* Takes ownership of what event points to. */
static void append(struct ktstr_stimulus_log *log, struct ktstr_stimulus_event event)
{
	if (log->count >= EVENTS_MAX) {
		ktstr_stimulus_event_deinit(&event);
		return;
	}
	log->events = ktstr_xrealloc(log->events, (log->count + 1) * sizeof(*log->events));
	log->events[log->count++] = event;
}

static void take_step(struct ktstr_stimulus_log *log, const struct ktstr_frame *frame, bool is_end)
{
	struct ktstr_stimulus_record record;

	if (!ktstr_stimulus_decode(frame->payload, frame->length, &record))
		return;
	append(log, (struct ktstr_stimulus_event){
			    .elapsed_ms = record.elapsed_ms,
			    .label = ktstr_xasprintf("%s[%u]", is_end ? "StepEnd" : "StepStart", record.step_index),
			    .op_kind = ktstr_xasprintf("ops=%u", record.op_count),
			    .detail = ktstr_xasprintf("cgroups=%u workers=%u", record.cgroup_count, record.worker_count),
			    .total_iterations = KTSTR_SOME(record.total_iterations),
			    .step_index = KTSTR_SOME(ktstr_phase_step(record.step_index)),
			    .is_step_end = is_end,
		    });
}

/* u64 elapsed_ms, u64 iterations so far. */
static void take_end(struct ktstr_stimulus_log *log, const struct ktstr_frame *frame)
{
	uint64_t words[2];

	if (frame->length < sizeof(words))
		return;
	memcpy(words, frame->payload, sizeof(words));
	append(log, (struct ktstr_stimulus_event){
			    .elapsed_ms = le64toh(words[0]),
			    .label = ktstr_xstrdup("ScenarioEnd"),
			    .total_iterations = KTSTR_SOME(le64toh(words[1])),
			    .is_terminal = true,
		    });
	if (log->begun && log->ended_count < SCENARIOS_MAX) {
		log->ended = ktstr_xrealloc(log->ended, (log->ended_count + 1) * sizeof(*log->ended));
		log->ended[log->ended_count++] = (struct ktstr_stimulus_scenario){ log->begun - 1, log->scenario_start,
										   log->count - log->scenario_start };
	}
	log->scenario_start = log->count;
}

void ktstr_stimulus_log_take(struct ktstr_stimulus_log *log, const struct ktstr_frame *frame)
{
	switch (frame->type) {
	case KTSTR_FRAME_STIMULUS:
		take_step(log, frame, false);
		break;
	case KTSTR_FRAME_STEP_END:
		take_step(log, frame, true);
		break;
	case KTSTR_FRAME_SCENARIO_END:
		take_end(log, frame);
		break;
	case KTSTR_FRAME_SCENARIO_START:
		log->begun++;
		log->scenario_start = log->count;
		break;
	}
}

static void build_phases(const struct ktstr_stimulus_log *log, const struct ktstr_stimulus_scenario *scenario,
			 const struct ktstr_stimulus_views *views, struct ktstr_phase_buckets *phases)
{
	_cleanup_(ktstr_capture_values_deinit) struct ktstr_capture_values captures = { 0 };
	struct ktstr_phase_sources sources = { .events = log->events + scenario->first_event,
					       .events_count = scenario->events_count };
	size_t next = scenario->number + 1;

	if (scenario->number < views->scenario_starts_count) {
		uint64_t start_ms = views->scenario_starts_ms[scenario->number];

		ktstr_capture_values_read(views->snapshots, start_ms,
					  next < views->scenario_starts_count ? views->scenario_starts_ms[next] : UINT64_MAX,
					  &captures);
		sources.captures = captures.captures;
		sources.captures_count = captures.count;
		sources.monitor = views->monitor;
		sources.monitor_shift_ms = -(int64_t)start_ms;
	}
	ktstr_phase_buckets_build(&sources, phases);
}

void ktstr_stimulus_log_finish(struct ktstr_stimulus_log *log, const struct ktstr_stimulus_views *views,
			       struct ktstr_test_result *result)
{
	struct ktstr_phase_buckets phases = { 0 };

	for (size_t i = 0; i < log->ended_count; i++)
		build_phases(log, &log->ended[i], views, &phases);
	result->stimulus_events = log->events;
	result->stimulus_events_count = log->count;
	log->events = NULL;
	log->count = 0;
	ktstr_phase_buckets_merge(&result->verdict.stats.phases, &phases);
	ktstr_scenario_stats_derive(&result->verdict.stats);
}

void ktstr_stimulus_log_deinit(struct ktstr_stimulus_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		ktstr_stimulus_event_deinit(&log->events[i]);
	free(log->events);
	free(log->ended);
	*log = (struct ktstr_stimulus_log){ 0 };
}
