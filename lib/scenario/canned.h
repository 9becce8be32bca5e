/* SPDX-License-Identifier: GPL-2.0-only */
/* What the plans of the built-in scenarios share. */
#ifndef KTSTR_SCENARIO_CANNED_H
#define KTSTR_SCENARIO_CANNED_H

#include "ktstr/scenarios.h"

/* Skips the scenario unless workloads may use that many CPUs: the last one of a machine with more than 2 is not theirs. */
bool canned_needs_usable_cpus(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor, unsigned int needed);
/* Skips the scenario unless the machine has that many CPUs. */
bool canned_needs_cpus(const struct ktstr_ctx *ctx, struct ktstr_plan_visitor *visitor, unsigned int needed);

/* KTSTR_PLAN() with a name for other files. */
#define KTSTR_PLAN_(id, ...)                                                                       \
	void id(const struct ktstr_ctx *ctx __attribute__((unused)), struct ktstr_plan_visitor *visitor) \
	{                                                                                          \
		ktstr_plan_visit(visitor, &(const struct ktstr_plan){ __VA_ARGS__ });              \
	}

/* The cgroup of a scenario that says nothing else: spinners, or what --work-type says. */
#define CANNED_DEF(id, ...) { .name = (id), .swappable = true __VA_OPT__(, ) __VA_ARGS__ }

#endif
