/* SPDX-License-Identifier: GPL-2.0-only */
/* Workloads: workers that are spawned, started and stopped together, without a scenario. */
#ifndef KTSTR_WORKLOAD_H
#define KTSTR_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/cpuset.h>
#include <ktstr/error.h>
#include <ktstr/work_spec.h>
#include <ktstr/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ktstr_clone_mode {
	KTSTR_CLONE_FORK, /* each worker a process of its own, those of a pcomm threads of one */
	KTSTR_CLONE_THREAD, /* threads of the caller; not for work that forks or changes its cgroup */
};

/*
 * Direct use, without cgroups: spawn workers blocked, start them together, stop and collect. The scenario
 * engine is built on this. All calls from one thread.
 */
struct ktstr_workload_config {
	/* specs[0] is the primary group, the others are composed with it; a spec's place is its group_idx. */
	const struct ktstr_work_spec *specs; /* counts explicit, > 0 */
	size_t specs_count;
	enum ktstr_clone_mode clone_mode;
	const char *label; /* comm prefix of workers without a comm; NULL = "worker" */
	const struct ktstr_test_topology *topo; /* for affinities and memory policies; NULL = not known */
	struct ktstr_cpus cpus; /* CPUs of the workers' cgroup; empty = all: affinities are resolved within them */
	uint64_t mems; /* memory nodes of its cpuset; 0 = no cpuset: memory policies are checked against them */
	uint64_t seed; /* worker random streams; equal seeds draw equal numbers */
	bool perturb; /* seeded delays at the start and at some checkpoints, to explore schedules */
	bool bare; /* no gaps, migrations, samples and slices, only counters and clocks: what telemetry costs */
};

struct ktstr_workload_handle;

#define KTSTR_WORKERS_MAX 10000 /* of one workload */

/* What ktstr_workload_spawn() would refuse, before anything runs. */
struct ktstr_error *ktstr_workload_check(const struct ktstr_workload_config *config) KTSTR_CHECKED;
/*
 * KTSTR_ERR_INVALID for a bad spec: "<name> (group i) requires num_workers divisible by <g>, got <n>", zero
 * durations, empty affinity. On error nothing is left behind.
 */
struct ktstr_error *ktstr_workload_spawn(const struct ktstr_workload_config *config,
					 struct ktstr_workload_handle **handle) KTSTR_CHECKED;
/* Workers, i.e. reports. */
size_t ktstr_workload_worker_count(const struct ktstr_workload_handle *handle);
/*
 * Processes to move into a cgroup before start, one per worker or pcomm, in the order of the workers; borrowed. None
 * for threads of the caller, who would move along.
 */
const int *ktstr_workload_pids(const struct ktstr_workload_handle *handle, size_t *count);
/* Lets all workers begin together. Idempotent. */
struct ktstr_error *ktstr_workload_start(struct ktstr_workload_handle *handle) KTSTR_CHECKED;
/* Iteration counters now, without stopping anyone; out has room for every worker. */
void ktstr_workload_snapshot_iterations(const struct ktstr_workload_handle *handle, uint64_t *out);
/* Of a worker that lives; one that ended is KTSTR_ERR_NOT_FOUND. */
struct ktstr_error *ktstr_workload_set_affinity(struct ktstr_workload_handle *handle, size_t index,
						const struct ktstr_cpus *cpus) KTSTR_CHECKED;
/* Of all that live; RANDOM draws anew for each, from the workload's seed. NONE gives back all CPUs of the config. */
struct ktstr_error *ktstr_workload_apply_affinity(struct ktstr_workload_handle *handle,
						  const struct ktstr_resolved_affinity *resolved) KTSTR_CHECKED;
/*
 * Which phase runs now: workers seal a slice of their telemetry when it changes. 0 (from the start on) and UINT32_MAX
 * are no phase: between steps.
 */
void ktstr_workload_set_phase(struct ktstr_workload_handle *handle, uint32_t epoch);
/*
 * Asks all workers to stop and waits for nobody: workloads that are to end at the same moment are all asked before the
 * first is collected. Idempotent; nothing for one that was never started.
 */
void ktstr_workload_stop(struct ktstr_workload_handle *handle);
/*
 * Stops all workers, reaps them, and gives one report per worker in spawn order, owned by the handle until destroy.
 * Never hangs: when for 5 s no worker has answered, the others are killed, and one that does not even die within 2 s is
 * left behind, each with a report that says so.
 */
const struct ktstr_worker_report *
ktstr_workload_stop_and_collect(struct ktstr_workload_handle *handle, size_t *count);
/* Kills and reaps what still runs, unmaps. Accepts NULL. */
void ktstr_workload_destroy(struct ktstr_workload_handle *handle);

/*
 * Helpers that are programs of their own say that they are set up by creating KTSTR_READY_FILE_PREFIX "<pid>". Looks
 * every 10 ms; fails at once when the process is gone, with KTSTR_ERR_TIMEOUT after limit_ns. Removes the file.
 */
#define KTSTR_READY_FILE_PREFIX "/tmp/ktstr-worker-ready-"
struct ktstr_error *ktstr_wait_worker_ready(int pid, uint64_t limit_ns) KTSTR_CHECKED;
/* What such a helper calls. */
struct ktstr_error *ktstr_announce_worker_ready(void) KTSTR_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
