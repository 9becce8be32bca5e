// SPDX-License-Identifier: GPL-2.0-only
/* Stimulus events in sidecars, both directions. */
#include "base/str.h"
#include "check/json_util.h"
#include "result/stimulus_json.h"

static json_t *event_to_json(const struct ktstr_stimulus_event *event)
{
	json_t *json = json_object();

	json_object_set_new(json, "elapsed_ms", ktstr_json_u64(event->elapsed_ms));
	json_object_set_new(json, "label", ktstr_json_text(event->label));
	json_object_set_new(json, "op_kind", ktstr_json_text(event->op_kind));
	json_object_set_new(json, "detail", ktstr_json_text(event->detail));
	json_object_set_new(json, "total_iterations", ktstr_json_opt_u64(event->total_iterations));
	json_object_set_new(json, "step_index",
			    event->step_index.set ? json_integer(event->step_index.value) : json_null());
	json_object_set_new(json, "is_terminal", json_boolean(event->is_terminal));
	json_object_set_new(json, "is_step_end", json_boolean(event->is_step_end));
	return json;
}

json_t *ktstr_stimulus_events_to_json(const struct ktstr_stimulus_event *events, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, event_to_json(&events[i]));
	return array;
}

static bool is_given(const json_t *json)
{
	return json && !json_is_null(json);
}

static struct ktstr_error *read_opt_text(const json_t *json, const char *key, char **text)
{
	const json_t *value = json_object_get(json, key);

	if (is_given(value))
		KTSTR_TRY_WRAP(ktstr_json_read_text(value, text), "%s", key);
	return NULL;
}

static struct ktstr_error *read_event(const json_t *item, void *context)
{
	struct ktstr_test_result *result = context;
	const json_t *iterations = json_object_get(item, "total_iterations"), *step = json_object_get(item, "step_index");
	struct ktstr_stimulus_event *event;
	uint64_t number;

	result->stimulus_events = ktstr_xrealloc(result->stimulus_events, (result->stimulus_events_count + 1) *
										  sizeof(*result->stimulus_events));
	event = &result->stimulus_events[result->stimulus_events_count++];
	*event = (struct ktstr_stimulus_event){
		.is_terminal = json_is_true(json_object_get(item, "is_terminal")),
		.is_step_end = json_is_true(json_object_get(item, "is_step_end")),
	};
	KTSTR_TRY_WRAP(ktstr_json_read_u64(json_object_get(item, "elapsed_ms"), &event->elapsed_ms), "elapsed_ms");
	KTSTR_TRY_WRAP(ktstr_json_read_text(json_object_get(item, "label"), &event->label), "label");
	KTSTR_TRY(read_opt_text(item, "op_kind", &event->op_kind));
	KTSTR_TRY(read_opt_text(item, "detail", &event->detail));
	if (is_given(iterations)) {
		KTSTR_TRY_WRAP(ktstr_json_read_u64(iterations, &number), "total_iterations");
		event->total_iterations = (struct ktstr_opt_u64)KTSTR_SOME(number);
	}
	if (!is_given(step))
		return NULL;
	KTSTR_TRY_WRAP(ktstr_json_read_u64(step, &number), "step_index");
	if (number > UINT16_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "step_index: %llu, at most 65535 is a phase",
				       (unsigned long long)number);
	event->step_index = (struct ktstr_opt_u32)KTSTR_SOME((uint32_t)number);
	return NULL;
}

struct ktstr_error *ktstr_stimulus_events_from_json(const json_t *json, struct ktstr_test_result *result)
{
	if (!is_given(json_object_get(json, "stimulus_events")))
		return NULL;
	return ktstr_json_read_array(json, "stimulus_events", read_event, result);
}
