/* SPDX-License-Identifier: GPL-2.0-only */
/* What other rooms take from this one. */
#ifndef KTSTR_PAYLOAD_PAYLOAD_H
#define KTSTR_PAYLOAD_PAYLOAD_H

#include <jansson.h>

#include "ktstr/error.h"

/*
 * The file that an include spec means: a bare name in the working directory, in beside_dir (may be NULL), then in
 * PATH; a path as it is. Absolute, heap. KTSTR_ERR_NOT_FOUND says where was looked.
 */
struct ktstr_error *ktstr_include_find(const char *spec, const char *beside_dir, char **path) KTSTR_CHECKED;

/* The same for a file that is no program: PATH is not searched. */
struct ktstr_error *ktstr_data_file_find(const char *spec, const char *beside_dir, char **path) KTSTR_CHECKED;

/*
 * A run's record (payload_record_to_json()) as it came from a guest or a file, checked: only known keys, types and
 * sizes as they must be. New reference in *clean.
 */
struct ktstr_error *ktstr_payload_record_clean(const json_t *json, json_t **clean) KTSTR_CHECKED;

#endif
