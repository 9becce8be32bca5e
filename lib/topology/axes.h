/* SPDX-License-Identifier: GPL-2.0-only */
/* The four counts of a shape as letters of its text form, in the order of that text. */
#ifndef KTSTR_TOPOLOGY_AXES_H
#define KTSTR_TOPOLOGY_AXES_H

#include "ktstr/topology.h"

#define KTSTR_TOPOLOGY_AXES       4
#define KTSTR_TOPOLOGY_RIGHT_FORM "1n2l4c2t"

struct ktstr_topology_axis {
	char letter;
	const char *what;
	size_t offset; /* of its unsigned int in struct ktstr_topology */
};

extern const struct ktstr_topology_axis ktstr_topology_axes[KTSTR_TOPOLOGY_AXES];

/* Reads the four counts and nothing more: whether they make a machine is ktstr_topology_validate()'s to say. */
struct ktstr_error *ktstr_topology_parse_axes(const char *text, struct ktstr_topology *topology) KTSTR_CHECKED;

static inline unsigned int *ktstr_topology_axis_value(struct ktstr_topology *topology,
						      const struct ktstr_topology_axis *axis)
{
	return (unsigned int *)((char *)topology + axis->offset);
}

#endif
