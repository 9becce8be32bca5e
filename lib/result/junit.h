/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JUnit XML for CI systems: a file beside whatever else is printed. One <testsuite> for each kernel and scheduler, a
 * <testcase> for each result; an inconclusive one is an <error>.
 */
#ifndef KTSTR_RESULT_JUNIT_H
#define KTSTR_RESULT_JUNIT_H

#include "result/result.h"

struct ktstr_junit;

struct ktstr_junit *ktstr_junit_create(void);
void ktstr_junit_destroy(struct ktstr_junit *junit);
/* Keeps what it needs of the result. */
void ktstr_junit_add(struct ktstr_junit *junit, const struct ktstr_test_result *result);
/* Replaces the file at path in one step. missing: tests that were planned and have no result. */
struct ktstr_error *ktstr_junit_write(const struct ktstr_junit *junit, const char *path, size_t missing) KTSTR_CHECKED;

#endif
