/* SPDX-License-Identifier: GPL-2.0-only */
/* Which scheduler binary a name or path means on this host. */
#ifndef KTSTR_SCHED_RESOLVE_H
#define KTSTR_SCHED_RESOLVE_H

#include "base/str.h"
#include "ktstr/error.h"
#include "sched/info.h"

/* A scheduler as it will be started. Strings heap, owned. */
struct ktstr_sched_choice {
	char *label; /* in output and results */
	char *path; /* absolute; NULL = EEVDF */
	const char *resolve_source; /* "path", "env_var", "path_lookup", NULL for EEVDF; static */
	struct ktstr_strv args;
	struct ktstr_strv cgroups; /* that it wants to find */
	const struct ktstr_sched_info *info; /* what its declaration says besides; borrowed; NULL = there is none */
};

void ktstr_sched_choice_deinit(struct ktstr_sched_choice *choice);

/*
 * binary: NULL, "" or "eevdf" = EEVDF; with a '/' a path; else a name: $KTSTR_SCHEDULER_BIN_<NAME>,
 * $KTSTR_SCHEDULER, then search_dirs, beside ktstr, PATH. label NULL = the file's name. Errors name the path or
 * every place that was searched.
 */
struct ktstr_error *ktstr_sched_resolve(const char *binary, const char *label,
					const struct ktstr_strv *search_dirs,
					struct ktstr_sched_choice *choice) KTSTR_CHECKED;

/* The libbpf verifier log marker in a scheduler's output: the kernel rejected a program. */
const char *ktstr_sched_verifier_log(const char *log);

#endif
