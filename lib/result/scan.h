/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding sidecars: a run root has run directories one level down, a directory may also be given itself. What is no
 * sidecar, or a damaged one, is counted and named, never fatal.
 */
#ifndef KTSTR_RESULT_SCAN_H
#define KTSTR_RESULT_SCAN_H

#include <jansson.h>

#include "base/str.h"
#include "ktstr/error.h"

struct ktstr_scan_failure {
	char *path, *error;
	bool unreadable; /* the file could not be read; else its content is wrong */
};

/* walked = valid + failures. */
struct ktstr_scan {
	size_t walked, valid;
	struct ktstr_scan_failure *failures;
	size_t failures_count;
};

void ktstr_scan_deinit(struct ktstr_scan *scan);

/* Borrows both; an error ends the scan. */
typedef struct ktstr_error *(*ktstr_sidecar_fn)(void *context, const char *path, const json_t *sidecar);

/*
 * Calls visit for each valid sidecar in dir and in the directories directly below it (names with a leading dot are
 * none), in the order of their names. KTSTR_ERR_NOT_FOUND when dir is not there.
 */
struct ktstr_error *ktstr_scan_sidecars(const char *dir, ktstr_sidecar_fn visit, void *context,
					struct ktstr_scan *scan) KTSTR_CHECKED;

/* A sidecar's JSON when it has all that every sidecar must have; new reference. */
struct ktstr_error *ktstr_sidecar_read(const char *path, json_t **sidecar) KTSTR_CHECKED;

/* Is this the name of a sidecar file? */
bool ktstr_sidecar_name(const char *name);

#endif
