/* SPDX-License-Identifier: GPL-2.0-only */
/* A context of a small machine for plans on paper and in worlds made of paper. */
#ifndef KTSTR_TESTS_PLAN_FIXTURE_H
#define KTSTR_TESTS_PLAN_FIXTURE_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/engine.h"
#include "scenario/plan.h"
#include "unit.h"

struct machine {
	struct ktstr_test_topology *topology;
	struct ktstr_ctx ctx;
};

/* 1 s, 100 ms of settling, 2 workers per cgroup. */
static inline void machine_init(struct machine *machine, const char *shape)
{
	struct ktstr_topology topology;

	assert_ok(ktstr_topology_parse(shape, &topology));
	assert_ok(ktstr_test_topology_from_spec(&topology, 1024, &machine->topology));
	machine->ctx = (struct ktstr_ctx){
		.test_name = "unit",
		.scheduler = "eevdf",
		.topo = machine->topology,
		.duration_ns = KTSTR_SEC(1),
		.settle_ns = KTSTR_MS(100),
		.workers_per_cgroup = 2,
		.limits = ktstr_default_limits(false),
	};
}

static inline void machine_deinit(struct machine *machine)
{
	ktstr_assert_result_deinit(&machine->ctx.result);
	ktstr_test_topology_destroy(machine->topology);
}

#endif
