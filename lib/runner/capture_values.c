// SPDX-License-Identifier: GPL-2.0-only
/* per_cpu_time of dumps (observe/cpu_time.c) as metrics: sums over CPUs, and how far the busiest CPU is from the mean. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/str.h"
#include "runner/capture_values.h"

enum { CAPTURES_MAX = 4096 };

/* A counter of one CPU: a key, or a place in `softirqs` (enum of include/linux/interrupt.h). */
struct counter {
	const char *key;
	size_t softirq;
};

#define KEY(name)     { .key = (name) }
#define SOFTIRQ(number) { .softirq = (number) }

static const struct {
	const char *metric;
	struct counter counter;
} totals[] = {
	{ "total_hardirqs", KEY("irqs_sum") },
	{ "total_softirq_timer", SOFTIRQ(1) },
	{ "total_softirq_net_tx", SOFTIRQ(2) },
	{ "total_softirq_net_rx", SOFTIRQ(3) },
	{ "total_softirq_sched", SOFTIRQ(7) },
	{ "total_irq_time_ns", KEY("cpustat_irq_ns") },
	{ "total_softirq_time_ns", KEY("cpustat_softirq_ns") },
	{ "total_steal_time_ns", KEY("cpustat_steal_ns") },
};

static const struct {
	const char *most, *concentration;
	struct counter counter;
} busiest[] = {
	{ "max_cpu_hardirqs", "max_cpu_hardirq_concentration", KEY("irqs_sum") },
	{ "max_cpu_softirq_net_rx", "max_cpu_softirq_net_rx_concentration", SOFTIRQ(3) },
};

/* Beyond INT64_MAX a number of a dump is decimal text. */
static bool read_counter(const json_t *cpu, const struct counter *counter, double *value)
{
	const json_t *json = counter->key ? json_object_get(cpu, counter->key) :
					    json_array_get(json_object_get(cpu, "softirqs"), counter->softirq);

	if (json_is_string(json))
		*value = (double)strtoull(json_string_value(json), NULL, 10);
	else
		*value = json_number_value(json);
	return json_is_string(json) || json_is_number(json);
}

static const json_t *cpus_of(const json_t *snapshot)
{
	return json_object_get(json_object_get(snapshot, "report"), "per_cpu_time");
}

static void put_totals(const json_t *cpus, struct ktstr_metric_set *set)
{
	const json_t *cpu;
	size_t k;

	for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
		double sum = 0, value;
		bool found = false;

		json_array_foreach(cpus, k, cpu) {
			if (!read_counter(cpu, &totals[i].counter, &value))
				continue;
			sum += value;
			found = true;
		}
		if (found)
			ktstr_metric_set_put(set, totals[i].metric, sum);
	}
}

/* Dumps list CPUs in their order: equal places are equal CPUs. */
static void put_busiest(const json_t *first, const json_t *last, struct ktstr_metric_set *set)
{
	for (size_t i = 0; i < ARRAY_SIZE(busiest); i++) {
		double most = 0, sum = 0, before, after;
		size_t reporters = 0;

		for (size_t cpu = 0; cpu < json_array_size(last); cpu++) {
			if (!read_counter(json_array_get(first, cpu), &busiest[i].counter, &before) ||
			    !read_counter(json_array_get(last, cpu), &busiest[i].counter, &after) || after < before)
				continue;
			reporters++;
			sum += after - before;
			most = after - before > most ? after - before : most;
		}
		if (reporters)
			ktstr_metric_set_put(set, busiest[i].most, most);
		if (reporters > 1 && sum > 0)
			ktstr_metric_set_put(set, busiest[i].concentration, most * (double)reporters / sum);
	}
}

static struct ktstr_opt_u64 number_at(const json_t *snapshot, const char *key)
{
	const json_t *json = json_object_get(snapshot, key);

	return (struct ktstr_opt_u64){ json_is_integer(json) && json_integer_value(json) >= 0,
				       (uint64_t)json_integer_value(json) };
}

static void add_capture(const json_t *snapshot, uint64_t begin_ms, struct ktstr_capture_values *out)
{
	struct ktstr_opt_u64 step = number_at(snapshot, "step_index");
	struct ktstr_phase_capture *capture = &out->captures[out->count];

	*capture = (struct ktstr_phase_capture){
		.boundary_offset_ms = number_at(snapshot, "boundary_offset_ms"),
		.elapsed_ms = KTSTR_SOME(number_at(snapshot, "elapsed_ms").value - begin_ms),
		.step_index = step.set && step.value <= UINT16_MAX ? (uint16_t)step.value : KTSTR_PHASE_BASELINE,
	};
	put_totals(cpus_of(snapshot), &out->values[out->count]);
	out->count++;
}

static size_t phases_of(const struct ktstr_capture_values *values)
{
	size_t count = 0;

	for (size_t i = 0; i < values->count; i++)
		if (values->captures[i].step_index >= count)
			count = values->captures[i].step_index + 1u;
	return count;
}

/* Of each phase the first against the last capture; `dumps` are theirs. */
static void add_busiest(const json_t *const *dumps, struct ktstr_capture_values *out)
{
	size_t phases = phases_of(out);
	/* Places of captures, from 1; 0 = none. */
	_cleanup_free_ size_t *first = ktstr_xcalloc(phases + 1, sizeof(*first));
	_cleanup_free_ size_t *last = ktstr_xcalloc(phases + 1, sizeof(*last));

	for (size_t i = 0; i < out->count; i++) {
		uint16_t phase = out->captures[i].step_index;

		last[phase] = i + 1;
		if (!first[phase])
			first[phase] = i + 1;
	}
	for (size_t phase = 0; phase < phases; phase++)
		if (last[phase] > first[phase])
			put_busiest(dumps[first[phase] - 1], dumps[last[phase] - 1], &out->values[last[phase] - 1]);
}

void ktstr_capture_values_read(const json_t *snapshots, uint64_t begin_ms, uint64_t end_ms,
			       struct ktstr_capture_values *out)
{
	size_t most = json_array_size(snapshots) < CAPTURES_MAX ? json_array_size(snapshots) : CAPTURES_MAX;
	_cleanup_free_ const json_t **dumps = ktstr_xcalloc(most + 1, sizeof(*dumps));

	*out = (struct ktstr_capture_values){
		.captures = ktstr_xcalloc(most + 1, sizeof(*out->captures)),
		.values = ktstr_xcalloc(most + 1, sizeof(*out->values)),
	};
	for (size_t i = 0; i < most; i++) {
		const json_t *snapshot = json_array_get(snapshots, i);
		struct ktstr_opt_u64 at = number_at(snapshot, "elapsed_ms");

		if (!at.set || at.value < begin_ms || at.value >= end_ms)
			continue;
		dumps[out->count] = cpus_of(snapshot);
		add_capture(snapshot, begin_ms, out);
	}
	add_busiest(dumps, out);
	for (size_t i = 0; i < out->count; i++) {
		out->captures[i].values = out->values[i].items;
		out->captures[i].values_count = out->values[i].count;
	}
}

void ktstr_capture_values_deinit(struct ktstr_capture_values *values)
{
	for (size_t i = 0; i < values->count; i++)
		ktstr_metric_set_deinit(&values->values[i]);
	free(values->values);
	free(values->captures);
	*values = (struct ktstr_capture_values){ 0 };
}
