/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON of thresholds, verdicts and statistics, as frames from the guest and result files carry them. Readers
 * expect a hostile writer: KTSTR_ERR_CORRUPT names the key, and the out parameter is then zero.
 */
#ifndef KTSTR_CHECK_RESULT_JSON_H
#define KTSTR_CHECK_RESULT_JSON_H

#include <jansson.h>

#include "ktstr/check.h"

/* All keys, unset ones null. The caller has the only reference. */
json_t *ktstr_assert_to_json(const struct ktstr_assert *assert);
/* Missing keys are unset. The values are validated as thresholds. */
struct ktstr_error *ktstr_assert_from_json(const json_t *json, struct ktstr_assert *assert)
	KTSTR_CHECKED;

json_t *ktstr_stats_to_json(const struct ktstr_scenario_stats *stats);
/* Empties the raw samples of all phases in that JSON: their metrics say what results need, in a thousandth of the room. */
void ktstr_stats_json_strip(json_t *json);
/* Free with ktstr_scenario_stats_deinit() (check/stats_build.h). */
struct ktstr_error *ktstr_stats_from_json(const json_t *json, struct ktstr_scenario_stats *stats)
	KTSTR_CHECKED;

/* {outcomes, passes, notes, measurements, stats} */
json_t *ktstr_assert_result_to_json(const struct ktstr_assert_result *result);
struct ktstr_error *ktstr_assert_result_from_json(const json_t *json,
						  struct ktstr_assert_result *result) KTSTR_CHECKED;

#endif
