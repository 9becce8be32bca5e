// SPDX-License-Identifier: GPL-2.0-only
/* The exact record of a worker, for the host's digest of a run. */
#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "scenario/scenario.h"
#include "wire/program.h"

static uint32_t checksum(const void *data, size_t length)
{
	return (uint32_t)crc32(0, length ? data : (const void *)"", (uInt)length);
}

void ktstr_send_worker(const char *cgroup_name, const struct ktstr_worker_report *report)
{
	_cleanup_free_ char *cpus = ktstr_cpus_to_text(&report->cpus_used);
	json_t *json = json_pack(
		"{ss si si ss sI sI sI sI sI sI si sI sI sI ss si sI sI sI}", "cgroup", cgroup_name, "worker",
		(int)report->index, "tid", report->tid, "work", ktstr_work_type_name(report->work_kind), "work_units",
		(json_int_t)report->work_units, "iterations", (json_int_t)report->iterations, "cpu_time_ns",
		(json_int_t)report->cpu_time_ns, "wall_time_ns", (json_int_t)report->wall_time_ns, "run_delay_ns",
		(json_int_t)report->schedstat_run_delay_ns, "run_count", (json_int_t)report->schedstat_run_count,
		"max_gap_cpu", (int)report->max_gap_cpu, "max_gap_ns", (json_int_t)report->max_gap_ns,
		"max_gap_at_ns", (json_int_t)report->max_gap_at_ns, "migrations", (json_int_t)report->migration_count,
		"cpus", cpus, "exit", (int)report->exit, "migrations_crc32",
		(json_int_t)checksum(report->migrations, report->migrations_count * sizeof(*report->migrations)),
		"wakes", (json_int_t)report->wake_latencies.total_samples, "wakes_crc32",
		(json_int_t)checksum(report->wake_latencies.values_ns,
				     report->wake_latencies.count * sizeof(uint64_t)));
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (text)
		ktstr_wire_send(KTSTR_FRAME_WORKER, text, strlen(text));
}
