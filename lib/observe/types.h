/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel types from BTF: where a member lies, by its path. What a kernel does not have is absent, not an error:
 * readers ask for members, never for versions.
 */
#ifndef KTSTR_OBSERVE_TYPES_H
#define KTSTR_OBSERVE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "ktstr/error.h"

struct btf;
struct ktstr_types;

/* Raw BTF, or an ELF file with a .BTF section (vmlinux). */
struct ktstr_error *ktstr_types_load(const char *path, struct ktstr_types **types) KTSTR_CHECKED;
void ktstr_types_destroy(struct ktstr_types *types);
/* BTF read from a guest: hostile bytes; split on base when that is not NULL (which must outlive it). */
struct ktstr_error *ktstr_types_parse(const void *data, uint32_t bytes, struct ktstr_types *base,
				      struct ktstr_types **types) KTSTR_CHECKED;
struct btf *ktstr_types_btf(const struct ktstr_types *types); /* borrowed */

/* A member within its struct. bytes is 0 for an array of no declared length. */
struct ktstr_field {
	bool found;
	uint32_t offset, bytes;
	uint32_t type_id; /* modifiers and typedefs peeled */
};

/*
 * "local_dsq.nr" of "scx_rq", through nested and anonymous members; "[n]" indexes an array. Of several structs of
 * a name, the largest that has the member counts. Bit fields are not found.
 */
struct ktstr_field ktstr_types_field(const struct ktstr_types *types, const char *struct_name, const char *path);
/* The same from a type id. */
struct ktstr_field ktstr_types_field_of(const struct ktstr_types *types, uint32_t type_id, const char *path);
/* Size of what a pointer type points to, 0 when it is no pointer or has no size. */
uint32_t ktstr_types_pointee_size(const struct ktstr_types *types, uint32_t pointer_type_id);
/* Size of a struct or union by name, 0 when there is none. */
uint32_t ktstr_types_size(const struct ktstr_types *types, const char *struct_name);
/* The value of an enumerator anywhere in the BTF. */
bool ktstr_types_enumerator(const struct ktstr_types *types, const char *name, int64_t *value);
/* Modifiers and typedefs peeled; gives up (returns 0) after 32 of them. */
uint32_t ktstr_types_peel(const struct ktstr_types *types, uint32_t type_id);

#endif
