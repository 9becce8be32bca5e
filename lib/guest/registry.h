/* SPDX-License-Identifier: GPL-2.0-only */
/* The tests and schedulers that this program registered in its linker sections. */
#ifndef KTSTR_GUEST_REGISTRY_H
#define KTSTR_GUEST_REGISTRY_H

#include <jansson.h>

#include "ktstr/test.h"
#include "scenario/plan.h"

struct ktstr_registry {
	const struct ktstr_test_entry *const *tests_begin, *const *tests_end;
	const struct ktstr_scheduler *const *schedulers_begin, *const *schedulers_end;
};

extern struct ktstr_registry ktstr_registry;

/* Topology of the test: its own fields, then its scheduler's, then 1n1l2c1t. */
struct ktstr_topology ktstr_test_topology_of(const struct ktstr_test_entry *test);
/* As declared: the test's own fields, then its scheduler's; what neither sets is unset. */
struct ktstr_topology_constraints ktstr_test_constraints_of(const struct ktstr_test_entry *test);
/* defaults <- scheduler <- test */
struct ktstr_assert ktstr_test_checks_of(const struct ktstr_test_entry *test);

/* NULL when the declaration is sound; else an error naming the test and the field. */
struct ktstr_error *ktstr_test_entry_validate(const struct ktstr_test_entry *test) KTSTR_CHECKED;

/* The machine and the times that the test declares. */
struct ktstr_plan_setting ktstr_test_plan_setting(const struct ktstr_test_entry *test);
/* The part about captures and BPF maps (guest/validate_observe.c). */
struct ktstr_error *ktstr_observation_validate(const struct ktstr_test_entry *test, uint64_t duration_ns)
	KTSTR_CHECKED;

/*
 * Everything the host must know to run the tests, as data: {"ktstr": 1, "tests": [...], "schedulers": [...],
 * "errors": [text...]}. New reference.
 */
json_t *ktstr_registry_describe(void);

#endif
