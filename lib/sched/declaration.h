/* SPDX-License-Identifier: GPL-2.0-only */
/* What a scheduler's declaration may say, checked and made ready before anything boots. */
#ifndef KTSTR_SCHED_DECLARATION_H
#define KTSTR_SCHED_DECLARATION_H

#include "base/str.h"
#include "ktstr/scheduler.h"

/* KTSTR_ERR_INVALID names scheduler and field. */
struct ktstr_error *ktstr_scheduler_validate(const struct ktstr_scheduler *scheduler) KTSTR_CHECKED;
/* The further rules for one that a test stages: what must be there before the kernel boots comes too late. */
struct ktstr_error *ktstr_scheduler_validate_staged(const struct ktstr_scheduler *scheduler) KTSTR_CHECKED;

/* "/a//b/." -> "/a/b", heap. Must begin with '/', name at least one cgroup and have no "..". */
struct ktstr_error *ktstr_cgroup_path_normalise(const char *path, char **normal) KTSTR_CHECKED;

/*
 * Adds the cgroups that a scheduler with these NULL-terminated args wants to find: parent (NULL = none), and the value
 * of --cell-parent-cgroup, as scx_mitosis and others spell it.
 */
struct ktstr_error *ktstr_scheduler_cgroups(const char *parent, const char *const *args,
					    struct ktstr_strv *cgroups) KTSTR_CHECKED;

/* An argument of a scheduler is one line. */
struct ktstr_error *ktstr_scheduler_check_args(const char *const *args) KTSTR_CHECKED;

/* All that precedes the scheduler's own arguments: --config and the like, with the guest's paths. */
void ktstr_scheduler_config_args(const struct ktstr_scheduler *scheduler, struct ktstr_strv *args);

#endif
