/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test demands of a comparison between commits, as JSON: in the test's description and in its results. */
#ifndef KTSTR_CHECK_PERF_DELTA_H
#define KTSTR_CHECK_PERF_DELTA_H

#include <jansson.h>

#include "ktstr/metric.h"

/* The list that ends with a NULL metric (may be NULL): an array of {metric, direction, target, max_regression_pct, min_abs,
 * phase}, null where nothing is set. New reference. */
json_t *ktstr_perf_delta_to_json(const struct ktstr_perf_delta_assertion *assertions);
/* object["perf_delta_assertions"] with only what we know of; an empty array when it is missing. New reference. */
struct ktstr_error *ktstr_perf_delta_clean(const json_t *object, json_t **clean) KTSTR_CHECKED;
/* The first assertion of the list that cannot be meant. */
struct ktstr_error *ktstr_perf_delta_validate(const struct ktstr_perf_delta_assertion *assertions) KTSTR_CHECKED;

#endif
