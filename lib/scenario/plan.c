// SPDX-License-Identifier: GPL-2.0-only
/* Plans that tests declare: handed over by their functions, run, or looked at on the machine they are meant for. */
#include <stdarg.h>
#include <stdlib.h>

#include "scenario/plan.h"
#include "scenario/engine.h"

void ktstr_plan_visit(struct ktstr_plan_visitor *visitor, const struct ktstr_plan *plan)
{
	if (visitor->visited)
		return;
	visitor->visited = true;
	visitor->plan(visitor->arg, plan);
}

void ktstr_plan_skip(struct ktstr_plan_visitor *visitor, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str reason = { 0 };
	va_list args;

	if (visitor->visited)
		return;
	visitor->visited = true;
	va_start(args, fmt);
	ktstr_str_vaddf(&reason, fmt, args);
	va_end(args);
	visitor->skip(visitor->arg, ktstr_str_text(&reason));
}

static void execute(void *arg, const struct ktstr_plan *plan)
{
	ktstr_execute_plan(arg, plan);
}

static void skip(void *arg, const char *reason)
{
	ktstr_skip(arg, "%s", reason);
}

void ktstr_run_plan(struct ktstr_ctx *ctx)
{
	struct ktstr_plan_visitor visitor = { execute, skip, ctx, false };

	if (ctx->plan)
		ctx->plan(ctx, &visitor);
	if (!visitor.visited)
		ktstr_fail(ctx, ctx->plan ? "the test's .plan visited nothing: it must call ktstr_plan_visit() or ktstr_plan_skip()" :
					    "ktstr_run_plan(): the test has no .plan");
}

void ktstr_plan_check(const struct ktstr_ctx *ctx, const struct ktstr_test_entry *test, const struct ktstr_plan *plan,
		      struct ktstr_strv *errors)
{
	struct ktstr_ctx copy = *ctx;
	struct paper_world paper;

	copy.result = (struct ktstr_assert_result){ 0 };
	copy.current_step = 0;
	paper_world_init(&paper, &copy, test);
	run_scenario(&paper.world, NULL, &plan->backdrop, plan->steps, plan->steps_count, errors);
	paper_world_deinit(&paper);
	ktstr_assert_result_deinit(&copy.result);
}

/* A context that says all a plan may ask for. The topology in it is the caller's to destroy. */
static struct ktstr_error *make_ctx(const struct ktstr_test_entry *test, const struct ktstr_plan_setting *setting,
				    struct ktstr_test_topology **topology, struct ktstr_ctx *ctx)
{
	KTSTR_TRY(ktstr_test_topology_from_spec(&setting->topology, test->memory_mib, topology));
	*ctx = (struct ktstr_ctx){
		.test_name = test->name,
		.topo = *topology,
		.duration_ns = setting->duration_ns,
		.settle_ns = KTSTR_DEFAULT_SETTLE_NS,
		.workers_per_cgroup = setting->workers_per_cgroup ? setting->workers_per_cgroup :
								    ktstr_test_topology_total_cpus(*topology),
		.scheduler = test->scheduler ? test->scheduler->name : KTSTR_SCHED_EEVDF.name,
		.plan = test->plan,
	};
	return NULL;
}

/* Looks at a plan while it is there. */
struct look {
	const struct ktstr_test_entry *test;
	const struct ktstr_ctx *ctx;
	struct ktstr_strv *errors;
	json_t *json; /* NULL = only errors are wanted */
};

static void look_at_plan(void *arg, const struct ktstr_plan *plan)
{
	struct look *look = arg;
	json_t *json;

	ktstr_plan_check(look->ctx, look->test, plan, look->errors);
	if (!look->json)
		return;
	json = ktstr_plan_to_json(look->ctx, plan);
	json_object_update(look->json, json);
	json_decref(json);
}

static void look_at_skip(void *arg, const char *reason)
{
	struct look *look = arg;

	if (look->json)
		json_object_set_new(look->json, "skip", json_string(reason));
}

static void look_at(struct look *look, const struct ktstr_plan_setting *setting)
{
	struct ktstr_plan_visitor visitor = { look_at_plan, look_at_skip, look, false };
	struct ktstr_test_topology *topology = NULL;
	struct ktstr_ctx ctx;
	struct ktstr_error *error = make_ctx(look->test, setting, &topology, &ctx);

	look->ctx = &ctx;
	if (!error)
		look->test->plan(&ctx, &visitor);
	if (!error && !visitor.visited)
		ktstr_strv_add(look->errors, "it visits nothing: it must call ktstr_plan_visit() or ktstr_plan_skip()");
	if (error)
		ktstr_strv_add(look->errors, ktstr_error_message(error));
	ktstr_error_free(error);
	ktstr_test_topology_destroy(topology);
}

void ktstr_test_plan_check(const struct ktstr_test_entry *test, const struct ktstr_plan_setting *setting,
			   struct ktstr_strv *errors)
{
	_cleanup_strv_ struct ktstr_strv found = { 0 };
	struct look look = { .test = test, .errors = &found };

	if (test->plan)
		look_at(&look, setting);
	for (size_t i = 0; i < found.count; i++)
		ktstr_strv_addf(errors, "test %s: .plan: %s", test->name, found.items[i]);
}

json_t *ktstr_test_plan_to_json(const struct ktstr_test_entry *test, const struct ktstr_plan_setting *setting)
{
	_cleanup_strv_ struct ktstr_strv found = { 0 };
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];
	struct look look = { .test = test, .errors = &found };
	json_t *errors;

	if (!test->plan)
		return NULL;
	look.json = json_pack("{ss ss ss sI si}", "test", test->name, "scheduler",
			      test->scheduler ? test->scheduler->name : KTSTR_SCHED_EEVDF.name, "topology",
			      ktstr_topology_format(&setting->topology, shape), "duration_ns",
			      (json_int_t)setting->duration_ns, "cpus",
			      (int)ktstr_topology_total_cpus(&setting->topology));
	look_at(&look, setting);
	errors = json_array();
	for (size_t i = 0; i < found.count; i++)
		json_array_append_new(errors, json_string(found.items[i]));
	json_object_set_new(look.json, "errors", errors);
	return look.json;
}
