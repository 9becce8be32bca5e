// SPDX-License-Identifier: GPL-2.0-only
/* Starts threads; see thread.h. */
#include <signal.h>

#include "base/thread.h"

int ktstr_start_thread(pthread_t *thread, size_t stack_bytes, void *(*run)(void *), void *arg)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int failure;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	if (stack_bytes)
		pthread_attr_setstacksize(&attributes, stack_bytes);
	failure = pthread_create(thread, &attributes, run, arg);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failure;
}
