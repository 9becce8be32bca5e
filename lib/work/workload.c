// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of spawned workers: start together, stop within a limit, reap, report. Nothing here
 * waits for a worker without a deadline, however broken the scheduler under test is.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/workload.h"

#define READY_LIMIT_NS KTSTR_SEC(2) /* for all workers to reach the start line */
#define STOP_LIMIT_NS  KTSTR_SEC(5) /* for all workers to report after the stop */
#define REAP_LIMIT_NS  KTSTR_SEC(2) /* for all workers to end after SIGKILL */
#define SCAN_NS        KTSTR_MS(20) /* between looks for workers that died without a word */
#define GRACE_NS       KTSTR_MS(500) /* of work for a workload that is stopped but never was started */

const int *ktstr_workload_pids(const struct ktstr_workload_handle *handle, size_t *count)
{
	*count = handle->count;
	return handle->public_pids;
}

void ktstr_workload_snapshot_iterations(const struct ktstr_workload_handle *handle, uint64_t *out)
{
	for (size_t i = 0; i < handle->count; i++)
		out[i] = atomic_load_explicit(&handle->workers[i].iterations, memory_order_relaxed);
}

static enum worker_progress progress_of(const struct ktstr_workload_handle *handle, size_t i)
{
	return (enum worker_progress)atomic_load_explicit(&handle->workers[i].progress,
							  memory_order_acquire);
}

/* Leaves the dead unreaped: until then their pid and process group belong to nobody else. */
static void find_ended(struct ktstr_workload_handle *handle)
{
	for (size_t i = 0; i < handle->count; i++) {
		siginfo_t info = { 0 };

		if (!handle->pids[i] || handle->outcomes[i].ended)
			continue;
		if (waitid(P_PID, (id_t)handle->pids[i], &info, WEXITED | WNOHANG | WNOWAIT) == 0)
			handle->outcomes[i].ended = info.si_pid == handle->pids[i];
		else
			handle->outcomes[i].ended = errno == ECHILD;
	}
}

static bool all_reached(const struct ktstr_workload_handle *handle, enum worker_progress progress)
{
	for (size_t i = 0; i < handle->count; i++)
		if (!handle->outcomes[i].ended && progress_of(handle, i) < progress)
			return false;
	return true;
}

/* Until every worker has come that far or has died, at most until deadline_ns. */
static void wait_for_progress(struct ktstr_workload_handle *handle, enum worker_progress progress,
			      uint64_t deadline_ns)
{
	uint64_t scan_ns = ktstr_now_ns() + SCAN_NS;

	for (;;) {
		uint32_t seen = atomic_load(&handle->control->changes);
		uint64_t now = ktstr_now_ns();

		if (now >= scan_ns || now >= deadline_ns) {
			find_ended(handle);
			scan_ns = now + SCAN_NS;
		}
		if (all_reached(handle, progress) || now >= deadline_ns)
			return;
		work_futex_wait(&handle->control->changes, seen,
				scan_ns < deadline_ns ? scan_ns : deadline_ns);
	}
}

struct ktstr_error *ktstr_workload_start(struct ktstr_workload_handle *handle)
{
	if (handle->started)
		return NULL;
	handle->started = true;
	/*
	 * One that is late (a starved fork) begins as soon as it gets there: not an error of ours.
	 */
	wait_for_progress(handle, WORKER_READY, ktstr_now_ns() + READY_LIMIT_NS);
	atomic_store_explicit(&handle->control->go, 1, memory_order_release);
	work_futex_wake_all(&handle->control->go);
	return NULL;
}

static void ask_to_stop(struct ktstr_workload_handle *handle)
{
	for (size_t i = 0; i < handle->count; i++) {
		atomic_store(&handle->workers[i].stop, 1);
		work_futex_wake_all(&handle->workers[i].stop);
		if (handle->pids[i])
			kill(handle->pids[i], SIGUSR1);
	}
}

/* Groups first, for what a worker may have forked; alone when the setpgid of both sides failed. */
static void kill_all(struct ktstr_workload_handle *handle)
{
	for (size_t i = 0; i < handle->count; i++) {
		if (!handle->pids[i])
			continue;
		killpg(handle->pids[i], SIGKILL);
		kill(handle->pids[i], SIGKILL);
	}
}

/* True when there is nothing left to wait for. */
static bool try_reap(struct ktstr_workload_handle *handle, size_t i)
{
	struct worker_outcome *outcome = &handle->outcomes[i];
	pid_t got;

	if (!handle->pids[i])
		return true;
	got = waitpid(handle->pids[i], &outcome->wait_status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return false;
	outcome->status_known = got > 0;
	handle->pids[i] = 0;
	return true;
}

/*
 * A worker that sits in an uninterruptible sleep does not die at once. It is left to its pending
 * SIGKILL rather than waited for: this process must be able to report.
 */
static void reap_all(struct ktstr_workload_handle *handle)
{
	uint64_t deadline = ktstr_now_ns() + REAP_LIMIT_NS;

	for (size_t i = 0; i < handle->count; i++) {
		while (!try_reap(handle, i)) {
			if (ktstr_now_ns() >= deadline) {
				handle->pids[i] = 0;
				handle->outcomes[i].timed_out = true;
				break;
			}
			ktstr_sleep_ns(KTSTR_MS(1));
		}
	}
}

static void lend_samples(const struct worker_shared *shared, enum work_reservoir which,
			 struct ktstr_reservoir *reservoir)
{
	reservoir->values_ns = shared->samples_ns[which];
	reservoir->count = reservoir->total_samples < KTSTR_RESERVOIR_CAP ? (size_t)reservoir->total_samples :
									    KTSTR_RESERVOIR_CAP;
}

static void report_completed(const struct ktstr_workload_handle *handle, size_t i)
{
	const struct worker_shared *shared = &handle->workers[i];
	struct ktstr_worker_report *report = &handle->reports[i];
	struct ktstr_worker_report identity = *report;

	*report = shared->report;
	report->group_idx = identity.group_idx;
	report->index = identity.index;
	report->work_kind = identity.work_kind;
	report->exit = KTSTR_WORKER_COMPLETED;
	report->migrations = shared->migrations;
	report->migrations_count = report->migration_count < KTSTR_MIGRATIONS_CAP ?
					   (size_t)report->migration_count :
					   KTSTR_MIGRATIONS_CAP;
	lend_samples(shared, WORK_WAKE, &report->wake_latencies);
	lend_samples(shared, WORK_COST, &report->iteration_costs);
	lend_samples(shared, WORK_TIMER, &report->timer_latencies);
	if (work_type_ops(report->work_kind)->report)
		work_type_ops(report->work_kind)->report(report, handle->group_memories[i]);
}

static void build_report(const struct ktstr_workload_handle *handle, size_t i)
{
	const struct worker_outcome *outcome = &handle->outcomes[i];
	struct ktstr_worker_report *report = &handle->reports[i];

	if (progress_of(handle, i) == WORKER_DONE) {
		report_completed(handle, i);
	} else if (outcome->timed_out) {
		report->exit = KTSTR_WORKER_TIMED_OUT;
	} else if (!outcome->status_known) { /* somebody else reaped it */
		report->exit = KTSTR_WORKER_EXITED;
		report->exit_code = -1;
	} else if (WIFSIGNALED(outcome->wait_status)) {
		report->exit = KTSTR_WORKER_SIGNALED;
		report->exit_code = WTERMSIG(outcome->wait_status);
	} else {
		report->exit = KTSTR_WORKER_EXITED;
		report->exit_code = WEXITSTATUS(outcome->wait_status);
	}
	report->tid = handle->public_pids[i];
}

static void start_late(struct ktstr_workload_handle *handle)
{
	struct ktstr_error *error;

	if (handle->started)
		return;
	error = ktstr_workload_start(handle);
	ktstr_error_free(error);
	ktstr_sleep_ns(GRACE_NS);
}

const struct ktstr_worker_report *
ktstr_workload_stop_and_collect(struct ktstr_workload_handle *handle, size_t *count)
{
	*count = handle->count;
	if (handle->collected)
		return handle->reports;
	handle->collected = true;
	start_late(handle);
	ask_to_stop(handle);
	wait_for_progress(handle, WORKER_DONE, ktstr_now_ns() + STOP_LIMIT_NS);
	find_ended(handle);
	for (size_t i = 0; i < handle->count; i++)
		handle->outcomes[i].timed_out =
			!handle->outcomes[i].ended && progress_of(handle, i) != WORKER_DONE;
	kill_all(handle);
	reap_all(handle);
	for (size_t i = 0; i < handle->count; i++)
		build_report(handle, i);
	return handle->reports;
}

void ktstr_workload_destroy(struct ktstr_workload_handle *handle)
{
	if (!handle)
		return;
	if (handle->pids) {
		kill_all(handle);
		reap_all(handle);
	}
	if (handle->map)
		munmap(handle->map, handle->map_bytes);
	free(handle->pids);
	free(handle->public_pids);
	free(handle->outcomes);
	free(handle->group_memories);
	free(handle->reports);
	free(handle);
}
