// SPDX-License-Identifier: GPL-2.0-only
/* Registered tests and schedulers: lookup, inheritance of defaults, validation before any VM boots. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest/registry.h"

struct ktstr_registry ktstr_registry;

const struct ktstr_scheduler KTSTR_SCHED_EEVDF = { .name = "eevdf" };

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

struct ktstr_assert ktstr_test_checks_of(const struct ktstr_test_entry *test)
{
	static const struct ktstr_assert defaults;
	struct ktstr_assert merged = defaults;

	if (test->scheduler)
		merged = ktstr_assert_merge(&merged, &test->scheduler->checks);
	return ktstr_assert_merge(&merged, &test->checks);
}

struct ktstr_error *ktstr_scheduler_validate(const struct ktstr_scheduler *scheduler)
{
	struct ktstr_error *error;

	if (!scheduler->name || !*scheduler->name)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a scheduler has no .name");
	if (scheduler->binary && !*scheduler->binary)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "scheduler %s: .binary is empty; leave it out for EEVDF",
				       scheduler->name);
	error = ktstr_assert_validate(&scheduler->checks);
	return error ? ktstr_error_wrap(error, "scheduler %s: .checks", scheduler->name) : NULL;
}

static struct ktstr_error *check_constraints(const struct ktstr_topology_constraints *c)
{
	const struct {
		const char *what;
		unsigned int min, max;
	} bounds[] = {
		{ "numa_nodes", c->min_numa_nodes, c->max_numa_nodes },
		{ "llcs", c->min_llcs, c->max_llcs },
		{ "cpus", c->min_cpus, c->max_cpus },
	};

	for (size_t i = 0; i < 3; i++)
		if (bounds[i].max && bounds[i].max < bounds[i].min)
			return ktstr_error_new(KTSTR_ERR_INVALID, ".max_%s (%u) is below .min_%s (%u)",
					       bounds[i].what, bounds[i].max, bounds[i].what,
					       bounds[i].min);
	return NULL;
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

struct ktstr_error *ktstr_test_entry_validate(const struct ktstr_test_entry *test)
{
	struct ktstr_topology topology = ktstr_test_topology_of(test);
	struct ktstr_error *error;

	if (!test->name || !*test->name || strpbrk(test->name, "/\\"))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "test \"%s\": .name must be non-empty and without '/' and '\\'",
				       test->name ? test->name : "");
	if (!test->body && !test->plan)
		return ktstr_error_new(KTSTR_ERR_INVALID, "test %s: .plan is missing: it has no body either", test->name);
	error = ktstr_topology_validate(&topology);
	if (error)
		return ktstr_error_wrap(error, "test %s: .topology", test->name);
	error = ktstr_assert_validate(&test->checks);
	if (error)
		return ktstr_error_wrap(error, "test %s: .checks", test->name);
	error = check_constraints(&test->constraints);
	if (error)
		return ktstr_error_wrap(error, "test %s: .constraints", test->name);
	error = check_payloads(test);
	if (error)
		return ktstr_error_wrap(error, "test %s", test->name);
	error = test->scheduler ? ktstr_scheduler_validate(test->scheduler) : NULL;
	return error ? ktstr_error_wrap(error, "test %s: .scheduler", test->name) : NULL;
}
