/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of a guest as a tree of values, by their BTF type. The tree is JSON, tagged by "kind": what dump files hold,
 * what `ktstr show` prints, and what snapshot accessors walk.
 *
 *   {"kind": "int"|"uint", "bits": 32, "value": 5}     {"kind": "bool", "value": true}   {"kind": "char", "value": 65}
 *   {"kind": "float", "bits": 64, "value": 0.5}        {"kind": "enum", "bits": 32, "value": 1, "variant": "X",
 *                                                        "is_signed": false}
 *   {"kind": "struct", "type_name": "t", "members": [{"name": "a", "value": ...}]}   (unions, data sections, too)
 *   {"kind": "array", "len": 3, "elements": [...]}     {"kind": "cpu_list", "cpus": "0-2,5"}
 *   {"kind": "ptr", "value": "0xffff888003a1c000"}     {"kind": "bytes", "hex": "00ff"}
 *   {"kind": "truncated", "needed": 16, "had": 8, "partial": ...}     {"kind": "unsupported", "reason": "..."}
 *
 * Addresses are hexadecimal text; so is an unsigned number above 2^63 - 1, as decimal text: JSON readers lose both.
 */
#ifndef KTSTR_OBSERVE_RENDER_H
#define KTSTR_OBSERVE_RENDER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "dump/number.h"

struct btf;

/*
 * Always a tree: what cannot be rendered is a node that says why. `have` may be fewer bytes than the type has. New
 * reference.
 */
json_t *ktstr_render(const struct btf *btf, uint32_t type_id, const void *bytes, size_t have);
/* The same of several that together have at most *left values, which is counted down. */
json_t *ktstr_render_within(const struct btf *btf, uint32_t type_id, const void *bytes, size_t have, unsigned int *left);
/* {"kind": "bytes", "hex": ...} */
json_t *ktstr_render_bytes(const void *bytes, size_t have);
/* Lower-case hexadecimal digits of the bytes; heap. */
char *ktstr_hex(const void *bytes, size_t count);

#endif
