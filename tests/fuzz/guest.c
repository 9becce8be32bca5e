// SPDX-License-Identifier: GPL-2.0-only
/* The guest of an image: its pages in memory of our own, so that they can be overwritten and put back. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "fuzz.h"

enum { PAGE = 4096, PATCHES = 64, PATCH_BYTES = 16 };

static struct patch {
	uint64_t physical;
	uint8_t length, before[PATCH_BYTES];
} patches[PATCHES];
static size_t patches_count;

static void must(struct ktstr_error *error)
{
	if (!error)
		return;
	fprintf(stderr, "fuzz: %s\n", ktstr_error_message(error));
	abort();
}

/* A copy of the file without its holes filled: an image is as large as the guest's RAM, and nearly empty. */
static char *copy_of(const char *path)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
	char *copy = ktstr_xasprintf("/dev/shm/ktstr-fuzz-%d", (int)getpid());
	_cleanup_close_ int to = open(copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stat st;
	off_t data = 0;

	if (from < 0 || to < 0 || fstat(from, &st) || ftruncate(to, st.st_size))
		must(ktstr_error_new(KTSTR_ERR_SYSTEM, "cannot copy %s", path));
	while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
		off_t hole = lseek(from, data, SEEK_HOLE);

		lseek(to, data, SEEK_SET);
		while (data < hole)
			if (sendfile(to, from, &data, (size_t)(hole - data)) <= 0)
				must(ktstr_error_new(KTSTR_ERR_SYSTEM, "cannot copy %s", path));
	}
	return copy;
}

void fuzz_guest_pages_of(struct fuzz_guest *guest, void (*walk)(const struct ktstr_kernel_view *view),
			 struct fuzz_pages *pages)
{
	size_t count;
	const struct ktstr_ram_region *regions = ktstr_guest_regions(guest->view->memory, &count);

	ktstr_guest_record(guest->view->memory);
	walk(guest->view);
	for (size_t i = 0; i < count; i++)
		for (uint64_t into = 0; into + PAGE <= regions[i].bytes; into += PAGE) {
			if (!ktstr_guest_was_read(guest->view->memory, regions[i].physical + into))
				continue;
			pages->all = ktstr_xrealloc(pages->all, (pages->count + 1) * sizeof(*pages->all));
			pages->all[pages->count++] = regions[i].physical + into;
		}
}

void fuzz_guest_open(struct fuzz_guest *guest)
{
	const char *image = ktstr_env("KTSTR_FUZZ_IMAGE"), *vmlinux = ktstr_env("KTSTR_FUZZ_VMLINUX");
	_cleanup_free_ char *copy = NULL;
	struct ktstr_guest_memory *memory;
	static struct ktstr_vmlinux *file; /* as long as the process */

	if (!image || !vmlinux) {
		fprintf(stderr, "fuzz: no KTSTR_FUZZ_IMAGE and KTSTR_FUZZ_VMLINUX: walkers are not fuzzed\n");
		return;
	}
	copy = copy_of(image);
	must(ktstr_guest_memory_of_writable_core(copy, &memory));
	unlink(copy);
	must(ktstr_vmlinux_load(vmlinux, &file));
	must(ktstr_kernel_view_open(memory, file, 0, &guest->view));
	fprintf(stderr, "fuzz: a guest with %u CPUs\n", guest->view->cpus);
}

void fuzz_guest_patch(struct fuzz_guest *guest, const struct fuzz_pages *pages, const uint8_t *input, size_t length)
{
	patches_count = 0;
	while (length > 5 && pages->count && patches_count < PATCHES) {
		struct patch *patch = &patches[patches_count];
		uint64_t page = (uint64_t)(input[0] | input[1] << 8) % pages->count;
		uint64_t offset = (uint64_t)(input[2] | input[3] << 8) % (PAGE - PATCH_BYTES);

		patch->physical = pages->all[page] + offset;
		patch->length = input[4] % PATCH_BYTES + 1;
		input += 5;
		length -= 5;
		if (patch->length > length || !ktstr_guest_peek(guest->view->memory, patch->physical, patch->before, patch->length))
			return;
		ktstr_guest_write(guest->view->memory, patch->physical, input, patch->length);
		patches_count++;
		input += patch->length;
		length -= patch->length;
	}
}

/* In reverse: patches may overlap. */
void fuzz_guest_restore(struct fuzz_guest *guest)
{
	while (patches_count) {
		const struct patch *patch = &patches[--patches_count];

		ktstr_guest_write(guest->view->memory, patch->physical, patch->before, patch->length);
	}
}
