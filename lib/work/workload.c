// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of spawned workers: start together, stop within a limit, reap, report. Nothing here waits for a worker
 * without a deadline, however broken the scheduler under test is.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "work/affinity.h"
#include "work/numa.h"
#include "work/workload.h"

/*
 * Limits are for the next worker to get somewhere: a thousand of them on two slow CPUs take a while, one that is stuck
 * is not waited for longer because of it.
 */
#define READY_LIMIT_NS KTSTR_SEC(2)  /* to the start line */
#define STOP_LIMIT_NS  KTSTR_SEC(5)  /* from the stop to the report */
#define REAP_LIMIT_NS  KTSTR_SEC(2)  /* from SIGKILL to the end */
#define TOTAL_LIMIT_NS KTSTR_SEC(30) /* of any of these for all workers together */
#define SCAN_NS        KTSTR_MS(20)  /* between looks for workers that died without a word */
#define GRACE_NS       KTSTR_MS(500) /* of work for a workload that is stopped but never was started */

size_t ktstr_workload_worker_count(const struct ktstr_workload_handle *handle)
{
	return handle->count;
}

const int *ktstr_workload_pids(const struct ktstr_workload_handle *handle, size_t *count)
{
	*count = handle->hosts_count;
	return handle->public_pids;
}

void ktstr_workload_snapshot_iterations(const struct ktstr_workload_handle *handle, uint64_t *out)
{
	for (size_t i = 0; i < handle->count; i++)
		out[i] = atomic_load_explicit(&handle->workers[i].iterations, memory_order_relaxed);
}

void ktstr_workload_set_phase(struct ktstr_workload_handle *handle, uint32_t epoch)
{
	atomic_store_explicit(&handle->control->phase, epoch, memory_order_release);
	work_futex_wake_all(&handle->control->phase); /* of benchmarks; other sleepers are left alone */
}

enum worker_progress work_progress_of(const struct ktstr_workload_handle *handle, size_t index)
{
	return (enum worker_progress)atomic_load_explicit(&handle->workers[index].progress, memory_order_acquire);
}

/* Leaves the dead unreaped: until then their pid and process group belong to nobody else. */
static void find_ended(struct ktstr_workload_handle *handle)
{
	for (size_t i = 0; i < handle->hosts_count; i++) {
		struct work_host *host = &handle->hosts[i];
		siginfo_t info = { 0 };

		if (!host->pid || host->ended)
			continue;
		if (waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
			host->ended = info.si_pid == host->pid;
		else
			host->ended = errno == ECHILD;
	}
}

/* Alive as far as find_ended() saw. */
static bool lives(const struct ktstr_workload_handle *handle, size_t index)
{
	size_t host = handle->setups[index].host;

	return work_progress_of(handle, index) < WORKER_DONE && (host == WORK_NO_HOST || !handle->hosts[host].ended);
}

/* A deadline that moves on as long as something happens. */
struct patience {
	uint64_t limit_ns, deadline_ns, last_ns;
	size_t left; /* workers that something has yet to happen to */
};

static struct patience patience_of(uint64_t limit_ns)
{
	uint64_t now = ktstr_now_ns();

	return (struct patience){ limit_ns, now + limit_ns, now + TOTAL_LIMIT_NS, SIZE_MAX };
}

static void note_left(struct patience *patience, size_t left, uint64_t now_ns)
{
	if (left < patience->left && now_ns + patience->limit_ns < patience->last_ns)
		patience->deadline_ns = now_ns + patience->limit_ns;
	patience->left = left;
}

static size_t behind(const struct ktstr_workload_handle *handle, enum worker_progress progress)
{
	size_t left = 0;

	for (size_t i = 0; i < handle->count; i++)
		left += work_progress_of(handle, i) < progress && lives(handle, i);
	return left;
}

/* Until every worker has come that far or has died, or for too long nobody did. */
static void wait_for_progress(struct ktstr_workload_handle *handle, enum worker_progress progress, uint64_t limit_ns)
{
	struct patience patience = patience_of(limit_ns);
	uint64_t scan_ns = ktstr_now_ns() + SCAN_NS;

	for (;;) {
		uint32_t seen = atomic_load(&handle->control->changes);
		uint64_t now = ktstr_now_ns();

		if (now >= scan_ns || now >= patience.deadline_ns) {
			find_ended(handle);
			scan_ns = now + SCAN_NS;
		}
		note_left(&patience, behind(handle, progress), now);
		if (!patience.left || now >= patience.deadline_ns)
			return;
		work_futex_wait(&handle->control->changes, seen,
				scan_ns < patience.deadline_ns ? scan_ns : patience.deadline_ns);
	}
}

static void let_go(struct ktstr_workload_handle *handle)
{
	atomic_store_explicit(&handle->control->go, 1, memory_order_release);
	work_futex_wake_all(&handle->control->go);
}

struct ktstr_error *ktstr_workload_start(struct ktstr_workload_handle *handle)
{
	if (handle->started)
		return NULL;
	handle->started = true;
	handle->pages_migrated = work_numa_pages_migrated();
	/* One that is late (a starved fork) begins as soon as it gets there: not an error of ours. */
	wait_for_progress(handle, WORKER_READY, READY_LIMIT_NS);
	let_go(handle);
	return NULL;
}

/* ---- affinity of live workers ---- */

/* 0 for one that has not come to life yet or is gone. */
static int tid_of(const struct ktstr_workload_handle *handle, size_t index)
{
	return (int)atomic_load(&handle->workers[index].tid);
}

struct ktstr_error *ktstr_workload_set_affinity(struct ktstr_workload_handle *handle, size_t index,
						const struct ktstr_cpus *cpus)
{
	_cleanup_free_ char *list = ktstr_cpus_to_text(cpus);
	int tid;

	if (index >= handle->count)
		return ktstr_error_new(KTSTR_ERR_INVALID, "there is no worker %zu: the workload has %zu", index,
				       handle->count);
	find_ended(handle);
	tid = tid_of(handle, index);
	if (!tid || handle->collected || !lives(handle, index))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "worker %zu is not alive: its affinity cannot be set",
				       index);
	if (syscall(SYS_sched_setaffinity, tid, sizeof(cpus->bits), cpus->bits))
		return ktstr_error_sys(errno, "cannot let worker %zu (tid %d) run on the CPUs \"%s\"", index, tid,
				       list);
	return NULL;
}

struct ktstr_error *ktstr_workload_apply_affinity(struct ktstr_workload_handle *handle,
						  const struct ktstr_resolved_affinity *resolved)
{
	struct ktstr_cpus all = handle->cpus;

	if (!ktstr_cpus_count(&all))
		all = ktstr_cpus_range(0, KTSTR_MAX_CPUS); /* the kernel keeps those that there are */
	find_ended(handle);
	for (size_t i = 0; i < handle->count; i++) {
		struct ktstr_cpus cpus =
			resolved->kind == KTSTR_RESOLVED_NONE ? all : work_affinity_draw(resolved, &handle->random);

		if (lives(handle, i) && tid_of(handle, i))
			KTSTR_TRY(ktstr_workload_set_affinity(handle, i, &cpus));
	}
	return NULL;
}

/* ---- the end ---- */

static void ask_to_stop(struct ktstr_workload_handle *handle)
{
	for (size_t i = 0; i < handle->count; i++) {
		size_t host = handle->setups[i].host;
		int tid = tid_of(handle, i), pid = host == WORK_NO_HOST ? getpid() : handle->hosts[host].pid;

		atomic_store(&handle->workers[i].stop, 1);
		work_futex_wake_all(&handle->workers[i].stop);
		/* Out of a wait for a descriptor; one that is not up yet sees the flag. */
		if (pid && tid && lives(handle, i))
			syscall(SYS_tgkill, pid, tid, SIGUSR1);
	}
}

void ktstr_workload_stop(struct ktstr_workload_handle *handle)
{
	if (!handle->started || handle->asked_to_stop || handle->collected)
		return;
	handle->asked_to_stop = true;
	ask_to_stop(handle);
}

/* Groups first, for what a worker may have forked; alone when the setpgid of both sides failed. */
static void kill_all(struct ktstr_workload_handle *handle)
{
	for (size_t i = 0; i < handle->hosts_count; i++) {
		if (!handle->hosts[i].pid)
			continue;
		killpg(handle->hosts[i].pid, SIGKILL);
		kill(handle->hosts[i].pid, SIGKILL);
	}
}

/* True when there is nothing left to wait for. */
static bool try_reap(struct work_host *host)
{
	pid_t got;

	if (!host->pid)
		return true;
	got = waitpid(host->pid, &host->wait_status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return false;
	host->wait_errno = got < 0 ? errno : 0;
	host->pid = 0;
	return true;
}

/*
 * A worker that sits in an uninterruptible sleep does not die at once. It is left to its pending SIGKILL rather than
 * waited for: this process must be able to report.
 */
static void reap_all(struct ktstr_workload_handle *handle)
{
	struct patience patience = patience_of(REAP_LIMIT_NS);

	for (;;) {
		size_t left = 0;

		for (size_t i = 0; i < handle->hosts_count; i++)
			left += !try_reap(&handle->hosts[i]);
		note_left(&patience, left, ktstr_now_ns());
		if (!left || ktstr_now_ns() >= patience.deadline_ns)
			break;
		ktstr_sleep_ns(KTSTR_MS(1));
	}
	for (size_t i = 0; i < handle->hosts_count; i++) {
		handle->hosts[i].stuck = handle->hosts[i].pid != 0;
		handle->hosts[i].pid = 0;
	}
}

/* Threads cannot be killed: one that does not end keeps its memory. */
static void join_all(struct ktstr_workload_handle *handle)
{
	uint64_t deadline = ktstr_now_ns() + REAP_LIMIT_NS;
	struct timespec until = { .tv_sec = (time_t)(deadline / 1000000000u),
				  .tv_nsec = (long)(deadline % 1000000000u) };

	for (size_t i = 0; i < handle->count; i++) {
		struct worker_setup *setup = &handle->setups[i];

		if (setup->host != WORK_NO_HOST || !setup->running)
			continue;
		setup->running = false;
		if (!pthread_clockjoin_np(setup->thread, NULL, CLOCK_MONOTONIC, &until))
			continue;
		pthread_detach(setup->thread);
		handle->leaked = true;
	}
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

static void report_pages_migrated(struct ktstr_workload_handle *handle)
{
	struct ktstr_opt_u64 now = work_numa_pages_migrated();

	for (size_t i = 0; now.set && handle->pages_migrated.set && i < handle->count; i++)
		handle->reports[i].vmstat_numa_pages_migrated =
			(struct ktstr_opt_u64){ true, now.value - handle->pages_migrated.value };
}

const struct ktstr_worker_report *ktstr_workload_stop_and_collect(struct ktstr_workload_handle *handle, size_t *count)
{
	*count = handle->count;
	if (handle->collected)
		return handle->reports;
	start_late(handle);
	handle->collected = true;
	if (!handle->asked_to_stop)
		ask_to_stop(handle);
	wait_for_progress(handle, WORKER_DONE, STOP_LIMIT_NS);
	find_ended(handle);
	for (size_t i = 0; i < handle->count; i++)
		if (lives(handle, i))
			work_describe_stuck(handle, i);
	kill_all(handle);
	reap_all(handle);
	join_all(handle);
	for (size_t i = 0; i < handle->count; i++)
		work_build_report(handle, i);
	report_pages_migrated(handle);
	return handle->reports;
}

void ktstr_workload_destroy(struct ktstr_workload_handle *handle)
{
	if (!handle)
		return;
	if (handle->setups && !handle->collected) {
		ask_to_stop(handle);
		let_go(handle); /* threads leave by themselves */
		kill_all(handle);
		reap_all(handle);
		join_all(handle);
	}
	if (handle->leaked)
		return; /* with all that the threads may still look at */
	for (size_t i = 0; handle->groups && i < handle->groups_count; i++)
		for (size_t fd = 0; fd < handle->groups[i].fds_count; fd++)
			close(handle->groups[i].fds[fd]);
	if (handle->map)
		munmap(handle->map, handle->map_bytes);
	free(handle->setups);
	free(handle->specs);
	free(handle->types);
	free(handle->groups);
	free(handle->hosts);
	free(handle->public_pids);
	free(handle->reports);
	free(handle);
}
