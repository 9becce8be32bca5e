// SPDX-License-Identifier: GPL-2.0-only
/* The order of a scenario: checks, backdrop, steps, teardown; and the executors, which run one on this machine. */
#include <endian.h>
#include <string.h>

#include "scenario/engine.h"
#include "wire/frame.h"

struct ktstr_error *engine_pass(struct engine *engine, struct ktstr_error *error)
{
	_cleanup_free_ char *line = NULL;

	if (!error || !engine->errors)
		return error;
	line = ktstr_xasprintf("%s: %s", engine->where, ktstr_error_message(error));
	ktstr_error_free(error);
	if (!ktstr_strv_contains(engine->errors, line)) /* a loop would repeat itself */
		ktstr_strv_add(engine->errors, line);
	return NULL;
}

/* True when there was an error, which is then part of the verdict, or of the list. */
static bool failed(struct engine *engine, struct ktstr_error *error, const char *what)
{
	if (!error)
		return false;
	if (engine->errors)
		ktstr_error_free(engine_pass(engine, error));
	else
		ktstr_fail_error(engine->ctx, ktstr_error_wrap(error, "%s", what));
	return true;
}

/* Before anything runs. */
static bool check_all(struct engine *engine, const struct ktstr_backdrop *backdrop, const struct ktstr_step *steps,
		      size_t count)
{
	bool bad = false;

	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *where = ktstr_xasprintf("step %zu", i);
		_cleanup_free_ char *what = ktstr_xasprintf("step %zu hold validation", i);

		engine->where = where;
		bad |= failed(engine, check_hold(&steps[i].hold), what);
	}
	engine->where = "backdrop";
	for (size_t i = 0; backdrop->payloads && backdrop->payloads[i]; i++)
		if (backdrop->payloads[i]->kind != KTSTR_PAYLOAD_BINARY)
			bad |= failed(engine,
				      ktstr_error_new(KTSTR_ERR_INVALID,
						      "payload %s is of kind SCHEDULER and cannot be run; it belongs into the test's "
						      ".scheduler",
						      backdrop->payloads[i]->name),
				      "Backdrop setup failed");
	return !bad;
}

static struct ktstr_error *set_up_backdrop(struct engine *engine, const struct ktstr_backdrop *backdrop)
{
	KTSTR_IN_PHASE(KTSTR_PHASE_BASELINE);

	engine->where = "backdrop";
	engine->local = &engine->backdrop;
	KTSTR_TRY(apply_setup(engine, &backdrop->setup));
	KTSTR_TRY(run_ops(engine, backdrop->ops, backdrop->ops_count));
	for (size_t i = 0; backdrop->payloads && backdrop->payloads[i]; i++)
		KTSTR_TRY(engine_pass(engine, start_payload(engine, backdrop->payloads[i], NULL, NULL)));
	engine->local = &engine->step;
	return NULL;
}

static double seconds_since_start(struct engine *engine)
{
	return (double)(WORLD(engine, now_ns) - engine->began_ns) / 1e9;
}

/* The host knows more about the death of a scheduler, and then replaces this detail. */
static void record_death(struct engine *engine, size_t after, size_t count)
{
	const char *name = engine->ctx->scheduler ? engine->ctx->scheduler : "under test";

	if (after < count)
		ktstr_assert_record(&engine->ctx->result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON,
				    "scheduler %s went away after step %zu of %zu, %.1f s into the scenario", name, after, count,
				    seconds_since_start(engine));
	else
		ktstr_assert_record(&engine->ctx->result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON,
				    "scheduler %s went away after all %zu steps, %.1f s into the scenario", name, count,
				    seconds_since_start(engine));
}

/* True while all is well. */
static bool run_steps(struct engine *engine, const struct ktstr_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *where = ktstr_xasprintf("step %zu", i);
		_cleanup_free_ char *what = ktstr_xasprintf("step %zu failed", i);
		bool alive = true;

		if (i && !scheduler_alive(engine)) {
			record_death(engine, i, count);
			return false;
		}
		engine->where = where;
		if (failed(engine, run_step(engine, &steps[i], i, &alive), what))
			return false;
		if (!alive) {
			record_death(engine, i + 1, count);
			return false;
		}
	}
	return true;
}

/* u64 elapsed_ms, u64 total iterations so far. */
static void send_end(struct engine *engine)
{
	uint64_t payload[2] = { htole64((WORLD(engine, now_ns) - engine->began_ns) / KTSTR_MS(1)),
				htole64(engine->finished_iterations) };

	for (size_t i = 0; i < engine->backdrop.workloads_count; i++)
		payload[1] += WORLD(engine, workload_iterations, engine->backdrop.workloads[i].handle);
	TELL_WORLD(engine, send_frame, KTSTR_FRAME_SCENARIO_END, payload, sizeof(payload));
}

static void await_map_write(struct engine *engine)
{
	struct ktstr_error *error;

	if (!engine->ctx->wait_for_map_write)
		return;
	error = TRY_WORLD(engine, await_map_write);
	if (error)
		ktstr_note(engine->ctx, "went on without the host's write to a BPF map: %s", ktstr_error_message(error));
	ktstr_error_free(error);
}

static void run_marked(struct engine *engine, const struct ktstr_backdrop *backdrop, const struct ktstr_step *steps,
		       size_t count)
{
	bool well;

	TELL_WORLD(engine, send_frame, KTSTR_FRAME_SCENARIO_START, NULL, 0);
	await_map_write(engine);
	engine->began_ns = WORLD(engine, now_ns);
	well = !failed(engine, set_up_backdrop(engine, backdrop), "Backdrop setup failed") &&
	       run_steps(engine, steps, count);
	send_end(engine);
	if (well && !scheduler_alive(engine))
		record_death(engine, count, count);
	__atomic_store_n(&engine->ctx->current_step, 0, __ATOMIC_RELEASE);
	tear_down(engine, &engine->backdrop);
	ktstr_scenario_stats_derive(&engine->ctx->result.stats);
}

void run_scenario(struct world *world, const struct ktstr_assert *assert, const struct ktstr_backdrop *backdrop,
		  const struct ktstr_step *steps, size_t count, struct ktstr_strv *errors)
{
	struct engine engine = {
		.world = world,
		.ctx = world->ctx,
		.assert = assert ? assert : &world->ctx->assert,
		.errors = errors,
		.where = "plan",
	};

	engine.local = &engine.step;
	/* On paper a bad hold is no reason not to look at the rest. */
	if (check_all(&engine, backdrop, steps, count) || errors)
		run_marked(&engine, backdrop, steps, count);
	ktstr_strv_deinit(&engine.watches);
}

void ktstr_execute_scenario_with(struct ktstr_ctx *ctx, const struct ktstr_backdrop *backdrop,
				 const struct ktstr_step *steps, size_t count, const struct ktstr_assert *assert)
{
	struct world live = { &live_world_ops, ctx };

	run_scenario(&live, assert, backdrop, steps, count, NULL);
}

void ktstr_execute_scenario(struct ktstr_ctx *ctx, const struct ktstr_backdrop *backdrop, const struct ktstr_step *steps,
			    size_t count)
{
	ktstr_execute_scenario_with(ctx, backdrop, steps, count, NULL);
}

void ktstr_execute_steps_with(struct ktstr_ctx *ctx, const struct ktstr_step *steps, size_t count,
			      const struct ktstr_assert *assert)
{
	ktstr_execute_scenario_with(ctx, &KTSTR_BACKDROP_EMPTY, steps, count, assert);
}

void ktstr_execute_steps(struct ktstr_ctx *ctx, const struct ktstr_step *steps, size_t count)
{
	ktstr_execute_steps_with(ctx, steps, count, NULL);
}

void ktstr_execute_defs(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *defs, size_t count)
{
	const struct ktstr_step step = ktstr_step_with_defs(defs, count, ktstr_hold_full());

	ktstr_execute_steps(ctx, &step, 1);
}

void ktstr_run_cgroups(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *defs, size_t count)
{
	ktstr_execute_defs(ctx, defs, count);
}

void ktstr_execute_plan(struct ktstr_ctx *ctx, const struct ktstr_plan *plan)
{
	ktstr_execute_scenario(ctx, &plan->backdrop, plan->steps, plan->steps_count);
}

unsigned int ktstr_current_step(const struct ktstr_ctx *ctx)
{
	return __atomic_load_n(&ctx->current_step, __ATOMIC_ACQUIRE);
}
