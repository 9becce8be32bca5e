// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of a worker's own code: which signal, where and whose, written where the parent finds it after the process is
 * gone. A signal that somebody sent is none.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "work/workload.h"

__thread struct worker_shared *work_own_shared __attribute__((tls_model("initial-exec")));

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static void on_fault(int number, siginfo_t *info, void *context)
{
	bool own = info->si_code > 0 || (number == SIGABRT && info->si_pid == getpid());

	(void)context;
	if (own && work_own_shared) {
		work_own_shared->fault_address = number == SIGABRT ? 0 : (uintptr_t)info->si_addr;
		atomic_store(&work_own_shared->fault_signal, number);
	}
	/* Again, now with the default action: at once for a sent one, by the same instruction for a fault. */
	signal(number, SIG_DFL);
	if (info->si_code <= 0)
		raise(number);
}

void work_catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &action, NULL);
}

/* A stack that overflowed cannot carry the handler. */
void work_fault_stack(stack_t *before)
{
	size_t bytes = (size_t)sysconf(_SC_SIGSTKSZ);
	stack_t stack = { .ss_size = bytes, .ss_sp = ktstr_xmalloc(bytes) };

	sigaltstack(&stack, before);
}

void work_fault_stack_end(const stack_t *before)
{
	stack_t own;

	if (!sigaltstack(before, &own))
		free(own.ss_sp);
}
