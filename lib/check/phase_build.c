// SPDX-License-Identifier: GPL-2.0-only
/* Buckets from what happened: stimulus events give the windows, captures and monitor samples fall into them. */
#include <string.h>

#include "base/str.h"
#include "check/phase_build.h"
#include "ktstr/monitor.h"

#define NO_END UINT64_MAX

static bool is_step_start(const struct ktstr_stimulus_event *event)
{
	return event->step_index.set && !event->is_step_end && !event->is_terminal;
}

static bool is_end_of(const struct ktstr_stimulus_event *event, uint32_t step)
{
	return event->step_index.set && event->is_step_end && event->step_index.value == step;
}

static uint64_t scenario_end(const struct ktstr_phase_sources *sources)
{
	uint64_t last = 0;

	for (size_t i = 0; i < sources->events_count; i++) {
		if (sources->events[i].is_terminal)
			return sources->events[i].elapsed_ms;
		if (sources->events[i].elapsed_ms > last)
			last = sources->events[i].elapsed_ms;
	}
	return last;
}

/* A step ends by its own event or where the next one begins, whichever is earlier, else with the scenario. */
static uint64_t step_end(const struct ktstr_phase_sources *sources, size_t start)
{
	uint32_t step = sources->events[start].step_index.value;
	uint64_t end = NO_END;

	for (size_t i = start + 1; i < sources->events_count; i++) {
		const struct ktstr_stimulus_event *event = &sources->events[i];

		if ((is_end_of(event, step) || (is_step_start(event) && event->step_index.value != step)) &&
		    event->elapsed_ms < end)
			end = event->elapsed_ms;
	}
	return end == NO_END ? scenario_end(sources) : end;
}

/* The step with the latest start that is not after the time; the baseline before the first. */
static uint16_t phase_at(const struct ktstr_phase_sources *sources, uint64_t at_ms)
{
	const struct ktstr_stimulus_event *latest = NULL;

	for (size_t i = 0; i < sources->events_count; i++)
		if (is_step_start(&sources->events[i]) && sources->events[i].elapsed_ms <= at_ms)
			latest = &sources->events[i];
	return latest ? (uint16_t)latest->step_index.value : KTSTR_PHASE_BASELINE;
}

static uint16_t phase_of_capture(const struct ktstr_phase_sources *sources, const struct ktstr_phase_capture *capture)
{
	return capture->boundary_offset_ms.set ? phase_at(sources, capture->boundary_offset_ms.value) :
						 capture->step_index;
}

/* A value of one capture; unset when it has none of that name. */
static struct ktstr_opt_f64 value_in(const struct ktstr_phase_capture *capture, const char *name)
{
	for (size_t i = 0; i < capture->values_count; i++)
		if (!strcmp(capture->values[i].name, name))
			return (struct ktstr_opt_f64)KTSTR_SOME(capture->values[i].value);
	return (struct ktstr_opt_f64)KTSTR_NONE;
}

/* A name that is not registered has no kind; the mean is what merging gives it, too. */
static void fold_name(const char *name, const struct ktstr_phase_capture *const *captures, size_t count,
		      struct ktstr_metric_set *set)
{
	_cleanup_free_ struct ktstr_metric_point *points = ktstr_xcalloc(count, sizeof(*points));
	struct ktstr_metric_id id = ktstr_metric_id(name);
	struct ktstr_opt_f64 folded;
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		struct ktstr_opt_f64 value = value_in(captures[i], name);

		if (value.set)
			points[found++] = (struct ktstr_metric_point){ .value = value.value, .at = (double)i };
	}
	folded = id.builtin < 0 ? ktstr_metric_mean(points, found) :
				  ktstr_metric_fold_captures((enum ktstr_builtin_metric)id.builtin, points, found);
	if (folded.set)
		ktstr_metric_set_put(set, name, folded.value);
}

/* How long the captures look: the denominator of rates over their counters. */
static void put_wall(const struct ktstr_phase_capture *const *captures, size_t count, struct ktstr_metric_set *set)
{
	const struct ktstr_phase_capture *first = NULL, *last = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!captures[i]->elapsed_ms.set)
			continue;
		first = first ?: captures[i];
		last = captures[i];
	}
	if (!first || last->elapsed_ms.value <= first->elapsed_ms.value)
		return;
	ktstr_metric_set_put(set, "total_phase_wall_sec",
			     (double)(last->elapsed_ms.value - first->elapsed_ms.value) / 1e3);
	ktstr_metric_set_put(set, "total_phase_wall_ns",
			     (double)(last->elapsed_ms.value - first->elapsed_ms.value) * 1e6);
}

static void take_captures(const struct ktstr_phase_sources *sources, uint16_t phase, struct ktstr_phase_bucket *bucket)
{
	_cleanup_free_ const struct ktstr_phase_capture **in =
		ktstr_xcalloc(sources->captures_count + 1, sizeof(*in));
	size_t count = 0;

	for (size_t i = 0; i < sources->captures_count; i++)
		if (phase_of_capture(sources, &sources->captures[i]) == phase)
			in[count++] = &sources->captures[i];
	bucket->sample_count = count;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < in[i]->values_count; k++)
			if (!ktstr_metric_set_get(&bucket->metrics, in[i]->values[k].name).set)
				fold_name(in[i]->values[k].name, in, count, &bucket->metrics);
	put_wall(in, count, &bucket->metrics);
}

/* Only what the step's own two events say: other windows would count iterations of its neighbours. */
static void take_iterations(const struct ktstr_phase_sources *sources, size_t start, struct ktstr_metric_set *set)
{
	const struct ktstr_stimulus_event *from = &sources->events[start];

	for (size_t i = start + 1; i < sources->events_count; i++) {
		const struct ktstr_stimulus_event *to = &sources->events[i];

		if (!is_end_of(to, from->step_index.value))
			continue;
		if (!ktstr_stimulus_rate(from, to).set)
			return;
		ktstr_metric_set_put(set, "total_phase_iterations",
				     (double)(to->total_iterations.value - from->total_iterations.value));
		ktstr_metric_set_put(set, "total_phase_duration_sec",
				     (double)(to->elapsed_ms - from->elapsed_ms) / 1e3);
		return;
	}
}

/* Samples are in time order: those of a window are neighbours. */
static void take_monitor(const struct ktstr_phase_sources *sources, const struct ktstr_phase_bucket *window,
			 struct ktstr_metric_set *set)
{
	struct ktstr_monitor_series part;
	struct ktstr_monitor_summary summary;

	if (!sources->monitor)
		return;
	part = *sources->monitor;
	part.count = 0;
	for (size_t i = 0; i < sources->monitor->count; i++) {
		int64_t at_ms = (int64_t)sources->monitor->samples[i].elapsed_ms + sources->monitor_shift_ms;

		if (at_ms < (int64_t)window->start_ms || at_ms >= (int64_t)window->end_ms)
			continue;
		if (!part.count)
			part.samples = &sources->monitor->samples[i];
		part.count++;
	}
	if (!part.count)
		return;
	summary = ktstr_monitor_summarise(&part);
	ktstr_monitor_summary_metrics(&summary, set);
	ktstr_monitor_summary_deinit(&summary);
}

static void add_phase(const struct ktstr_phase_sources *sources, struct ktstr_phase_bucket bucket,
		      struct ktstr_phase_buckets *buckets)
{
	take_captures(sources, bucket.step_index, &bucket);
	take_monitor(sources, &bucket, &bucket.metrics);
	ktstr_phase_buckets_add(buckets, bucket);
}

static uint64_t first_start(const struct ktstr_phase_sources *sources)
{
	for (size_t i = 0; i < sources->events_count; i++)
		if (is_step_start(&sources->events[i]))
			return sources->events[i].elapsed_ms;
	return scenario_end(sources);
}

static bool captured(const struct ktstr_phase_sources *sources, uint16_t phase)
{
	for (size_t i = 0; i < sources->captures_count; i++)
		if (phase_of_capture(sources, &sources->captures[i]) == phase)
			return true;
	return false;
}

static bool is_started(const struct ktstr_phase_sources *sources, size_t before, uint16_t phase)
{
	for (size_t i = 0; i < before; i++)
		if (is_step_start(&sources->events[i]) && sources->events[i].step_index.value == phase)
			return true;
	return false;
}

/* Phases that captures are stamped with, and no event tells of: from their first to their last capture. */
static void add_stamped(const struct ktstr_phase_sources *sources, struct ktstr_phase_buckets *buckets)
{
	for (size_t i = 0; i < sources->captures_count; i++) {
		uint16_t phase = phase_of_capture(sources, &sources->captures[i]);
		struct ktstr_phase_bucket bucket = { .step_index = phase, .start_ms = UINT64_MAX };

		if (phase == KTSTR_PHASE_BASELINE || is_started(sources, sources->events_count, phase))
			continue;
		for (size_t k = 0; k < i; k++)
			if (phase_of_capture(sources, &sources->captures[k]) == phase)
				phase = KTSTR_PHASE_BASELINE; /* taken already */
		if (phase == KTSTR_PHASE_BASELINE)
			continue;
		for (size_t k = i; k < sources->captures_count; k++) {
			struct ktstr_opt_u64 at = sources->captures[k].elapsed_ms;

			if (phase_of_capture(sources, &sources->captures[k]) != phase || !at.set)
				continue;
			bucket.start_ms = at.value < bucket.start_ms ? at.value : bucket.start_ms;
			bucket.end_ms = at.value > bucket.end_ms ? at.value : bucket.end_ms;
		}
		if (bucket.start_ms == UINT64_MAX)
			bucket.start_ms = 0;
		add_phase(sources, bucket, buckets);
	}
}

void ktstr_phase_buckets_build(const struct ktstr_phase_sources *sources, struct ktstr_phase_buckets *buckets)
{
	if (captured(sources, KTSTR_PHASE_BASELINE))
		add_phase(sources, (struct ktstr_phase_bucket){ .end_ms = first_start(sources) }, buckets);
	for (size_t i = 0; i < sources->events_count; i++) {
		const struct ktstr_stimulus_event *event = &sources->events[i];
		struct ktstr_phase_bucket bucket = { .start_ms = event->elapsed_ms };

		if (!is_step_start(event) || event->step_index.value > UINT16_MAX ||
		    is_started(sources, i, (uint16_t)event->step_index.value))
			continue;
		bucket.step_index = (uint16_t)event->step_index.value;
		bucket.end_ms = step_end(sources, i);
		take_iterations(sources, i, &bucket.metrics);
		add_phase(sources, bucket, buckets);
	}
	add_stamped(sources, buckets);
}
