/* SPDX-License-Identifier: GPL-2.0-only */
/* A scheduler as a test program describes it to the host. */
#ifndef KTSTR_SCHED_INFO_H
#define KTSTR_SCHED_INFO_H

#include <jansson.h>

#include "base/str.h"
#include "ktstr/error.h"

/* Strings heap, owned. Paths are the guest's unless said otherwise. */
struct ktstr_sched_info {
	char *name;
	char *binary; /* name or host path; NULL = EEVDF, or with enable one of the kernel's own */
	struct ktstr_strv args; /* all of them, config file options first */
	struct ktstr_strv kargs;
	struct ktstr_strv sysctls; /* "key=value" */
	struct ktstr_strv enable, disable; /* shell commands */
	char *cgroup_parent; /* NULL = none */
	struct ktstr_strv includes; /* host files or directories for KTSTR_INCLUDE_DIR */
	struct ktstr_strv kernels; /* filters */
	char *config_path, *config_text; /* a file to write; NULL = none */
};

/* Zeroes first; what came of it is to be deinited on failure, too. */
struct ktstr_error *ktstr_sched_info_read(const json_t *json, struct ktstr_sched_info *info) KTSTR_CHECKED;
void ktstr_sched_info_deinit(struct ktstr_sched_info *info);

#endif
