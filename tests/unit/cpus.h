/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of CPUs by their list text. */
#ifndef KTSTR_TESTS_CPUS_H
#define KTSTR_TESTS_CPUS_H

#include "ktstr/cpuset.h"
#include "unit.h"

static inline struct ktstr_cpus cpus_of(const char *text)
{
	struct ktstr_cpus cpus = { 0 };

	assert_ok(ktstr_cpus_parse(text, &cpus));
	return cpus;
}

static inline void assert_cpus(struct ktstr_cpus cpus, const char *expected)
{
	_cleanup_free_ char *text = ktstr_cpus_to_text(&cpus);

	assert_string_equal(text, expected);
}

#endif
