// SPDX-License-Identifier: GPL-2.0-only
/* What plans and bodies ask their context for. */
#include "ktstr/scenario.h"

unsigned int ktstr_ctx_cpuset_cpus(const struct ktstr_ctx *ctx, struct ktstr_cpuset_spec spec)
{
	struct ktstr_cpus cpus = ktstr_cpuset_resolve(&spec, ctx->topo);

	return ktstr_cpus_count(&cpus);
}

struct ktstr_hold ktstr_ctx_settled_hold(const struct ktstr_ctx *ctx, double fraction)
{
	return ktstr_hold_fixed(ctx->settle_ns + (uint64_t)((double)ctx->duration_ns * fraction));
}

struct ktstr_cgroup_def ktstr_ctx_cgroup_def(const struct ktstr_ctx *ctx, const char *name)
{
	return (struct ktstr_cgroup_def){ .name = name, .workers = ctx->workers_per_cgroup };
}

struct ktstr_payload_run ktstr_ctx_payload(const struct ktstr_ctx *ctx, const struct ktstr_payload *payload)
{
	(void)ctx;
	return (struct ktstr_payload_run){ .payload = payload };
}

struct ktstr_work_spec ktstr_dfl_wl(const struct ktstr_ctx *ctx)
{
	return (struct ktstr_work_spec){ .workers = ctx->workers_per_cgroup };
}
