// SPDX-License-Identifier: GPL-2.0-only
/* Reports of workers: what the completed ones measured, what became of the others. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "work/workload.h"

static void lend_samples(const uint64_t *values_ns, size_t cap, struct ktstr_reservoir *reservoir)
{
	reservoir->values_ns = values_ns;
	reservoir->count = reservoir->total_samples < cap ? (size_t)reservoir->total_samples : cap;
}

static void lend_phases(const struct ktstr_workload_handle *handle, size_t index, struct ktstr_worker_report *report)
{
	struct worker_shared *shared = &handle->workers[index];

	report->phase_slices = shared->phases_count ? shared->slices : NULL;
	report->phase_slices_count = shared->phases_count;
	for (size_t i = 0; i < shared->phases_count; i++) {
		struct ktstr_phase_slice *slice = &shared->slices[i];
		struct phase_samples *samples = &shared->phase_samples[i];

		lend_samples(samples->values_ns[0], KTSTR_PHASE_RESERVOIR_CAP, &slice->wake_latencies);
		lend_samples(samples->values_ns[1], KTSTR_PHASE_RESERVOIR_CAP, &slice->timer_latencies);
		if (handle->setups[index].ops->report_phase)
			handle->setups[index].ops->report_phase(slice, &shared->phase_bench[i]);
	}
}

static void report_completed(const struct ktstr_workload_handle *handle, size_t index)
{
	const struct worker_shared *shared = &handle->workers[index];
	struct ktstr_worker_report *report = &handle->reports[index];
	struct ktstr_worker_report identity = *report;
	const struct worker_setup *setup = &handle->setups[index];

	*report = shared->report;
	report->group_idx = identity.group_idx;
	report->index = identity.index;
	report->work_kind = identity.work_kind;
	report->exit = KTSTR_WORKER_COMPLETED;
	report->migrations = shared->migrations;
	report->migrations_count =
		report->migration_count < KTSTR_MIGRATIONS_CAP ? (size_t)report->migration_count : KTSTR_MIGRATIONS_CAP;
	lend_samples(shared->samples_ns[WORK_WAKE], KTSTR_RESERVOIR_CAP, &report->wake_latencies);
	lend_samples(shared->samples_ns[WORK_COST], KTSTR_RESERVOIR_CAP, &report->iteration_costs);
	lend_samples(shared->samples_ns[WORK_TIMER], KTSTR_RESERVOIR_CAP, &report->timer_latencies);
	lend_phases(handle, index, report);
	if (setup->ops->report)
		setup->ops->report(report, setup->group->memory);
}

/* The worker of that host whose fault ended it, NULL when none faulted. */
static const struct worker_setup *culprit(const struct ktstr_workload_handle *handle, size_t host)
{
	for (size_t i = 0; i < handle->count; i++)
		if (handle->setups[i].host == host && atomic_load(&handle->workers[i].fault_signal))
			return &handle->setups[i];
	return NULL;
}

static void report_panic(struct ktstr_worker_report *report, const struct worker_setup *who)
{
	int number = atomic_load(&who->shared->fault_signal);

	report->exit = KTSTR_WORKER_PANICKED;
	report->exit_code = number;
	snprintf(report->exit_message, sizeof(report->exit_message), "%s at address %#llx in worker %u (%s, tid %u)",
		 strsignal(number), (unsigned long long)who->shared->fault_address, who->index, who->comm,
		 (unsigned int)atomic_load(&who->shared->tid));
}

static void report_process_end(const struct work_host *host, struct ktstr_worker_report *report)
{
	if (host->wait_errno) {
		report->exit = KTSTR_WORKER_WAIT_FAILED;
		report->exit_code = host->wait_errno;
		snprintf(report->exit_message, sizeof(report->exit_message), "it cannot be waited for: %s%s",
			 strerror(host->wait_errno), host->wait_errno == ECHILD ? " (somebody else reaped it)" : "");
	} else if (WIFSIGNALED(host->wait_status)) {
		report->exit = KTSTR_WORKER_SIGNALED;
		report->exit_code = WTERMSIG(host->wait_status);
	} else {
		report->exit = KTSTR_WORKER_EXITED;
		report->exit_code = WEXITSTATUS(host->wait_status);
	}
}

static void report_lost(const struct ktstr_workload_handle *handle, size_t index)
{
	size_t host = handle->setups[index].host;
	struct ktstr_worker_report *report = &handle->reports[index];
	const struct worker_setup *who = host == WORK_NO_HOST ? NULL : culprit(handle, host);

	if (work_progress_of(handle, index) == WORKER_LEFT) {
		report->exit = KTSTR_WORKER_EXITED;
		report->exit_code = 1;
		memcpy(report->exit_message, handle->workers[index].report.exit_message, KTSTR_EXIT_MESSAGE_BYTES - 1);
	} else if (who) {
		report_panic(report, who);
	} else if (*report->exit_message || host == WORK_NO_HOST || handle->hosts[host].stuck) {
		report->exit = KTSTR_WORKER_TIMED_OUT; /* work_describe_stuck() saw it alive after the limit */
	} else {
		report_process_end(&handle->hosts[host], report);
	}
}

void work_build_report(const struct ktstr_workload_handle *handle, size_t index)
{
	size_t host = handle->setups[index].host;
	struct ktstr_worker_report *report = &handle->reports[index];

	if (work_progress_of(handle, index) == WORKER_DONE)
		report_completed(handle, index);
	else
		report_lost(handle, index);
	report->tid = (int)atomic_load(&handle->workers[index].tid);
	if (!report->tid && host != WORK_NO_HOST)
		report->tid = handle->public_pids[host];
}

/* The letter behind the name in /proc/PID/task/TID/stat; '?' when it cannot be read. */
static char state_of(const char *stat)
{
	const char *end = stat ? strrchr(stat, ')') : NULL;

	return end && end[1] == ' ' && end[2] ? end[2] : '?';
}

void work_describe_stuck(const struct ktstr_workload_handle *handle, size_t index)
{
	size_t host = handle->setups[index].host;
	int pid = host == WORK_NO_HOST ? getpid() : handle->public_pids[host];
	int tid = (int)atomic_load(&handle->workers[index].tid);
	_cleanup_free_ char *stat_path = ktstr_xasprintf("/proc/%d/task/%d/stat", pid, tid ? tid : pid);
	_cleanup_free_ char *wchan_path = ktstr_xasprintf("/proc/%d/task/%d/wchan", pid, tid ? tid : pid);
	_cleanup_free_ char *stat = ktstr_read_line(stat_path);
	_cleanup_free_ char *wchan = ktstr_read_line(wchan_path);

	snprintf(handle->reports[index].exit_message, KTSTR_EXIT_MESSAGE_BYTES,
		 "it did not answer the stop: state %c%s%s", state_of(stat),
		 wchan && *wchan && *wchan != '0' ? " in " : "", wchan && *wchan && *wchan != '0' ? wchan : "");
}
