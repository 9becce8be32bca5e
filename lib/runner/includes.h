/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that a test wants in its guest: programs of payloads with their libraries, data files, directories. */
#ifndef KTSTR_RUNNER_INCLUDES_H
#define KTSTR_RUNNER_INCLUDES_H

#include <stdbool.h>
#include <stddef.h>

#include "ktstr/error.h"
#include "vm/bundle.h"

/* As a declaration names it. */
struct ktstr_include_spec {
	char *spec; /* bare name or path */
	char *owner; /* "payload fio", ".extra_include_files": who wants it */
	char *package; /* that has it; NULL = not known */
	bool program; /* it will be executed */
};

void ktstr_include_spec_deinit(struct ktstr_include_spec *spec);

struct ktstr_includes {
	struct ktstr_include {
		char *guest_path, *host_path, *owner;
	} *items;
	size_t count;
};

/*
 * Looks a spec up (see ktstr_include_find()) and adds the file as KTSTR_INCLUDE_DIR/<its name>, a directory with
 * everything below it. The same file again adds nothing; another file of that name is KTSTR_ERR_INVALID naming both,
 * and so is a program that is no ELF executable.
 */
struct ktstr_error *ktstr_includes_add(struct ktstr_includes *includes, const struct ktstr_include_spec *spec,
				       const char *beside_dir) KTSTR_CHECKED;
/* The same guest path for two files of the host: KTSTR_ERR_INVALID naming both. */
struct ktstr_error *ktstr_includes_check(const struct ktstr_include *a, const struct ktstr_include *b) KTSTR_CHECKED;
/* A file under a path of its own in the guest. */
struct ktstr_error *ktstr_includes_add_file(struct ktstr_includes *includes, const char *guest_path,
					    const char *host_path, const char *owner) KTSTR_CHECKED;
/* Executables bring the shared libraries they need. */
struct ktstr_error *ktstr_includes_bundle(const struct ktstr_includes *includes, struct ktstr_bundle *bundle)
	KTSTR_CHECKED;
void ktstr_includes_deinit(struct ktstr_includes *includes);

#endif
