// SPDX-License-Identifier: GPL-2.0-only
/* The live world: this machine, through the rooms that know how. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "ktstr/live.h"
#include "scenario/irq.h"
#include "scenario/scenario.h"
#include "scenario/world.h"
#include "wire/host_request.h"
#include "wire/program.h"

static uint64_t live_now(struct world *world)
{
	(void)world;
	return ktstr_now_ns();
}

static void live_sleep(struct world *world, uint64_t ns)
{
	(void)world;
	ktstr_sleep_ns(ns);
}

static bool live_scheduler_alive(struct world *world)
{
	return ktstr_scheduler_alive(world->ctx);
}

static void live_dispatched(struct world *world)
{
	(void)world;
	ktstr_wire_lifecycle(KTSTR_LIFE_WORKLOAD_DISPATCHED, "%s", ktstr_active_scheduler());
}

static void live_send_frame(struct world *world, uint32_t type, const void *payload, size_t length)
{
	(void)world;
	ktstr_wire_send(type, payload, length);
}

#define MAP_WRITE_LIMIT_NS KTSTR_SEC(10)
#define MAP_WRITE_GRACE_NS KTSTR_MS(500) /* for the scheduler to notice what was written */

static struct ktstr_error *live_await_map_write(struct world *world)
{
	_cleanup_str_ struct ktstr_str reply = { 0 };

	(void)world;
	KTSTR_TRY(ktstr_wire_request(KTSTR_FRAME_MAP_WRITE_REQUEST, NULL, 0, KTSTR_FRAME_MAP_WRITE_REPLY, MAP_WRITE_LIMIT_NS,
				     &reply));
	ktstr_sleep_ns(MAP_WRITE_GRACE_NS);
	return NULL;
}

static bool live_cgroup_exists(struct world *world, const char *name)
{
	return ktstr_cgroup_exists(world->ctx->cgroups, name);
}

static struct ktstr_error *live_cgroup_create(struct world *world, const char *name)
{
	return ktstr_cgroup_create(world->ctx->cgroups, name);
}

static struct ktstr_error *live_cgroup_apply(struct world *world, const struct ktstr_cgroup_def *def)
{
	return ktstr_cgroup_def_apply(world->ctx->cgroups, def, world->ctx->topo);
}

static struct ktstr_error *live_cgroup_remove(struct world *world, const char *name)
{
	return ktstr_cgroup_remove(world->ctx->cgroups, name);
}

static struct ktstr_error *live_set_cpuset(struct world *world, const char *name, const struct ktstr_cpus *cpus)
{
	return ktstr_cgroup_set_cpuset(world->ctx->cgroups, name, cpus);
}

static struct ktstr_error *live_clear_cpuset(struct world *world, const char *name)
{
	return ktstr_cgroup_clear_cpuset(world->ctx->cgroups, name);
}

static struct ktstr_error *live_get_cpuset(struct world *world, const char *name, struct ktstr_cpus *cpus)
{
	return ktstr_cgroup_get_cpuset(world->ctx->cgroups, name, cpus);
}

static struct ktstr_error *live_freeze(struct world *world, const char *name, bool freeze)
{
	return freeze ? ktstr_cgroup_freeze(world->ctx->cgroups, name) : ktstr_cgroup_unfreeze(world->ctx->cgroups, name);
}

static struct ktstr_error *live_open(struct world *world, const char *name)
{
	return ktstr_cgroup_clear_subtree_control(world->ctx->cgroups, name);
}

static struct ktstr_error *live_procs(struct world *world, const char *name, int **pids, size_t *count)
{
	return ktstr_cgroup_read_procs(world->ctx->cgroups, name, pids, count);
}

static struct ktstr_error *live_spawn(struct world *world, const struct ktstr_workload_config *config, void **workload)
{
	(void)world;
	return ktstr_workload_spawn(config, (struct ktstr_workload_handle **)workload);
}

/*
 * For whoever looks into a guest, by a shell or from a body: who was put where, a line "phase cgroup pid..." each time. A
 * host has no use for it, and nobody who removes it.
 */
static void log_placement(struct world *world, const char *cgroup, const int *pids, size_t count)
{
	FILE *log = ktstr_env("KTSTR_GUEST_INIT") ? fopen("/tmp/ktstr-placement.log", "ae") : NULL;

	if (!log)
		return;
	fprintf(log, "%u %s", ktstr_current_step(world->ctx), cgroup);
	for (size_t i = 0; i < count; i++)
		fprintf(log, " %d", pids[i]);
	fputc('\n', log);
	fclose(log);
}

static struct ktstr_error *live_move(struct world *world, void *workload, const char *cgroup)
{
	size_t count;
	const int *pids = ktstr_workload_pids(workload, &count);

	KTSTR_TRY(ktstr_cgroup_move_tasks(world->ctx->cgroups, cgroup, pids, count));
	log_placement(world, cgroup, pids, count);
	return NULL;
}

static struct ktstr_error *live_start(struct world *world, void *workload)
{
	(void)world;
	return ktstr_workload_start(workload);
}

static struct ktstr_error *live_affinity(struct world *world, void *workload,
					 const struct ktstr_resolved_affinity *affinity)
{
	(void)world;
	return ktstr_workload_apply_affinity(workload, affinity);
}

static void live_phase(struct world *world, void *workload, uint32_t epoch)
{
	(void)world;
	ktstr_workload_set_phase(workload, epoch);
}

static size_t live_count(struct world *world, const void *workload)
{
	(void)world;
	return ktstr_workload_worker_count(workload);
}

static uint64_t live_iterations(struct world *world, const void *workload)
{
	size_t count = live_count(world, workload);
	_cleanup_free_ uint64_t *iterations = ktstr_xcalloc(count, sizeof(*iterations));
	uint64_t sum = 0;

	ktstr_workload_snapshot_iterations(workload, iterations);
	for (size_t i = 0; i < count; i++)
		sum += iterations[i];
	return sum;
}

static const struct ktstr_worker_report *live_collect(struct world *world, void *workload, size_t *count)
{
	(void)world;
	return ktstr_workload_stop_and_collect(workload, count);
}

static void live_destroy(struct world *world, void *workload)
{
	(void)world;
	ktstr_workload_destroy(workload);
}

static struct ktstr_error *live_payload_start(struct world *world, const struct ktstr_payload_run *run, void **payload)
{
	return ktstr_payload_run_spawn(world->ctx, run, (struct ktstr_payload_handle **)payload);
}

static struct ktstr_error *live_payload_end(struct world *world, void *payload, bool kill)
{
	struct ktstr_error *error = kill ? ktstr_payload_handle_kill(payload, NULL) :
					   ktstr_payload_handle_wait(payload, NULL);

	(void)world;
	ktstr_payload_handle_destroy(payload);
	return error;
}

static struct ktstr_error *live_scheduler(struct world *world, enum ktstr_op_kind kind,
					  const struct ktstr_scheduler *scheduler)
{
	switch (kind) {
	case KTSTR_OP_ATTACH_SCHEDULER:
		return ktstr_live_attach(world->ctx, scheduler);
	case KTSTR_OP_DETACH_SCHEDULER:
		return ktstr_live_detach(world->ctx);
	case KTSTR_OP_RESTART_SCHEDULER:
		return ktstr_live_restart(world->ctx);
	default:
		return ktstr_live_replace(world->ctx, scheduler);
	}
}

static struct ktstr_error *live_pin_bpf_map(struct world *world, const char *name)
{
	return ktstr_live_pin_bpf_map(world->ctx, name);
}

static struct ktstr_error *live_capture(struct world *world, const char *tag)
{
	return ktstr_host_capture_in_phase(tag, __atomic_load_n(&world->ctx->current_step, __ATOMIC_ACQUIRE));
}

static struct ktstr_error *live_watch(struct world *world, const char *symbol)
{
	(void)world;
	return ktstr_host_watch(symbol);
}

static struct ktstr_error *live_kernel_write(struct world *world, bool cold, const struct ktstr_kernel_op_entry *entries,
					     size_t count)
{
	(void)world;
	return ktstr_host_kernel_write(cold, entries, count);
}

static struct ktstr_error *live_kernel_read(struct world *world, bool cold, const char *tag,
					    const struct ktstr_kernel_op_entry *entry)
{
	(void)world;
	return ktstr_host_kernel_read(cold, tag, entry, 1, NULL);
}

static void live_record_procs(struct world *world, const char *tag, const char *cgroup, const int *pids, size_t count)
{
	(void)world;
	ktstr_host_record_cgroup_procs(tag, cgroup, pids, count);
}

static struct ktstr_error *live_find_irq(struct world *world, const char *label, unsigned int *number)
{
	(void)world;
	return irq_find("/proc/interrupts", label, number);
}

static struct ktstr_error *live_steer_irq(struct world *world, unsigned int number, unsigned int cpu)
{
	(void)world;
	return irq_steer(number, cpu);
}

const struct world_ops live_world_ops = {
	.now_ns = live_now,
	.sleep_ns = live_sleep,
	.scheduler_alive = live_scheduler_alive,
	.dispatched = live_dispatched,
	.send_frame = live_send_frame,
	.await_map_write = live_await_map_write,
	.cgroup_exists = live_cgroup_exists,
	.cgroup_create = live_cgroup_create,
	.cgroup_apply = live_cgroup_apply,
	.cgroup_remove = live_cgroup_remove,
	.cgroup_set_cpuset = live_set_cpuset,
	.cgroup_clear_cpuset = live_clear_cpuset,
	.cgroup_get_cpuset = live_get_cpuset,
	.cgroup_freeze = live_freeze,
	.cgroup_open = live_open,
	.cgroup_procs = live_procs,
	.record_procs = live_record_procs,
	.workload_spawn = live_spawn,
	.workload_move = live_move,
	.workload_start = live_start,
	.workload_affinity = live_affinity,
	.workload_phase = live_phase,
	.workload_count = live_count,
	.workload_iterations = live_iterations,
	.workload_collect = live_collect,
	.workload_destroy = live_destroy,
	.payload_start = live_payload_start,
	.payload_end = live_payload_end,
	.scheduler = live_scheduler,
	.pin_bpf_map = live_pin_bpf_map,
	.capture = live_capture,
	.watch = live_watch,
	.kernel_write = live_kernel_write,
	.kernel_read = live_kernel_read,
	.find_irq = live_find_irq,
	.steer_irq = live_steer_irq,
};
