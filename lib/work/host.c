// SPDX-License-Identifier: GPL-2.0-only
/*
 * A forked process of workers: cut loose from its parent and bound to its life, with one worker or the threads of a
 * pcomm in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "work/workload.h"

enum { EXIT_ORPHANED = 1 };

/* The parent sets the flag before it signals; set here as well, SIGUSR1 alone stops a worker, too. */
static void on_stop_signal(int signal)
{
	(void)signal;
	if (work_own_shared)
		atomic_store_explicit(&work_own_shared->stop, 1, memory_order_relaxed);
}

void work_take_stop_signal(void)
{
	struct sigaction stop = { .sa_handler = on_stop_signal };

	sigaction(SIGUSR1, &stop, NULL);
}

/* The parent's handlers are about the parent's life. SIGUSR1 stays blocked outside of waits. */
static void set_up_signals(void)
{
	sigset_t blocked;

	for (int number = 1; number < NSIG; number++)
		signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
	work_take_stop_signal();
	work_catch_faults();
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* A worker that held the harness's pipes and sockets open would keep others from seeing them close. */
static void close_foreign_fds(const int *fds, size_t count)
{
	unsigned int first = STDERR_FILENO + 1;
	int *kept = calloc(count + 1, sizeof(*kept));

	if (!kept)
		abort();
	memcpy(kept, fds, count * sizeof(*kept));
	qsort(kept, count, sizeof(*kept), compare_fds);
	for (size_t i = 0; i < count; i++) {
		if ((unsigned int)kept[i] > first)
			syscall(SYS_close_range, first, (unsigned int)kept[i] - 1, 0);
		first = (unsigned int)kept[i] + 1;
	}
	syscall(SYS_close_range, first, ~0u, 0);
	free(kept);
}

/* Whoever has to make room for others: workers before the harness that is to report about them. */
static void volunteer_for_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) != 4)
		(void)!write(STDERR_FILENO, "ktstr: warning: cannot set oom_score_adj\n", 41);
	close(fd);
}

/* The process is the leader's thread; its workers apply their attributes themselves, it only takes on their owner. */
static void become_owner(const struct ktstr_work_spec *spec, pid_t parent)
{
	if (spec->gid.set)
		syscall(SYS_setresgid, spec->gid.value, spec->gid.value, spec->gid.value);
	if (spec->uid.set)
		syscall(SYS_setresuid, spec->uid.value, spec->uid.value, spec->uid.value);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of the owner drops it */
	if (getppid() != parent)
		_exit(EXIT_ORPHANED);
}

static void run_threads(struct ktstr_workload_handle *handle, size_t host)
{
	const struct ktstr_work_spec *spec = NULL;

	for (size_t i = 0; i < handle->count; i++) {
		struct worker_setup *setup = &handle->setups[i];
		int failure;

		if (setup->host != host)
			continue;
		spec = setup->spec;
		failure = worker_start_thread(setup);
		if (failure) {
			snprintf(setup->shared->report.exit_message, KTSTR_EXIT_MESSAGE_BYTES,
				 "its thread could not be started: %s", strerror(failure));
			work_tell_progress(setup->control, setup->shared, WORKER_LEFT);
		}
	}
	if (spec)
		become_owner(spec, handle->setups[0].parent);
	for (size_t i = 0; i < handle->count; i++)
		if (handle->setups[i].host == host && handle->setups[i].running)
			pthread_join(handle->setups[i].thread, NULL);
}

static struct worker_setup *only_worker(struct ktstr_workload_handle *handle, size_t host)
{
	for (size_t i = 0; i < handle->count; i++)
		if (handle->setups[i].host == host)
			return &handle->setups[i];
	abort();
}

_Noreturn void work_host_main(struct ktstr_workload_handle *handle, size_t host, const int *fds, size_t fds_count)
{
	const char *pcomm = handle->hosts[host].pcomm;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != handle->setups[0].parent) /* it died before the line above */
		_exit(EXIT_ORPHANED);
	setpgid(0, 0);
	set_up_signals();
	close_foreign_fds(fds, fds_count);
	volunteer_for_oom();
	if (pcomm) {
		prctl(PR_SET_NAME, pcomm);
		run_threads(handle, host);
	} else {
		worker_run(only_worker(handle, host));
	}
	/* One that was not let go says so by its exit code. */
	_exit(!pcomm && work_progress_of(handle, only_worker(handle, host)->index) == WORKER_LEFT);
}
