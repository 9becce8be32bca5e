// SPDX-License-Identifier: GPL-2.0-only
/* Stimulus frames become events, and events of a scenario phases with their durations and iterations. */
#include <endian.h>
#include <string.h>

#include "base/str.h"
#include "runner/stimulus.h"
#include "wire/stimulus.h"

enum { EVENTS_MAX = 4096 };

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
	struct ktstr_phase_sources sources = { 0 };
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
	sources.events = log->events + log->scenario_start;
	sources.events_count = log->count - log->scenario_start;
	ktstr_phase_buckets_build(&sources, &log->phases);
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
		log->scenario_start = log->count;
		break;
	}
}

void ktstr_stimulus_log_finish(struct ktstr_stimulus_log *log, struct ktstr_test_result *result)
{
	result->stimulus_events = log->events;
	result->stimulus_events_count = log->count;
	log->events = NULL;
	log->count = 0;
	ktstr_phase_buckets_merge(&result->verdict.stats.phases, &log->phases);
	ktstr_scenario_stats_derive(&result->verdict.stats);
}

void ktstr_stimulus_log_deinit(struct ktstr_stimulus_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		ktstr_stimulus_event_deinit(&log->events[i]);
	free(log->events);
	ktstr_phase_buckets_deinit(&log->phases);
	*log = (struct ktstr_stimulus_log){ 0 };
}
