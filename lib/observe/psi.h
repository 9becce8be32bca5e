/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pressure stall information (kernel/sched/psi.c) of the whole system and of each workload cgroup. The kernel folds what
 * its CPUs have counted into struct psi_group every 2 s while something runs, and when somebody reads a pressure file:
 * what is read here is as old as that.
 */
#ifndef KTSTR_OBSERVE_PSI_H
#define KTSTR_OBSERVE_PSI_H

#include <jansson.h>

#include "ktstr/units.h"
#include "observe/kernel_view.h"

/* Where a struct psi_group of this kernel has the values of a state. */
struct ktstr_psi_state {
	bool found;
	uint32_t avg10, total; /* offsets */
};

/* By its name in enum psi_states, which differs between configurations. */
struct ktstr_psi_state ktstr_psi_state_find(const struct ktstr_types *types, const char *name);

struct ktstr_psi {
	struct ktstr_opt_f64 avg10_pct;
	struct ktstr_opt_u64 total_ns;
};

/* group: address of a struct psi_group. Values that cannot be read are not set. */
struct ktstr_psi ktstr_psi_read(const struct ktstr_kernel_view *view, uint64_t group, const struct ktstr_psi_state *state);

/* Why the values of PSI_IRQ_FULL, looked up by the caller, tell nothing: static text. NULL: they do. */
const char *ktstr_psi_irq_unavailable(const struct ktstr_kernel_view *view, const struct ktstr_psi_state *irq);

struct ktstr_cgroup_pressures {
	json_t *list; /* of CgroupPsi, by name */
	bool truncated; /* there are more, or some could not be read */
	char *unavailable; /* why the list is empty */
	const char *irq_unavailable; /* why there is no irq_full in it; static text */
};

/* Of the cgroups below the one at `root` ("/ktstr"). */
void ktstr_cgroup_pressures(const struct ktstr_kernel_view *view, const char *root, struct ktstr_cgroup_pressures *found);
void ktstr_cgroup_pressures_deinit(struct ktstr_cgroup_pressures *found);

#endif
