/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dump: everything that is read from a stopped guest, as one JSON document of schema "single" (docs/reference/
 * failure-dump). One malformed structure costs its own part, never the others.
 */
#ifndef KTSTR_OBSERVE_DUMP_H
#define KTSTR_OBSERVE_DUMP_H

#include <jansson.h>

#include "ktstr/dump.h"
#include "observe/kernel_view.h"

struct ktstr_dump_options {
	const json_t *vcpu_regs; /* of the stopped CPUs, or NULL; borrowed */
	const char *workload_cgroup; /* "/work": those below it are workloads; NULL = KTSTR_CGROUP_DEFAULT_PARENT. Borrowed */
	unsigned int hz; /* CONFIG_HZ of the kernel, 0 = unknown: how long tasks wait is left out */
	uint64_t deadline_ns; /* ktstr_now_ns() time after which parts are left out; 0 = none */
};

/* New reference. The guest should hold still meanwhile. */
json_t *ktstr_dump(const struct ktstr_kernel_view *view, const struct ktstr_dump_options *options);
/* A dump that could not be taken: every part says why. */
json_t *ktstr_dump_placeholder(const char *reason);

#endif
