// SPDX-License-Identifier: GPL-2.0-only
/* Registered tests and schedulers: lookup, inheritance of defaults, validation before any VM boots. */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "check/perf_delta.h"
#include "guest/registry.h"
#include "net/config.h"
#include "sched/declaration.h"
#include "topology/constraints.h"

struct ktstr_registry ktstr_registry;

/* Warns once per name: the first registration counts, later ones are shadowed. */
static void warn_duplicate(const char *what, const char *name)
{
	fprintf(stderr, "ktstr: warning: %s \"%s\" is registered more than once; the first one is used\n",
		what, name);
}

const struct ktstr_test_entry *ktstr_find_test(const char *name)
{
	const struct ktstr_test_entry *found = NULL;

	for (const struct ktstr_test_entry *const *test = ktstr_registry.tests_begin;
	     test < ktstr_registry.tests_end; test++) {
		if (strcmp((*test)->name, name))
			continue;
		if (found) {
			warn_duplicate("test", name);
			break;
		}
		found = *test;
	}
	return found;
}

const struct ktstr_scheduler *ktstr_find_scheduler(const char *name)
{
	for (const struct ktstr_scheduler *const *scheduler = ktstr_registry.schedulers_begin;
	     scheduler < ktstr_registry.schedulers_end; scheduler++)
		if (!strcmp((*scheduler)->name, name))
			return *scheduler;
	return strcmp(name, KTSTR_SCHED_EEVDF.name) ? NULL : &KTSTR_SCHED_EEVDF;
}

static unsigned int first_set(unsigned int a, unsigned int b, unsigned int c)
{
	return a ? a : b ? b : c;
}

struct ktstr_topology ktstr_test_topology_of(const struct ktstr_test_entry *test)
{
	static const struct ktstr_topology none;
	const struct ktstr_topology *own = &test->topology;
	const struct ktstr_topology *base = test->scheduler ? &test->scheduler->topology : &none;
	struct ktstr_topology merged = own->nodes || !base->nodes ? *own : *base;

	merged.numa_nodes = first_set(own->numa_nodes, base->numa_nodes, 1);
	/* A test that only says how many nodes it wants gets an LLC in each. */
	merged.llcs = first_set(own->llcs, base->llcs, merged.numa_nodes);
	merged.cores_per_llc = first_set(own->cores_per_llc, base->cores_per_llc, 2);
	merged.threads_per_core = first_set(own->threads_per_core, base->threads_per_core, 1);
	merged.distances = own->distances ? own->distances : base->distances;
	return merged;
}

struct ktstr_topology_constraints ktstr_test_constraints_of(const struct ktstr_test_entry *test)
{
	return ktstr_constraints_inherit(&test->constraints, test->scheduler ? &test->scheduler->constraints : NULL);
}

struct ktstr_assert ktstr_test_checks_of(const struct ktstr_test_entry *test)
{
	static const struct ktstr_assert defaults;
	struct ktstr_assert merged = defaults;

	if (test->scheduler)
		merged = ktstr_assert_merge(&merged, &test->scheduler->checks);
	return ktstr_assert_merge(&merged, &test->checks);
}

static struct ktstr_error *check_payload(const struct ktstr_test_entry *test, const struct ktstr_payload *payload,
					 size_t earlier)
{
	KTSTR_TRY(ktstr_payload_validate(payload));
	if (payload->kind != KTSTR_PAYLOAD_BINARY)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "payload %s is of kind SCHEDULER: it cannot be run; set .scheduler instead",
				       payload->name);
	if (earlier && test->payload && !strcmp(test->payload->name, payload->name))
		return ktstr_error_new(KTSTR_ERR_INVALID, "payload %s is the test's .payload already", payload->name);
	for (size_t i = 0; i + 1 < earlier; i++)
		if (!strcmp(test->workloads[i]->name, payload->name))
			return ktstr_error_new(KTSTR_ERR_INVALID, "payload %s is named twice", payload->name);
	return NULL;
}

static struct ktstr_error *check_payloads(const struct ktstr_test_entry *test)
{
	if (test->payload)
		KTSTR_TRY_WRAP(check_payload(test, test->payload, 0), ".payload");
	for (size_t i = 0; test->workloads && test->workloads[i]; i++)
		KTSTR_TRY_WRAP(check_payload(test, test->workloads[i], i + 1), ".workloads");
	for (size_t i = 0; test->extra_include_files && test->extra_include_files[i]; i++)
		if (!*test->extra_include_files[i])
			return ktstr_error_new(KTSTR_ERR_INVALID, ".extra_include_files: an empty name");
	return NULL;
}

static struct ktstr_error *check_staged(const struct ktstr_test_entry *test)
{
	const struct ktstr_scheduler *const *staged = test->staged_schedulers;

	for (size_t i = 0; staged && staged[i]; i++) {
		KTSTR_TRY(ktstr_scheduler_validate_staged(staged[i]));
		if (test->scheduler && !strcmp(staged[i]->name, test->scheduler->name))
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "scheduler %s is the test's own .scheduler: restart gives it again",
					       staged[i]->name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(staged[i]->name, staged[j]->name))
				return ktstr_error_new(KTSTR_ERR_INVALID, "two schedulers are named %s", staged[i]->name);
	}
	return NULL;
}

static struct ktstr_error *check_scheduler_args(const struct ktstr_test_entry *test)
{
	const struct ktstr_scheduler *scheduler = test->scheduler ? test->scheduler : &KTSTR_SCHED_EEVDF;
	_cleanup_strv_ struct ktstr_strv cgroups = { 0 };

	KTSTR_TRY(ktstr_scheduler_check_args(test->extra_sched_args));
	if (test->extra_sched_args && test->extra_sched_args[0] && !scheduler->binary)
		return ktstr_error_new(KTSTR_ERR_INVALID, "scheduler %s is no program that would read them", scheduler->name);
	return ktstr_scheduler_cgroups(NULL, test->extra_sched_args, &cgroups);
}

static struct ktstr_error *check_config(const struct ktstr_test_entry *test)
{
	bool wanted = test->scheduler && test->scheduler->config_file_def.guest_path;

	if (wanted && !test->config)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".config is missing: scheduler %s has a .config_file_def",
				       test->scheduler->name);
	if (!wanted && test->config)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".config: the scheduler has no .config_file_def that takes it");
	return NULL;
}

static struct ktstr_error *check_pattern(const char *pattern)
{
	regex_t regex;
	int code = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
	char why[128];
	bool matches_all;

	if (code) {
		regerror(code, &regex, why, sizeof(why));
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\": %s", pattern, why);
	}
	matches_all = !regexec(&regex, "", 0, NULL, 0);
	regfree(&regex);
	return matches_all ? ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" matches anything, also an empty text", pattern) :
			     NULL;
}

static struct ktstr_error *check_expectations(const struct ktstr_test_entry *test)
{
	const char *contains = test->expect_scx_bpf_error_contains, *matches = test->expect_scx_bpf_error_matches;

	if ((contains || matches) && !test->expect_err)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".%s needs .expect_err",
				       contains ? "expect_scx_bpf_error_contains" : "expect_scx_bpf_error_matches");
	if (contains && !*contains)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".expect_scx_bpf_error_contains is empty");
	if (matches)
		KTSTR_TRY_WRAP(check_pattern(matches), ".expect_scx_bpf_error_matches");
	return NULL;
}

/* A scheduler that can be lost, in a run that may not be lost. */
static struct ktstr_error *check_survival(const struct ktstr_test_entry *test)
{
	if (!test->survives_storm)
		return NULL;
	if (!test->scheduler || !test->scheduler->binary)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".survives_storm needs a .scheduler that is a program: nothing else can go away");
	if (test->expect_err)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".survives_storm excludes .expect_err: one of them would always fail");
	return NULL;
}

static struct ktstr_error *check_root_cgroup(const struct ktstr_test_entry *test)
{
	_cleanup_free_ char *normal = NULL;

	return test->workload_root_cgroup.text ? ktstr_cgroup_path_normalise(test->workload_root_cgroup.text, &normal) : NULL;
}

/* What only a VM of our own can give. */
static struct ktstr_error *check_host_only(const struct ktstr_test_entry *test)
{
	const struct {
		const char *field;
		bool set;
	} excluded[] = {
		{ ".scheduler", test->scheduler && ktstr_scheduler_spec(test->scheduler) != KTSTR_SCHEDULER_EEVDF },
		{ ".staged_schedulers", test->staged_schedulers && test->staged_schedulers[0] },
		{ ".payload", test->payload },
		{ ".workloads", test->workloads && test->workloads[0] },
		{ ".extra_include_files", test->extra_include_files && test->extra_include_files[0] },
		{ ".workload_root_cgroup", test->workload_root_cgroup.text },
		{ ".topology", test->topology.numa_nodes || test->topology.llcs || test->topology.cores_per_llc ||
				       test->topology.threads_per_core || test->topology.nodes },
		{ ".memory_mib", test->memory_mib },
		{ ".disk", test->disk },
		{ ".networks", test->networks.count },
		{ ".kaslr", test->kaslr != KTSTR_UNSET },
		{ ".deterministic", test->deterministic },
		{ ".fresh_attach", test->fresh_attach },
		{ ".num_snapshots", test->num_snapshots },
		{ ".watch_bpf_maps", test->watch_bpf_maps && test->watch_bpf_maps[0].map_suffix },
		{ ".watchdog_timeout", test->watchdog_timeout },
		{ ".cleanup_budget", test->cleanup_budget },
		{ ".performance_mode", test->performance_mode },
		{ ".no_perf_mode", test->no_perf_mode },
	};

	for (size_t i = 0; test->host_only && i < sizeof(excluded) / sizeof(excluded[0]); i++)
		if (excluded[i].set)
			return ktstr_error_new(KTSTR_ERR_INVALID, ".host_only excludes %s: it is for tests in VMs",
					       excluded[i].field);
	return NULL;
}

/* What host threads complete comes at another moment each time. */
static struct ktstr_error *check_disk(const struct ktstr_test_entry *test)
{
	if (!test->disk)
		return NULL;
	if (test->deterministic)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".disk excludes .deterministic: its requests are completed by threads of the host, at no repeatable moment");
	KTSTR_TRY_WRAP(ktstr_disk_config_validate(test->disk), ".disk");
	return NULL;
}

static struct ktstr_error *check_run_mode(const struct ktstr_test_entry *test)
{
	if (test->performance_mode && test->no_perf_mode)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".performance_mode excludes .no_perf_mode: set one of them");
	if (test->performance_mode && test->deterministic)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".performance_mode excludes .deterministic: under virtual time no host CPU is measured");
	if (test->cpu_budget && !test->no_perf_mode)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".cpu_budget needs .no_perf_mode: it is the size of that pool");
	if (test->perf_delta_assertions && test->perf_delta_assertions[0].metric && !test->performance_mode)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".perf_delta_assertions needs .performance_mode: only such runs are compared");
	return NULL;
}

static struct ktstr_error *check_networks(const struct ktstr_test_entry *test)
{
	if (test->deterministic && test->networks.count)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".networks excludes .deterministic: a thread of the host answers, at no repeatable moment");
	KTSTR_TRY_WRAP(ktstr_networks_validate(&test->networks), ".networks");
	return NULL;
}

static struct ktstr_error *check_scheduler(const struct ktstr_test_entry *test)
{
	if (test->scheduler)
		KTSTR_TRY_WRAP(ktstr_scheduler_validate(test->scheduler), ".scheduler");
	KTSTR_TRY_WRAP(check_scheduler_args(test), ".extra_sched_args");
	KTSTR_TRY_WRAP(check_staged(test), ".staged_schedulers");
	KTSTR_TRY(check_config(test));
	KTSTR_TRY(check_expectations(test));
	KTSTR_TRY(check_survival(test));
	KTSTR_TRY_WRAP(ktstr_perf_delta_validate(test->perf_delta_assertions), ".perf_delta_assertions");
	KTSTR_TRY_WRAP(check_root_cgroup(test), ".workload_root_cgroup");
	KTSTR_TRY(check_host_only(test));
	KTSTR_TRY(check_disk(test));
	KTSTR_TRY(check_networks(test));
	return check_run_mode(test);
}

struct ktstr_error *ktstr_test_entry_validate(const struct ktstr_test_entry *test)
{
	struct ktstr_topology topology = ktstr_test_topology_of(test);
	struct ktstr_error *error;

	if (!test->name || !*test->name || strpbrk(test->name, "/\\"))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "test \"%s\": .name must be non-empty and without '/' and '\\'",
				       test->name ? test->name : "");
	if (!test->body && !test->plan)
		return ktstr_error_new(KTSTR_ERR_INVALID, "test %s: .body is missing, and it has no .plan", test->name);
	error = ktstr_topology_validate(&topology);
	if (error)
		return ktstr_error_wrap(error, "test %s: .topology", test->name);
	error = ktstr_assert_validate(&test->checks);
	if (error)
		return ktstr_error_wrap(error, "test %s: .checks", test->name);
	error = ktstr_constraints_validate(&test->constraints, test->scheduler ? &test->scheduler->constraints : NULL);
	if (error)
		return ktstr_error_wrap(error, "test %s: .constraints", test->name);
	if (test->rt_app && !*test->rt_app)
		return ktstr_error_new(KTSTR_ERR_INVALID, "test %s: .rt_app is empty: give the name of a file", test->name);
	error = check_payloads(test);
	if (!error)
		error = ktstr_observation_validate(test, test->duration ? test->duration : KTSTR_DEFAULT_DURATION);
	if (error)
		return ktstr_error_wrap(error, "test %s", test->name);
	error = check_scheduler(test);
	return error ? ktstr_error_wrap(error, "test %s", test->name) : NULL;
}
