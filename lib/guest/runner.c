// SPDX-License-Identifier: GPL-2.0-only
/* Runs one test body inside the guest and sends its verdict as a frame. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "check/result_json.h"
#include "check/stats_build.h"
#include "guest/frozen_link.h"
#include "guest/job.h"
#include "guest/registry.h"
#include "guest/runner.h"
#include "scenario/plan.h"
#include "sched/live.h"
#include "wire/program.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* Read while the program was held: many files of sysfs that a clone is spared. */
static struct ktstr_test_topology *topology_read_before;

/* The "test" object of the job: what the host decided for this run. */
static void apply_job(struct ktstr_ctx *ctx, const json_t *job_test)
{
	const char *scheduler = json_string_value(json_object_get(job_test, "scheduler"));
	const char *sched_pid = ktstr_env(KTSTR_SCHED_PID_ENV);
	unsigned int workers =
		(unsigned int)json_integer_value(json_object_get(job_test, "workers_per_cgroup"));

	ctx->duration_ns = (uint64_t)json_integer_value(json_object_get(job_test, "duration_ns"));
	ctx->seed = (uint64_t)json_integer_value(json_object_get(job_test, "seed"));
	ctx->limits = ktstr_default_limits(json_is_true(json_object_get(job_test, "strict")));
	ctx->scheduler = scheduler ? scheduler : KTSTR_SCHED_EEVDF.name;
	ctx->sched_pid = sched_pid ? atoi(sched_pid) : 0;
	if (!json_object_get(job_test, "host_cgroup"))
		ctx->live = ktstr_live_schedulers_create(ctx->scheduler);
	if (json_is_true(json_object_get(job_test, "log_passes")))
		ctx->result.log_passes = KTSTR_ON;
	ctx->perturb = json_is_true(json_object_get(job_test, "perturb"));
	ctx->settle_ns = KTSTR_DEFAULT_SETTLE_NS;
	ctx->workers_per_cgroup =
		workers ? workers : ktstr_test_topology_total_cpus(ctx->topo);
}

/* The work of swappable cgroups, as the host's command line has it. */
static struct ktstr_error *apply_work_type(struct ktstr_ctx *ctx, const json_t *job_test)
{
	static struct ktstr_work_type type;
	const char *name = json_string_value(json_object_get(job_test, "work_type"));

	if (!name)
		return NULL;
	if (!ktstr_work_type_from_name(name, &type))
		return ktstr_error_new(KTSTR_ERR_INVALID, "this test program knows no work type \"%s\": rebuild it", name);
	ctx->work_type_override = &type;
	return NULL;
}

/* A kernel without the driver leaves a test without them, whose work would quietly go over the loopback. */
static struct ktstr_error *find_networks(const struct ktstr_test_entry *test)
{
	char name[KTSTR_NET_INTERFACE_BYTES];

	for (size_t i = 0; i < test->networks.count; i++)
		KTSTR_TRY(ktstr_net_interface(test->networks.items[i].mac, name));
	return NULL;
}

static struct ktstr_error *prepare(const struct ktstr_test_entry *test, const json_t *job_test,
				   struct ktstr_test_topology **topo,
				   struct ktstr_cgroup_manager **cgroups, struct ktstr_ctx *ctx)
{
	static const char *const controllers[] = { "cpuset", "cpu" };
	const char *root = json_string_value(json_object_get(job_test, "root_cgroup"));
	const char *on_host = json_string_value(json_object_get(job_test, "host_cgroup"));
	_cleanup_free_ char *parent = ktstr_xasprintf(CGROUP_MOUNT "%s", root ? root : "");
	const char *walk_root = on_host ? ktstr_env("KTSTR_CGROUP_WALK_ROOT") : NULL;

	*topo = ktstr_take(topology_read_before);
	if (!*topo)
		KTSTR_TRY(ktstr_test_topology_from_system(NULL, topo));
	KTSTR_TRY_WRAP(find_networks(test), ".networks");
	KTSTR_TRY(ktstr_cgroup_manager_create(on_host ? on_host : root ? parent : NULL, cgroups));
	if (walk_root)
		KTSTR_TRY_WRAP(ktstr_cgroup_manager_set_walk_root(*cgroups, walk_root), "$KTSTR_CGROUP_WALK_ROOT");
	KTSTR_TRY(ktstr_cgroup_setup(*cgroups, controllers, 2));
	*ctx = (struct ktstr_ctx){
		.test_name = test->name,
		.topo = *topo,
		.cgroups = *cgroups,
		.assert = ktstr_test_checks_of(test),
		.wait_for_map_write = test->bpf_map_write && test->bpf_map_write->map_suffix,
		.plan = test->plan,
	};
	apply_job(ctx, job_test);
	return apply_work_type(ctx, job_test);
}

static char *result_text(const struct ktstr_assert_result *result)
{
	json_t *json = json_pack("{so}", "verdict", ktstr_assert_result_to_json(result));
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

/* A verdict that does not fit a frame goes without the raw samples of its phases: what they come to stays. */
static void send_result(struct ktstr_assert_result *result)
{
	char *text = result_text(result);

	if (text && strlen(text) > KTSTR_FRAME_MAX_PAYLOAD) {
		free(text);
		ktstr_scenario_stats_strip(&result->stats);
		text = result_text(result);
	}
	ktstr_wire_send(KTSTR_FRAME_RESULT, text ? text : "", text ? strlen(text) : 0);
	free(text);
}

bool ktstr_guest_hold(void)
{
	struct ktstr_error *error = ktstr_test_topology_from_system(NULL, &topology_read_before);
	char byte = 0;
	bool go;

	/* What is wrong with it the test will be told. */
	ktstr_error_free(error);
	go = write(KTSTR_HOLD_FD, &byte, 1) == 1 && read(KTSTR_HOLD_FD, &byte, 1) == 1;

	close(KTSTR_HOLD_FD);
	return go;
}

/* For what the test starts; a program that was held has that of an earlier job, with fewer libraries to look for. */
static void apply_environment(const json_t *job)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(job, "env"), i, item) {
		const char *text = json_string_value(item), *equals = text ? strchr(text, '=') : NULL;
		_cleanup_free_ char *name = equals ? strndup(text, (size_t)(equals - text)) : NULL;

		if (name)
			setenv(name, equals + 1, 1);
	}
}

int ktstr_guest_run(const char *job_path)
{
	json_error_t parse_error;
	json_t *job = json_load_file(job_path, 0, &parse_error);
	const json_t *job_test = json_object_get(job, "test");
	const char *name = json_string_value(json_object_get(job_test, "name"));
	const struct ktstr_test_entry *test = name ? ktstr_find_test(name) : NULL;
	struct ktstr_test_topology *topo = NULL;
	struct ktstr_cgroup_manager *cgroups = NULL;
	struct ktstr_ctx ctx = { 0 };
	struct ktstr_error *error;

	if (!test) {
		fprintf(stderr, "ktstr: %s names no test of this program (%s)\n", job_path,
			name ? name : parse_error.text);
		json_decref(job);
		return KTSTR_EXIT_FAIL;
	}
	apply_environment(job);
	frozen_link_set_up();
	error = prepare(test, job_test, &topo, &cgroups, &ctx);
	if (!ktstr_fail_error(&ctx, error)) {
		ktstr_wire_send(KTSTR_FRAME_BODY_START, NULL, 0);
		if (test->body)
			test->body(&ctx);
		else
			ktstr_run_plan(&ctx);
	}
	send_result(&ctx.result);
	ktstr_assert_result_deinit(&ctx.result);
	ktstr_live_schedulers_destroy(ctx.live);
	ktstr_cgroup_manager_destroy(cgroups);
	ktstr_test_topology_destroy(topo);
	json_decref(job);
	return KTSTR_EXIT_PASS;
}
