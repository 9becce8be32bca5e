// SPDX-License-Identifier: GPL-2.0-only
/*
 * per_cpu_time and cgroup_psi of dumps (observe/cpu_time.c, psi.c) as metrics: sums over CPUs, and how far the busiest CPU
 * and the cgroup with the most IRQ pressure are from the mean.
 */
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
static bool read_number(const json_t *json, double *value)
{
	if (json_is_string(json))
		*value = (double)strtoull(json_string_value(json), NULL, 10);
	else
		*value = json_number_value(json);
	return json_is_string(json) || json_is_number(json);
}

static bool read_counter(const json_t *cpu, const struct counter *counter, double *value)
{
	return read_number(counter->key ? json_object_get(cpu, counter->key) :
					  json_array_get(json_object_get(cpu, "softirqs"), counter->softirq),
			   value);
}

static const json_t *cpus_of(const json_t *report)
{
	return json_object_get(report, "per_cpu_time");
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

/* How a counter has grown from one capture to another, over those that have it. */
struct growth {
	double most, sum;
	size_t reporters;
};

static void add_growth(struct growth *growth, double before, double after)
{
	if (after < before)
		return;
	growth->reporters++;
	growth->sum += after - before;
	growth->most = after - before > growth->most ? after - before : growth->most;
}

/* The concentration is the most by the mean, of at least two. */
static void put_growth(const struct growth *growth, const char *most, const char *concentration, struct ktstr_metric_set *set)
{
	if (growth->reporters)
		ktstr_metric_set_put(set, most, growth->most);
	if (growth->reporters > 1 && growth->sum > 0)
		ktstr_metric_set_put(set, concentration, growth->most * (double)growth->reporters / growth->sum);
}

/* Dumps list CPUs in their order: equal places are equal CPUs. */
static void put_busiest(const json_t *first, const json_t *last, struct ktstr_metric_set *set)
{
	for (size_t i = 0; i < ARRAY_SIZE(busiest); i++) {
		struct growth growth = { 0 };
		double before, after;

		for (size_t cpu = 0; cpu < json_array_size(last); cpu++)
			if (read_counter(json_array_get(first, cpu), &busiest[i].counter, &before) &&
			    read_counter(json_array_get(last, cpu), &busiest[i].counter, &after))
				add_growth(&growth, before, after);
		put_growth(&growth, busiest[i].most, busiest[i].concentration, set);
	}
}

static const json_t *cgroups_of(const json_t *report)
{
	return json_object_get(report, "cgroup_psi");
}

/* What counts is where tasks are: a cgroup above others repeats what happens in those. */
static const json_t *leaf_irq(const json_t *cgroup)
{
	return json_is_true(json_object_get(cgroup, "has_children")) ? NULL : json_object_get(cgroup, "irq_full");
}

/* By the id: another cgroup may have got the name of one that is gone. */
static const json_t *cgroup_of_id(const json_t *cgroups, const json_t *id)
{
	const json_t *cgroup;
	size_t i;

	json_array_foreach((json_t *)cgroups, i, cgroup)
		if (json_equal(json_object_get(cgroup, "id"), id))
			return cgroup;
	return NULL;
}

static void put_pressure(const json_t *first, const json_t *last, struct ktstr_metric_set *set)
{
	struct growth growth = { 0 };
	const json_t *cgroup;
	double before, after;
	size_t i;

	json_array_foreach((json_t *)last, i, cgroup) {
		const json_t *earlier = cgroup_of_id(first, json_object_get(cgroup, "id"));

		if (read_number(json_object_get(leaf_irq(earlier), "total_us"), &before) &&
		    read_number(json_object_get(leaf_irq(cgroup), "total_us"), &after))
			add_growth(&growth, before, after);
	}
	put_growth(&growth, "max_cgroup_irq_pressure", "max_cgroup_irq_pressure_concentration", set);
}

static void put_growths(const json_t *first, const json_t *last, struct ktstr_metric_set *set)
{
	put_busiest(cpus_of(first), cpus_of(last), set);
	put_pressure(cgroups_of(first), cgroups_of(last), set);
}

static void put_highest_average(const json_t *cgroups, struct ktstr_metric_set *set)
{
	double highest = -1, value;
	const json_t *cgroup;
	size_t i;

	json_array_foreach((json_t *)cgroups, i, cgroup)
		if (read_number(json_object_get(leaf_irq(cgroup), "avg10_pct"), &value) && value > highest)
			highest = value;
	if (highest >= 0)
		ktstr_metric_set_put(set, "max_cgroup_psi_irq_avg10", highest);
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
	const json_t *report = json_object_get(snapshot, "report");

	*capture = (struct ktstr_phase_capture){
		.boundary_offset_ms = number_at(snapshot, "boundary_offset_ms"),
		.elapsed_ms = KTSTR_SOME(number_at(snapshot, "elapsed_ms").value - begin_ms),
		.step_index = step.set && step.value <= UINT16_MAX ? (uint16_t)step.value : KTSTR_PHASE_BASELINE,
	};
	put_totals(cpus_of(report), &out->values[out->count]);
	put_highest_average(cgroups_of(report), &out->values[out->count]);
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
static void add_growths(const json_t *const *dumps, struct ktstr_capture_values *out)
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
			put_growths(dumps[first[phase] - 1], dumps[last[phase] - 1], &out->values[last[phase] - 1]);
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
		dumps[out->count] = json_object_get(snapshot, "report");
		add_capture(snapshot, begin_ms, out);
	}
	add_growths(dumps, out);
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
