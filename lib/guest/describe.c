// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test program describes itself as JSON, so that the host runs tests from data and never loads the
 * program's code.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "check/perf_delta.h"
#include "check/result_json.h"
#include "disk/disk.h"
#include "guest/registry.h"
#include "net/config.h"
#include "sched/declaration.h"
#include "topology/constraints.h"
#include "topology/json.h"

enum { DEFAULT_MEMORY_MIB = 2048 };

struct ktstr_plan_setting ktstr_test_plan_setting(const struct ktstr_test_entry *test)
{
	return (struct ktstr_plan_setting){
		.topology = ktstr_test_topology_of(test),
		.duration_ns = test->duration ? test->duration : KTSTR_DEFAULT_DURATION,
		.workers_per_cgroup = test->workers_per_cgroup,
	};
}

static json_t *describe_strings(const char *const *first, const char *const *second)
{
	json_t *array = json_array();

	for (size_t i = 0; first && first[i]; i++)
		json_array_append_new(array, json_string(first[i]));
	for (size_t i = 0; second && second[i]; i++)
		json_array_append_new(array, json_string(second[i]));
	return array;
}

static json_t *describe_args(const struct ktstr_scheduler *scheduler, const char *const *extra_args)
{
	_cleanup_strv_ struct ktstr_strv config = { 0 };
	json_t *own = describe_strings(scheduler->args, extra_args), *all;

	ktstr_scheduler_config_args(scheduler, &config);
	all = describe_strings((const char *const *)config.items, NULL);
	json_array_extend(all, own);
	json_decref(own);
	return all;
}

static json_t *describe_sysctls(const struct ktstr_sysctl *sysctls)
{
	json_t *array = json_array();

	for (; sysctls && sysctls->key; sysctls++) {
		_cleanup_free_ char *text = ktstr_xasprintf("%s=%s", sysctls->key, sysctls->value);

		json_array_append_new(array, json_string(text));
	}
	return array;
}

/* config: what the test gives for the scheduler's .config_file_def; NULL = nothing. */
static json_t *describe_scheduler(const struct ktstr_scheduler *scheduler, const char *const *extra_args,
				  const char *config)
{
	const char *config_file[] = { scheduler->config_file, NULL };

	return json_pack("{ss ss* so so so so so ss* so so ss* ss*}", "name", scheduler->name, "binary", scheduler->binary,
			 "args", describe_args(scheduler, extra_args), "kargs", describe_strings(scheduler->kargs, NULL),
			 "sysctls", describe_sysctls(scheduler->sysctls), "enable",
			 describe_strings(scheduler->enable, NULL), "disable", describe_strings(scheduler->disable, NULL),
			 "cgroup_parent", scheduler->cgroup_parent.text, "includes",
			 describe_strings(config_file, scheduler->include_files), "kernels",
			 describe_strings(scheduler->kernels, NULL), "config_path",
			 config ? scheduler->config_file_def.guest_path : NULL, "config_text", config);
}

static json_t *describe_staged(const struct ktstr_test_entry *test)
{
	json_t *array = json_array();

	for (size_t i = 0; test->staged_schedulers && test->staged_schedulers[i]; i++)
		json_array_append_new(array, describe_scheduler(test->staged_schedulers[i], NULL, NULL));
	return array;
}

/* What the run must come to. */
static json_t *describe_expectation(const struct ktstr_test_entry *test)
{
	return json_pack("{sb ss* ss* sb sb so}", "err", (int)test->expect_err, "contains", test->expect_scx_bpf_error_contains,
			 "matches", test->expect_scx_bpf_error_matches, "allow_inconclusive",
			 (int)test->allow_inconclusive, "survives_storm", (int)test->survives_storm,
			 "perf_delta_assertions", ktstr_perf_delta_to_json(test->perf_delta_assertions));
}

static void describe_file(json_t *includes, const char *spec, const char *owner)
{
	json_array_append_new(includes, json_pack("{ss ss}", "spec", spec, "owner", owner));
}

static void describe_payload(json_t *includes, const struct ktstr_payload *payload)
{
	_cleanup_free_ char *owner = ktstr_xasprintf("payload %s", payload->name);

	json_array_append_new(includes, json_pack("{ss ss ss* sb}", "spec", payload->binary, "owner", owner, "package",
						  payload->package, "program", 1));
	for (size_t i = 0; payload->include_files && payload->include_files[i]; i++)
		describe_file(includes, payload->include_files[i], owner);
}

/* Everything that the host must find and carry into the guest besides program and scheduler. */
static json_t *describe_includes(const struct ktstr_test_entry *test)
{
	json_t *includes = json_array();

	if (test->payload)
		describe_payload(includes, test->payload);
	for (size_t i = 0; test->workloads && test->workloads[i]; i++)
		describe_payload(includes, test->workloads[i]);
	for (size_t i = 0; test->extra_include_files && test->extra_include_files[i]; i++)
		describe_file(includes, test->extra_include_files[i], ".extra_include_files");
	return includes;
}

static json_t *describe_map_writes(const struct ktstr_bpf_map_write *write)
{
	json_t *list = json_array();

	for (; write && write->map_suffix; write++)
		json_array_append_new(list, json_pack("{ss ss sI}", "map_suffix", write->map_suffix, "field", write->field,
						      "value", (json_int_t)write->value));
	return list;
}

static json_t *describe_map_watches(const struct ktstr_watch_bpf_map *watch)
{
	json_t *list = json_array();

	for (; watch && watch->map_suffix; watch++)
		json_array_append_new(list, json_pack("{ss ss si ss}", "map_suffix", watch->map_suffix, "field",
						      watch->field, "agg", (int)watch->agg, "label", watch->label));
	return list;
}

/* What the host does to, or reads from, the running guest: lib/observe/plan.c reads it. */
static json_t *describe_observation(const struct ktstr_test_entry *test)
{
	return json_pack("{si sb sI so so}", "num_snapshots", (int)test->num_snapshots, "post_vm",
			 test->post_vm || test->post_vm_unconditional, "watchdog_timeout_ns",
			 (json_int_t)test->watchdog_timeout, "bpf_map_write", describe_map_writes(test->bpf_map_write),
			 "watch_bpf_maps", describe_map_watches(test->watch_bpf_maps));
}

static json_t *describe_identity(const struct ktstr_test_entry *test)
{
	/* Those that only show something run by name. */
	bool ignore = test->ignore || ktstr_str_starts_with(test->name, "demo_");

	return json_pack("{ss ss* si ss* sb}", "name", test->name, "file", test->file, "line", test->line, "description",
			 test->description, "ignore", (int)ignore);
}

static json_t *describe_machine(const struct ktstr_test_entry *test)
{
	struct ktstr_topology topology = ktstr_test_topology_of(test);
	struct ktstr_topology_constraints constraints = ktstr_test_constraints_of(test);

	return json_pack("{so so si sb sb so so}", "topology", ktstr_topology_to_json(&topology), "constraints",
			 ktstr_constraints_to_json(&constraints), "memory_mib", test->memory_mib ? (int)test->memory_mib : DEFAULT_MEMORY_MIB, "nokaslr",
			 (int)(test->kaslr == KTSTR_OFF), "host_only", (int)test->host_only, "disk", ktstr_disk_to_json(test->disk), "networks",
			 ktstr_networks_to_json(&test->networks));
}

/* Host CPUs: lib/reserve. */
static json_t *describe_mode(const struct ktstr_test_entry *test)
{
	return json_pack("{sb sb sI}", "performance_mode", (int)test->performance_mode, "no_perf_mode",
			 (int)test->no_perf_mode, "cpu_budget", (json_int_t)test->cpu_budget);
}

static json_t *describe_schedulers(const struct ktstr_test_entry *test)
{
	const struct ktstr_scheduler *scheduler = test->scheduler ? test->scheduler : &KTSTR_SCHED_EEVDF;

	return json_pack("{so so sb}", "scheduler", describe_scheduler(scheduler, test->extra_sched_args, test->config),
			 "staged_schedulers", describe_staged(test), "fresh_attach", (int)test->fresh_attach);
}

/* What runs in the guest, and how long. */
static json_t *describe_work(const struct ktstr_test_entry *test)
{
	_cleanup_free_ char *root_cgroup = NULL;
	/* 0 = the rt-app file may say it */
	uint64_t duration = test->duration || test->rt_app ? test->duration : KTSTR_DEFAULT_DURATION;

	if (test->workload_root_cgroup.text)
		ktstr_error_free(ktstr_cgroup_path_normalise(test->workload_root_cgroup.text, &root_cgroup));
	return json_pack("{sI sI si ss* ss* ss* so sb sb}", "duration_ns", (json_int_t)duration, "cleanup_budget_ns",
			 (json_int_t)test->cleanup_budget, "workers_per_cgroup", (int)test->workers_per_cgroup,
			 "workload_root_cgroup", root_cgroup, "payload", test->payload ? test->payload->name : NULL,
			 "rt_app", test->rt_app, "includes", describe_includes(test), "deterministic",
			 (int)test->deterministic, "plan", (int)(test->plan != NULL));
}

static json_t *describe_judgement(const struct ktstr_test_entry *test)
{
	struct ktstr_assert checks = ktstr_test_checks_of(test);

	return json_pack("{so so so}", "checks", ktstr_assert_to_json(&checks), "expect", describe_expectation(test),
			 "observe", describe_observation(test));
}

/* NULL when a text of the declaration is not UTF-8: JSON cannot say it. */
static json_t *describe_test(const struct ktstr_test_entry *test)
{
	static json_t *(*const parts[])(const struct ktstr_test_entry *) = {
		describe_identity, describe_machine, describe_mode, describe_schedulers, describe_work, describe_judgement,
	};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_t *part = parts[i](test);

		if (json_object_update_new(json, part)) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

/* On the machine that the test declares; other topologies, and this machine, are the affair of the run. */
static void append_plan_errors(json_t *errors, const struct ktstr_test_entry *test)
{
	_cleanup_strv_ struct ktstr_strv found = { 0 };
	struct ktstr_plan_setting setting = ktstr_test_plan_setting(test);

	if (!test->host_only)
		ktstr_test_plan_check(test, &setting, &found);
	for (size_t i = 0; i < found.count; i++)
		json_array_append_new(errors, json_string(found.items[i]));
}

static void append_error(json_t *errors, struct ktstr_error *error)
{
	if (error)
		json_array_append_new(errors, json_string(ktstr_error_message(error)));
	ktstr_error_free(error);
}

static void append_test(json_t *tests, json_t *errors, const struct ktstr_test_entry *test)
{
	_cleanup_str_ struct ktstr_str name = { 0 };
	json_t *json = describe_test(test);

	if (json) {
		json_array_append_new(tests, json);
		return;
	}
	ktstr_str_add_printable(&name, test->name, strlen(test->name));
	append_error(errors, ktstr_error_new(KTSTR_ERR_INVALID, "test %s: a text of its declaration is not UTF-8; write it so",
					     name.data));
}

json_t *ktstr_registry_describe(void)
{
	json_t *tests = json_array(), *schedulers = json_array(), *errors = json_array();

	for (const struct ktstr_test_entry *const *test = ktstr_registry.tests_begin;
	     test < ktstr_registry.tests_end; test++) {
		struct ktstr_error *error = ktstr_test_entry_validate(*test);

		if (!error && ktstr_find_test((*test)->name) == *test)
			append_test(tests, errors, *test);
		if (!error)
			append_plan_errors(errors, *test);
		append_error(errors, error);
	}
	for (const struct ktstr_scheduler *const *scheduler = ktstr_registry.schedulers_begin;
	     scheduler < ktstr_registry.schedulers_end; scheduler++) {
		struct ktstr_error *error = ktstr_scheduler_validate(*scheduler);

		if (!error)
			json_array_append_new(schedulers, describe_scheduler(*scheduler, NULL, NULL));
		append_error(errors, error);
	}
	return json_pack("{si so so so}", "ktstr", 1, "tests", tests, "schedulers", schedulers, "errors",
			 errors);
}
