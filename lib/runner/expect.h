/* SPDX-License-Identifier: GPL-2.0-only */
/* Tests that must fail, and with which words. */
#ifndef KTSTR_RUNNER_EXPECT_H
#define KTSTR_RUNNER_EXPECT_H

#include "result/result.h"

struct ktstr_expectation {
	bool failure; /* the run must fail */
	char *contains, *matches; /* literal, extended regex: in the scheduler's log or the kernel's words on it; NULL = any */
	bool allow_inconclusive;
	bool survives_storm; /* see runner/survival.h */
	json_t *perf_delta_assertions; /* for a comparison of commits: check/perf_delta.h */
};

/*
 * Turns a judged result round: an expected failure passes and its reasons become notes; anything else than a failure,
 * or one with other words, fails. A skip stays one. result->console and scheduler_log must be filled.
 */
void ktstr_expect_apply(const struct ktstr_expectation *expect, struct ktstr_test_result *result);

#endif
