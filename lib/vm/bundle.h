/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bundles: cpio newc archives in memory, as the kernel unpacks an initramfs and our agent unpacks a job; and
 * the shared-library closure of a program that goes into one.
 */
#ifndef KTSTR_VM_BUNDLE_H
#define KTSTR_VM_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ktstr/error.h"

struct ktstr_bundle;

struct ktstr_error *ktstr_bundle_create(struct ktstr_bundle **bundle) KTSTR_CHECKED;
void ktstr_bundle_destroy(struct ktstr_bundle *bundle); /* accepts NULL */
/* guest_path absolute; parent directories are added; the same guest path twice keeps the first. */
struct ktstr_error *ktstr_bundle_add_data(struct ktstr_bundle *bundle, const char *guest_path,
					  unsigned int mode, const void *data, size_t length)
	KTSTR_CHECKED;
struct ktstr_error *ktstr_bundle_add_file(struct ktstr_bundle *bundle, const char *guest_path,
					  const char *host_path, unsigned int mode) KTSTR_CHECKED;
struct ktstr_error *ktstr_bundle_add_symlink(struct ktstr_bundle *bundle, const char *guest_path,
					     const char *target) KTSTR_CHECKED;
/*
 * The program at guest_path plus its ELF interpreter and every shared library it needs, at the paths where its
 * loader looks for them. KTSTR_ERR_INVALID: not an ELF executable of this machine ("<path> is not an ELF
 * executable: it begins with \"#!/bin\""); KTSTR_ERR_NOT_FOUND: a library that cannot be found, by name.
 */
struct ktstr_error *ktstr_bundle_add_program(struct ktstr_bundle *bundle, const char *guest_path,
					     const char *host_path) KTSTR_CHECKED;
/*
 * Colon-joined guest directories, heap, of all libraries so far that a loader does not search by itself ("" when
 * there are none): the runner's LD_LIBRARY_PATH. Needed because programs move to another path in the guest, so that
 * a RUNPATH with $ORIGIN leads nowhere, and because the guest has no ld.so.cache.
 */
struct ktstr_error *ktstr_bundle_library_path(struct ktstr_bundle *bundle, char **path) KTSTR_CHECKED;
/* The guest already has this path: it is left out of what is added from here on. */
struct ktstr_error *ktstr_bundle_assume(struct ktstr_bundle *bundle, const char *guest_path) KTSTR_CHECKED;
/* The same for the interpreter and the libraries of the program at host_path; they count in ktstr_bundle_library_path(). */
struct ktstr_error *ktstr_bundle_assume_closure(struct ktstr_bundle *bundle, const char *host_path)
	KTSTR_CHECKED;
/* Ends the archive; data stays owned by the bundle. Nothing can be added afterwards. */
struct ktstr_error *ktstr_bundle_finish(struct ktstr_bundle *bundle, const void **data,
					size_t *length) KTSTR_CHECKED;

/*
 * Host paths of the program's interpreter and libraries, absolute, without duplicates. What has been found out is
 * remembered in this process and those that it forks, until the program or a library changes; for one thread at a time.
 */
struct ktstr_error *ktstr_elf_closure(const char *host_path, struct ktstr_strv *paths) KTSTR_CHECKED;

#endif
