// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs inside QEMU (LD_PRELOAD): no CPU keeps a translation of code that another CPU has written over.
 *
 * When a CPU stores to memory that holds translated code, QEMU with a thread a CPU throws the translations away and then
 * stores. A CPU that comes to that code in between translates once more what is about to go, and nothing throws that
 * away. Linux patches its text under a breakpoint which it takes away last, so what stays is the breakpoint: "Oops: int3"
 * at the next CPU that passes. (QEMU 10.0.2 and 11.1.3, notdirty_write() in accel/tcg/cputlb.c. On a host with half as
 * many CPUs as the guest, one crash in two minutes of switching a static key of the scheduler's hot path.)
 *
 * QEMU has a trace event of such a store, which the CPU's thread prints before it. Here it is not printed: the thread is
 * asked to throw away the translations of those bytes again when it next leaves translated code, which is at the end of
 * the block that the store is in: after the store, and before the CPU tells any other that it has been made.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/coherence.h"

typedef void (*work_fn)(void *cpu, uint64_t data);

static int (*real_vfprintf)(FILE *, int, const char *, va_list);
/* QEMU's own, which it exports for its modules. The last argument of the first is a union of eight bytes. */
static void (*async_run_on_cpu)(void *cpu, work_fn work, uint64_t data);
static union {
	void *symbol;
	void (*of_range)(uint64_t first, uint64_t last); /* 10.0 */
	void (*of_range_by_cpu)(void *cpu, uint64_t first, uint64_t last); /* 10.1 and later */
} invalidate;
static bool names_cpu;

__attribute__((constructor)) static void find_functions(void)
{
	const char *form = getenv(KTSTR_COHERENCE_FORM);

	*(void **)&real_vfprintf = dlsym(RTLD_NEXT, "__vfprintf_chk");
	if (!real_vfprintf)
		abort();
	*(void **)&async_run_on_cpu = dlsym(RTLD_DEFAULT, "async_run_on_cpu");
	invalidate.symbol = dlsym(RTLD_DEFAULT, "tb_invalidate_phys_range");
	names_cpu = form && !strcmp(form, KTSTR_COHERENCE_BY_CPU);
}

/* A store is within a page: its address in the machine's RAM and its size go into one word. */
enum { SIZE_BITS = 13 };

static void invalidate_again(void *cpu, uint64_t store)
{
	uint64_t first = store >> SIZE_BITS, last = first + (store & ((1u << SIZE_BITS) - 1)) - 1;

	if (names_cpu)
		invalidate.of_range_by_cpu(cpu, first, last);
	else
		invalidate.of_range(first, last);
}

static void before_store(uint64_t ram_address, unsigned int size)
{
	static __thread void **current_cpu;

	if (!async_run_on_cpu || !invalidate.symbol)
		return;
	if (!current_cpu)
		current_cpu = dlsym(RTLD_DEFAULT, "current_cpu"); /* a variable of the thread */
	if (current_cpu && *current_cpu)
		async_run_on_cpu(*current_cpu, invalidate_again, ram_address << SIZE_BITS | size);
}

/* What QEMU prints its trace with. */
int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments)
{
	static const char event[] = KTSTR_COHERENCE_EVENT " ";
	uint64_t ram_address;

	if (strncmp(format, event, strlen(event)))
		return real_vfprintf(file, flag, format, arguments);
	(void)va_arg(arguments, uint64_t); /* the virtual address */
	ram_address = va_arg(arguments, uint64_t);
	before_store(ram_address, va_arg(arguments, unsigned int));
	return 0;
}
