/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of our own inside programs that are not. */
#ifndef KTSTR_BASE_THREAD_H
#define KTSTR_BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/*
 * A thread with all signals blocked: they are for the threads of the program that wait for them. stack_bytes 0 = the usual
 * size. 0, or the number of the error.
 */
int ktstr_start_thread(pthread_t *thread, size_t stack_bytes, void *(*run)(void *), void *arg);

#endif
