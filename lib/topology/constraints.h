/* SPDX-License-Identifier: GPL-2.0-only */
/* Constraints of tests and schedulers: inherited, checked, told to the host, and used to choose among presets. */
#ifndef KTSTR_TOPOLOGY_CONSTRAINTS_H
#define KTSTR_TOPOLOGY_CONSTRAINTS_H

#include <jansson.h>

#include "ktstr/topology.h"

/* Field by field: own, else base's, which may be NULL. */
struct ktstr_topology_constraints ktstr_constraints_inherit(const struct ktstr_topology_constraints *own,
							    const struct ktstr_topology_constraints *base);
/* Every bound filled in: what ktstr_topology_check_constraints() goes by. */
struct ktstr_topology_constraints ktstr_constraints_effective(const struct ktstr_topology_constraints *constraints);
/*
 * Only what was declared; a bound that nobody set bounds nothing. For a topology that somebody asks for: defaults are there
 * to choose among presets, and are no reason to refuse it.
 */
struct ktstr_topology_constraints ktstr_constraints_declared(const struct ktstr_topology_constraints *constraints);
/*
 * KTSTR_ERR_INVALID when a max is below its min, after inheritance and defaults. The message names the field, and where the
 * max is from unless it is own.
 */
struct ktstr_error *ktstr_constraints_validate(const struct ktstr_topology_constraints *own,
					       const struct ktstr_topology_constraints *base) KTSTR_CHECKED;

/*
 * Whether a test runs on a preset when it is to run on all: its constraints hold, and the guest has no more CPUs than
 * host_cpus (KTSTR_NO_MAX: any number). LLCs of the host do not count: no CPU of a guest is bound to one of the host.
 */
bool ktstr_constraints_accept_preset(const struct ktstr_topology_constraints *constraints,
				     const struct ktstr_topology *preset, unsigned int host_cpus);

/* {"min_llcs": 1, "max_llcs": null, ..., "requires_smt": false}; 0 is unset, null no upper bound. New reference. */
json_t *ktstr_constraints_to_json(const struct ktstr_topology_constraints *constraints);
struct ktstr_topology_constraints ktstr_constraints_from_json(const json_t *json);

#endif
