/* SPDX-License-Identifier: GPL-2.0-only */
/* Where each CPU's time went, what its softirqs were, and where each node's pages came from. */
#ifndef KTSTR_OBSERVE_CPU_TIME_H
#define KTSTR_OBSERVE_CPU_TIME_H

#include <jansson.h>

#include "observe/kernel_view.h"

/* Arrays of PerCpuTimeStats and PerNodeNumaStats. New references. */
json_t *ktstr_per_cpu_time(const struct ktstr_kernel_view *view);
/* Empty with *reason (static text) when the kernel keeps no such counters. */
json_t *ktstr_per_node_numa(const struct ktstr_kernel_view *view, const char **reason);

#endif
