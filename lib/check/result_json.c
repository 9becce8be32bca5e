// SPDX-License-Identifier: GPL-2.0-only
/* JSON of thresholds and verdicts, both directions. */
#include <math.h>
#include <string.h>

#include "base/array.h"
#include "check/assert.h"
#include "check/members.h"
#include "check/grow.h"
#include "check/json_util.h"
#include "check/result_json.h"
#include "check/stats_build.h"

enum { MAX_MEASUREMENTS = 4096 };

static const struct ktstr_member pass_fields[] = {
	KTSTR_MEMBER(ktstr_pass_detail, name),
	KTSTR_MEMBER(ktstr_pass_detail, comparator),
	KTSTR_MEMBER(ktstr_pass_detail, value),
	KTSTR_MEMBER(ktstr_pass_detail, expected),
	KTSTR_MEMBER(ktstr_pass_detail, phase),
};

static const struct ktstr_member detail_fields[] = {
	KTSTR_MEMBER(ktstr_assert_detail, message),
	KTSTR_MEMBER(ktstr_assert_detail, phase),
};

static const struct ktstr_member note_fields[] = {
	KTSTR_MEMBER(ktstr_info_note, message),
	KTSTR_MEMBER(ktstr_info_note, phase),
};

json_t *ktstr_assert_to_json(const struct ktstr_assert *assert)
{
	return ktstr_struct_to_json(ktstr_assert_fields, KTSTR_ASSERT_FIELDS, assert);
}

struct ktstr_error *ktstr_assert_from_json(const json_t *json, struct ktstr_assert *assert)
{
	struct ktstr_assert read = { 0 };

	*assert = read;
	KTSTR_TRY(ktstr_struct_from_json(ktstr_assert_fields, KTSTR_ASSERT_FIELDS, json, &read));
	KTSTR_TRY(ktstr_assert_validate(&read));
	*assert = read;
	return NULL;
}

static json_t *outcome_to_json(const struct ktstr_outcome *outcome)
{
	json_t *detail = ktstr_struct_to_json(detail_fields, ARRAY_SIZE(detail_fields), &outcome->detail);
	json_t *json = json_object();

	json_object_set_new(detail, "kind",
			    json_string(ktstr_detail_kind_name(outcome->detail.kind)));
	json_object_set_new(json, "kind", json_string(ktstr_outcome_name(outcome->kind)));
	json_object_set_new(json, "detail", detail);
	return json;
}

static json_t *outcomes_to_json(const struct ktstr_assert_result *result)
{
	bool all = result->outcomes_count <= KTSTR_JSON_ITEMS_MAX;
	enum ktstr_outcome_kind worst = ktstr_assert_result_kind(result);
	json_t *json = json_array();

	/* Too many to be read back: keep those that decide the verdict. */
	for (size_t i = 0; i < result->outcomes_count; i++)
		if ((all || result->outcomes[i].kind == worst) &&
		    json_array_size(json) < KTSTR_JSON_ITEMS_MAX)
			json_array_append_new(json, outcome_to_json(&result->outcomes[i]));
	return json;
}

/* Externally tagged: {"Int": 5}. */
static json_t *value_to_json(struct ktstr_value value)
{
	switch (value.kind) {
	case KTSTR_VALUE_INT:
		return json_pack("{sI}", "Int", (json_int_t)value.i);
	case KTSTR_VALUE_UINT:
		return json_pack("{so}", "Uint", ktstr_json_u64(value.u));
	case KTSTR_VALUE_FLOAT:
		return json_pack("{so}", "Float", ktstr_json_f64(value.f));
	case KTSTR_VALUE_BOOL:
		return json_pack("{sb}", "Bool", (int)value.b);
	case KTSTR_VALUE_TEXT:
		return json_pack("{so}", "Text", ktstr_json_text(value.text));
	case KTSTR_VALUE_ABSENT:
		break;
	}
	return json_null();
}

static json_t *measurements_to_json(const struct ktstr_assert_result *result)
{
	json_t *json = json_object();

	for (size_t i = 0; i < result->measurements_count && i < MAX_MEASUREMENTS; i++) {
		_cleanup_free_ char *key = ktstr_json_key(result->measurements[i].key);

		json_object_set_new(json, key, value_to_json(result->measurements[i].value));
	}
	return json;
}

json_t *ktstr_assert_result_to_json(const struct ktstr_assert_result *result)
{
	json_t *json = json_object(), *passes = json_array(), *notes = json_array();

	for (size_t i = 0; i < result->passes_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(passes, ktstr_struct_to_json(pass_fields,
								    ARRAY_SIZE(pass_fields),
								    &result->passes[i]));
	for (size_t i = 0; i < result->notes_count && i < KTSTR_JSON_ITEMS_MAX; i++)
		json_array_append_new(notes, ktstr_struct_to_json(note_fields, ARRAY_SIZE(note_fields),
								   &result->notes[i]));
	json_object_set_new(json, "outcomes", outcomes_to_json(result));
	json_object_set_new(json, "passes", passes);
	json_object_set_new(json, "notes", notes);
	json_object_set_new(json, "measurements", measurements_to_json(result));
	json_object_set_new(json, "stats", ktstr_stats_to_json(&result->stats));
	return json;
}

static struct ktstr_error *read_outcome_kind(const json_t *json, enum ktstr_outcome_kind *kind)
{
	_cleanup_free_ char *text = NULL;

	KTSTR_TRY(ktstr_json_read_text(json, &text));
	/* PASS is the absence of outcomes and never one of them. */
	for (unsigned int i = KTSTR_OUTCOME_SKIP; i <= KTSTR_OUTCOME_FAIL; i++) {
		*kind = (enum ktstr_outcome_kind)i;
		if (strcmp(ktstr_outcome_name(*kind), text) == 0)
			return NULL;
	}
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "\"%.40s\" is no outcome", text);
}

static struct ktstr_error *read_detail_kind(const json_t *json, enum ktstr_detail_kind *kind)
{
	_cleanup_free_ char *text = NULL;

	KTSTR_TRY(ktstr_json_read_text(json, &text));
	if (!ktstr_detail_kind_from_name(text, kind))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "\"%.40s\" is no kind of detail", text);
	return NULL;
}

static struct ktstr_error *read_outcome(const json_t *item, void *context)
{
	struct ktstr_assert_result *result = context;
	struct ktstr_outcome *outcome = KTSTR_APPEND_ZEROED(result->outcomes, result->outcomes_count);
	const json_t *detail = json_object_get(item, "detail");

	if (!json_is_object(item))
		return ktstr_json_mismatch(item, "an object");
	KTSTR_TRY_WRAP(read_outcome_kind(json_object_get(item, "kind"), &outcome->kind), "kind");
	if (!json_is_object(detail))
		return ktstr_error_wrap(ktstr_json_mismatch(detail, "an object"), "detail");
	KTSTR_TRY_WRAP(read_detail_kind(json_object_get(detail, "kind"), &outcome->detail.kind),
		       "detail: kind");
	KTSTR_TRY_WRAP(ktstr_struct_from_json(detail_fields, ARRAY_SIZE(detail_fields), detail, &outcome->detail),
		       "detail");
	if (!outcome->detail.message)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "detail: message: missing");
	return NULL;
}

static struct ktstr_error *read_pass(const json_t *item, void *context)
{
	struct ktstr_assert_result *result = context;
	struct ktstr_pass_detail *pass = KTSTR_APPEND_ZEROED(result->passes, result->passes_count);

	KTSTR_TRY(ktstr_struct_from_json(pass_fields, ARRAY_SIZE(pass_fields), item, pass));
	/* Everybody who prints a pass relies on these three. */
	if (!pass->name || !pass->comparator || !pass->value)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: missing",
				       !pass->name	 ? "name" :
				       !pass->comparator ? "comparator" :
							   "value");
	return NULL;
}

/* Results from before there were phases have a bare text. */
static struct ktstr_error *read_note(const json_t *item, void *context)
{
	struct ktstr_assert_result *result = context;
	struct ktstr_info_note *note = KTSTR_APPEND_ZEROED(result->notes, result->notes_count);

	if (!json_is_object(item))
		return ktstr_json_read_text(item, &note->message);
	KTSTR_TRY(ktstr_struct_from_json(note_fields, ARRAY_SIZE(note_fields), item, note));
	return note->message ? NULL : ktstr_error_new(KTSTR_ERR_CORRUPT, "message: missing");
}

/* The value is borrowed from the JSON. */
static struct ktstr_error *read_value(const json_t *json, struct ktstr_value *value)
{
	void *iterator = json_object_iter((json_t *)json);
	const char *tag = iterator ? json_object_iter_key(iterator) : "";
	const json_t *content = iterator ? json_object_iter_value(iterator) : NULL;

	if (!json_is_object(json) || json_object_size(json) != 1)
		return ktstr_json_mismatch(json, "an object with one member, the value by its type");
	if (!strcmp(tag, "Int") && json_is_integer(content)) {
		*value = ktstr_value_int(json_integer_value(content));
		return NULL;
	}
	if (!strcmp(tag, "Uint")) {
		*value = ktstr_value_uint(0);
		return ktstr_json_read_u64(content, &value->u);
	}
	if (!strcmp(tag, "Float") && (json_is_number(content) || json_is_null(content))) {
		*value = ktstr_value_float(json_is_null(content) ? NAN : json_number_value(content));
		return NULL;
	}
	if (!strcmp(tag, "Bool") && json_is_boolean(content)) {
		*value = ktstr_value_bool(json_is_true(content));
		return NULL;
	}
	if (!strcmp(tag, "Text") && json_is_string(content) && json_string_length(content) <= KTSTR_JSON_TEXT_MAX) {
		*value = ktstr_value_text(json_string_value(content));
		return NULL;
	}
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "\"%.40s\" is no type of a value, or the value is of another", tag);
}

/* May be missing: results from before there were any have none. */
static struct ktstr_error *read_measurements(const json_t *json, struct ktstr_assert_result *result)
{
	const char *key;
	json_t *item;

	if (json && !json_is_object(json))
		return ktstr_json_mismatch(json, "an object");
	if (json_object_size(json) > MAX_MEASUREMENTS)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%zu measurements, at most %d are read",
				       json_object_size(json), MAX_MEASUREMENTS);
	json_object_foreach((json_t *)json, key, item) {
		struct ktstr_value value;

		KTSTR_TRY_WRAP(read_value(item, &value), "%.40s", key);
		ktstr_assert_note_value(result, key, value);
	}
	return NULL;
}

static struct ktstr_error *read_result(const json_t *json, struct ktstr_assert_result *result)
{
	if (!json_is_object(json))
		return ktstr_json_mismatch(json, "an object");
	/* Every list must be there: a verdict without outcomes would read as a pass. */
	KTSTR_TRY(ktstr_json_read_array(json, "outcomes", read_outcome, result));
	KTSTR_TRY(ktstr_json_read_array(json, "passes", read_pass, result));
	KTSTR_TRY(ktstr_json_read_array(json, "notes", read_note, result));
	KTSTR_TRY_WRAP(read_measurements(json_object_get(json, "measurements"), result), "measurements");
	KTSTR_TRY_WRAP(ktstr_stats_from_json(json_object_get(json, "stats"), &result->stats), "stats");
	return NULL;
}

struct ktstr_error *ktstr_assert_result_from_json(const json_t *json,
						  struct ktstr_assert_result *result)
{
	struct ktstr_error *error;

	*result = (struct ktstr_assert_result){ 0 };
	error = read_result(json, result);
	if (error)
		ktstr_assert_result_deinit(result);
	return error;
}
