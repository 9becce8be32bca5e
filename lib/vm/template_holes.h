/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holes of a template's RAM file. A clone's private mapping does not write to the file, but it fills holes: shared
 * memory allocates a page of the file for each hole that is touched, read or write, and keeps it. Such pages are zero
 * by nature, so that punching them out again is seen by nobody, not even by clones that run.
 */
#ifndef KTSTR_VM_TEMPLATE_HOLES_H
#define KTSTR_VM_TEMPLATE_HOLES_H

#include <jansson.h>
#include <stdint.h>

/* [[start, end], ...] in bytes: where the file has no data now. New reference. */
json_t *ktstr_holes_of(const char *ram_path);
/* Punches out what has come into these holes. */
void ktstr_holes_restore(const char *ram_path, const json_t *holes);
uint64_t ktstr_holes_bytes(const json_t *holes);

#endif
