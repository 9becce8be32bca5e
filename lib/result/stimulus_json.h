/* SPDX-License-Identifier: GPL-2.0-only */
/* Stimulus events as results carry them. */
#ifndef KTSTR_RESULT_STIMULUS_JSON_H
#define KTSTR_RESULT_STIMULUS_JSON_H

#include "result/result.h"

json_t *ktstr_stimulus_events_to_json(const struct ktstr_stimulus_event *events, size_t count);
/* From result[key "stimulus_events"]; absent and null are none. Appends to the result, which owns them either way. */
struct ktstr_error *ktstr_stimulus_events_from_json(const json_t *json, struct ktstr_test_result *result) KTSTR_CHECKED;

#endif
