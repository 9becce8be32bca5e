// SPDX-License-Identifier: GPL-2.0-only
/* Binding, reading and summing up watched variables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/map_watches.h"
#include "observe/scx_state.h"

enum { RETRY_TICKS = 10 };

void ktstr_map_watches_init(struct ktstr_map_watches *watches, const struct ktstr_watch_bpf_map *specs, size_t count)
{
	*watches = (struct ktstr_map_watches){ .all = ktstr_xcalloc(count + 1, sizeof(*watches->all)), .count = count };
	for (size_t i = 0; i < count; i++)
		watches->all[i].spec = &specs[i];
}

void ktstr_map_watches_deinit(struct ktstr_map_watches *watches)
{
	free(watches->all);
	*watches = (struct ktstr_map_watches){ 0 };
}

static void bind(struct ktstr_map_watches *watches, const struct ktstr_kernel_view *view)
{
	struct ktstr_bpf_maps *maps = ktstr_bpf_maps_find(view);

	for (size_t i = 0; i < watches->count; i++) {
		struct ktstr_map_watch *watch = &watches->all[i];
		_cleanup_error_ struct ktstr_error *error =
			ktstr_map_field_find(maps, watch->spec->map_suffix, watch->spec->field, &watch->field);
		size_t name = strlen(watch->field.map_name), suffix = strlen(watch->spec->map_suffix);

		watch->bound = !error;
		if (watch->bound)
			snprintf(watch->object, sizeof(watch->object), "%.*s",
				 (int)(name > suffix ? name - suffix : name), watch->field.map_name);
	}
	ktstr_bpf_maps_destroy(maps);
}

static bool any_unbound(const struct ktstr_map_watches *watches)
{
	for (size_t i = 0; i < watches->count; i++)
		if (!watches->all[i].bound)
			return true;
	return false;
}

void ktstr_map_watch_add(struct ktstr_map_watch *watch, const uint64_t *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double value = (double)values[i];

		sum += value;
		watch->max = watch->readings + i && watch->max > value ? watch->max : value;
	}
	watch->readings += count;
	watch->sum += sum;
	watch->last = sum;
}

static void read_watch(struct ktstr_map_watch *watch, const struct ktstr_kernel_view *view)
{
	uint64_t values[KTSTR_MAX_CPUS];
	size_t count = 0;

	if (!watch->field.per_cpu)
		count = ktstr_read_uint(&view->space, watch->field.address, watch->field.bytes, &values[0]);
	for (unsigned int cpu = 0; watch->field.per_cpu && cpu < view->cpus; cpu++) {
		uint64_t address = ktstr_view_per_cpu(view, watch->field.address, cpu);

		count += address && ktstr_read_uint(&view->space, address, watch->field.bytes, &values[count]);
	}
	if (count)
		ktstr_map_watch_add(watch, values, count);
}

void ktstr_map_watches_tick(struct ktstr_map_watches *watches, const struct ktstr_kernel_view *view)
{
	uint64_t sched = ktstr_scx_sched(view).address;

	if (!watches->count)
		return;
	if (sched != watches->sched || (any_unbound(watches) && !watches->ticks_to_retry--)) {
		watches->sched = sched;
		watches->ticks_to_retry = RETRY_TICKS;
		bind(watches, view);
	}
	for (size_t i = 0; i < watches->count; i++)
		if (watches->all[i].bound)
			read_watch(&watches->all[i], view);
}

static void set_metric(json_t *metrics, const struct ktstr_map_watch *watch, const char *suffix, double value)
{
	_cleanup_free_ char *key = ktstr_xasprintf("%s_%s%s", watch->object, watch->spec->label, suffix);

	json_object_set_new(metrics, key, json_real(value));
}

json_t *ktstr_map_watches_metrics(const struct ktstr_map_watches *watches)
{
	json_t *metrics = json_object();

	for (size_t i = 0; i < watches->count; i++) {
		const struct ktstr_map_watch *watch = &watches->all[i];
		double mean = watch->readings ? watch->sum / (double)watch->readings : 0;

		if (!watch->readings)
			continue;
		switch (watch->spec->agg) {
		case KTSTR_MAP_SCALAR:
			set_metric(metrics, watch, "", mean);
			break;
		case KTSTR_MAP_SCALAR_COUNTER:
		case KTSTR_MAP_PER_CPU_COUNTER:
			set_metric(metrics, watch, "", watch->last);
			break;
		case KTSTR_MAP_PER_CPU:
			set_metric(metrics, watch, "_avg", mean);
			set_metric(metrics, watch, "_max", watch->max);
			break;
		}
	}
	return metrics;
}
