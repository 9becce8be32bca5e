/* SPDX-License-Identifier: GPL-2.0-only */
/* Declared machines as JSON: how a test program tells the host which one it wants. */
#ifndef KTSTR_TOPOLOGY_JSON_H
#define KTSTR_TOPOLOGY_JSON_H

#include <jansson.h>

#include "ktstr/topology.h"

/* {"shape": "2n3l1c1t", "nodes": [...] or null, "distances": [n*n numbers] or null}; a new reference. */
json_t *ktstr_topology_to_json(const struct ktstr_topology *topology);
/*
 * Reads it back and validates the whole. KTSTR_ERR_CORRUPT without a shape or with distances that are no square; else
 * as ktstr_topology_validate(). The caller ends it with ktstr_topology_deinit() either way.
 */
struct ktstr_error *ktstr_topology_from_json(const json_t *json, struct ktstr_topology *topology) KTSTR_CHECKED;
/* Frees the nodes and distances of one that was read. */
void ktstr_topology_deinit(struct ktstr_topology *topology);

#endif
