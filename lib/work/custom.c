// SPDX-License-Identifier: GPL-2.0-only
/* Custom: a function of the test program as work, and what it sees of its worker. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "work/siblings.h"
#include "work/work_type.h"

/* What a function of the test program sees of its worker. */
struct ktstr_worker_ctx {
	struct worker *worker;
	struct work_siblings siblings;
	char *cgroup_dir;
	struct ktstr_cpus cpus;
};

struct worker *work_custom_worker(const struct ktstr_worker_ctx *ctx)
{
	return ctx->worker;
}

void ktstr_custom_cfg_set_blob(struct ktstr_custom_cfg *cfg, const void *data, size_t length)
{
	cfg->blob_length = length < sizeof(cfg->blob) ? length : sizeof(cfg->blob);
	memcpy(cfg->blob, data, cfg->blob_length);
}

bool ktstr_worker_should_stop(const struct ktstr_worker_ctx *ctx)
{
	return work_should_stop(ctx->worker);
}

const struct ktstr_custom_cfg *ktstr_worker_cfg(const struct ktstr_worker_ctx *ctx)
{
	return &ctx->worker->type->CUSTOM.cfg;
}

const int *ktstr_worker_siblings(const struct ktstr_worker_ctx *ctx, size_t *count)
{
	*count = ctx->siblings.count;
	return ctx->siblings.pids;
}

const char *ktstr_worker_cgroup_dir(const struct ktstr_worker_ctx *ctx)
{
	return ctx->cgroup_dir;
}

uint64_t ktstr_worker_random(const struct ktstr_worker_ctx *ctx)
{
	return work_random(ctx->worker);
}

uint64_t ktstr_worker_sleep_until(const struct ktstr_worker_ctx *ctx, uint64_t deadline_ns)
{
	return work_sleep_until(ctx->worker, deadline_ns);
}

void ktstr_worker_record_wake(const struct ktstr_worker_ctx *ctx, uint64_t latency_ns)
{
	work_record_wake(ctx->worker, latency_ns);
}

void ktstr_worker_record_cost(const struct ktstr_worker_ctx *ctx, uint64_t cost_ns)
{
	work_record(ctx->worker, WORK_COST, cost_ns);
}

void ktstr_worker_record_timer(const struct ktstr_worker_ctx *ctx, uint64_t lateness_ns)
{
	work_record(ctx->worker, WORK_TIMER, lateness_ns);
}

struct ktstr_cpus ktstr_worker_cpus(const struct ktstr_worker_ctx *ctx)
{
	return ctx->cpus;
}

int ktstr_worker_open_sibling_procs(const struct ktstr_worker_ctx *ctx, const char *name)
{
	if (ctx->cgroup_dir)
		return work_open_sibling_procs(ctx->cgroup_dir, name);
	errno = ENOENT;
	return -1;
}

void ktstr_worker_progress(const struct ktstr_worker_ctx *ctx, uint64_t work_units)
{
	ctx->worker->work_units += work_units;
	work_checkpoint_now(ctx->worker);
	work_iteration_done(ctx->worker);
}

static void run_custom(struct worker *w)
{
	struct ktstr_worker_ctx ctx = {
		.worker = w,
		.siblings = work_siblings_find(),
		.cgroup_dir = work_own_cgroup_dir(),
		.cpus = work_own_affinity(),
	};

	w->type->CUSTOM.fn(&ctx);
	work_siblings_free(&ctx.siblings);
	free(ctx.cgroup_dir);
}

static struct ktstr_error *validate_custom(const struct ktstr_work_type *type, unsigned int group_idx)
{
	if (type->CUSTOM.fn && type->CUSTOM.name && *type->CUSTOM.name)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "Custom (group %u) requires a .name and a .fn", group_idx);
}

const struct work_type_ops work_custom_ops = {
	.name = "Custom",
	.pressure = "what a function of the test program does",
	.unit = "what that function counts",
	.validate = validate_custom,
	.unnamed = true,
	.run = run_custom,
};
