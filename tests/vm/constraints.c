// SPDX-License-Identifier: GPL-2.0-only
/* Tests that are for some topologies: which of the presets they run on, and what they say of others. */
#include <ktstr.h>

KTSTR_SCHEDULER(spreading, .binary = "scx_ktstr", .constraints = { .min_llcs = 2, .requires_smt = true });

KTSTR_TEST(anywhere, .duration = KTSTR_MS(200))
{
}

/* Of the presets that is 4cpu-2llc-nosmt. */
KTSTR_TEST(separate_llcs, .constraints = { .min_llcs = 2, .max_cpus = 4 }, .duration = KTSTR_MS(200))
{
	KTSTR_CLAIM(ctx, ktstr_test_topology_num_llcs(ctx->topo), eq, 2u);
	KTSTR_CLAIM(ctx, ktstr_test_topology_total_cpus(ctx->topo), eq, 4u);
}

KTSTR_TEST(as_the_scheduler, .scheduler = &spreading)
{
}

KTSTR_TEST(nodes, .topology = { .numa_nodes = 2 }, .constraints = { .min_numa_nodes = 2, .max_numa_nodes = 2 })
{
}

KTSTR_TEST(nowhere, .constraints = { .min_cpus = 5, .max_cpus = 7 })
{
}
