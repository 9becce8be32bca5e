/* SPDX-License-Identifier: GPL-2.0-only */
/* The RAM of a made-up guest: written to by a test, read through its kernel's view. */
#ifndef KTSTR_TESTS_GUEST_RAM_H
#define KTSTR_TESTS_GUEST_RAM_H

#include <stdlib.h>
#include <sys/mman.h>

#include "base/file.h"
#include "observe/kernel_view.h"
#include "unit.h"

/* Zeroes at physical address 0; the view's space has the memory and nothing else. Mapped. */
static inline char *make_guest_ram(struct ktstr_kernel_view *view, uint64_t bytes)
{
	const struct ktstr_ram_region region = { 0, bytes, 0 };
	char *ram;
	int fd;

	assert_ok(ktstr_memfd("test-ram", bytes, &fd));
	ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(ram != MAP_FAILED);
	view->memory = ktstr_guest_memory_create(fd, &region, 1);
	view->space = (struct ktstr_address_space){ .memory = view->memory };
	return ram;
}

/* With what the test has put into the view. */
static inline void end_guest_ram(struct ktstr_kernel_view *view, char *ram, uint64_t bytes)
{
	ktstr_symbols_destroy(view->symbols);
	ktstr_types_destroy(view->types);
	ktstr_guest_memory_destroy(view->memory);
	munmap(ram, bytes);
}

#endif
