// SPDX-License-Identifier: GPL-2.0-only
/* A run of a payload as JSON: what the guest sends, results keep, and a deterministic run's digest covers. */
#include <string.h>
#include <sys/wait.h>

#include "base/array.h"
#include "check/json_util.h"
#include "payload/internal.h"

static json_t *metric_to_json(const struct ktstr_metric *metric)
{
	json_t *json = json_pack("{so sf ss so ss ss}", "name", ktstr_json_text(metric->name), "value", metric->value,
				 "polarity", ktstr_polarity_name(metric->polarity.kind), "unit",
				 ktstr_json_text(metric->unit), "source", "json", "stream",
				 ktstr_metric_stream_name(metric->stream));

	if (metric->polarity.kind == KTSTR_POLARITY_TARGET_VALUE)
		json_object_set_new(json, "target", json_real(metric->polarity.target));
	return json;
}

static json_t *output_to_json(const struct payload_output *output)
{
	return json_pack("{so sI so}", "bytes", ktstr_json_u64(output->bytes), "crc32", (json_int_t)output->crc32,
			 "dropped_bytes", ktstr_json_u64(output->bytes - output->kept.length));
}

json_t *payload_record_to_json(const struct payload_record *record)
{
	const struct payload_end *end = record->end;
	bool signalled = !end->unkillable && WIFSIGNALED(end->wait_status);
	json_t *metrics = json_array();

	for (size_t i = 0; i < record->metrics->metrics_count; i++)
		json_array_append_new(metrics, metric_to_json(&record->metrics->metrics[i]));
	return json_pack("{si so so si so sb so so so so}", "payload_index", (int)record->metrics->payload_index,
			 "payload", ktstr_json_text(record->name), "cgroup", ktstr_json_text(record->cgroup),
			 "exit_code", record->metrics->exit_code, "signal",
			 signalled ? json_integer(WTERMSIG(end->wait_status)) : json_null(), "timed_out",
			 (int)end->timed_out, "duration_ns", ktstr_json_u64(end->duration_ns), "stdout",
			 output_to_json(&end->out), "stderr", output_to_json(&end->err), "metrics", metrics);
}

enum key_kind { KEY_TEXT, KEY_NUMBER, KEY_COUNT, KEY_BOOL, KEY_OUTPUT, KEY_METRICS };

struct key {
	const char *name;
	enum key_kind kind;
	bool optional;
};

static struct ktstr_error *clean_object(const json_t *json, const struct key *keys, size_t count, json_t **clean);

static const struct key output_keys[] = {
	{ "bytes", KEY_COUNT, false }, { "crc32", KEY_COUNT, false }, { "dropped_bytes", KEY_COUNT, false }
};
static const struct key metric_keys[] = {
	{ "name", KEY_TEXT, false },   { "value", KEY_NUMBER, false }, { "polarity", KEY_TEXT, false },
	{ "unit", KEY_TEXT, false },   { "source", KEY_TEXT, false },  { "stream", KEY_TEXT, false },
	{ "target", KEY_NUMBER, true },
};
static const struct key record_keys[] = {
	{ "payload_index", KEY_COUNT, false }, { "payload", KEY_TEXT, false },
	{ "cgroup", KEY_TEXT, false },	       { "exit_code", KEY_NUMBER, false },
	{ "signal", KEY_COUNT, true },	       { "timed_out", KEY_BOOL, false },
	{ "duration_ns", KEY_COUNT, false },   { "stdout", KEY_OUTPUT, false },
	{ "stderr", KEY_OUTPUT, false },       { "metrics", KEY_METRICS, false },
};

static struct ktstr_error *clean_metric(const json_t *item, void *context)
{
	json_t *clean;

	KTSTR_TRY(clean_object(item, metric_keys, ARRAY_SIZE(metric_keys), &clean));
	json_array_append_new(context, clean);
	return NULL;
}

static struct ktstr_error *clean_metrics(const json_t *record, json_t **clean)
{
	struct ktstr_error *error;

	*clean = json_array();
	error = ktstr_json_read_array(record, "metrics", clean_metric, *clean);
	if (error)
		json_decref(*clean);
	return error;
}

static struct ktstr_error *clean_value(const json_t *object, const struct key *key, json_t **clean)
{
	json_t *value = json_object_get(object, key->name);
	_cleanup_free_ char *text = NULL;
	uint64_t count;

	switch (key->kind) {
	case KEY_TEXT:
		KTSTR_TRY(ktstr_json_read_text(value, &text));
		break;
	case KEY_COUNT:
		KTSTR_TRY(ktstr_json_read_u64(value, &count));
		break;
	case KEY_NUMBER:
		if (!json_is_number(value))
			return ktstr_json_mismatch(value, "a number");
		break;
	case KEY_BOOL:
		if (!json_is_boolean(value))
			return ktstr_json_mismatch(value, "true or false");
		break;
	case KEY_OUTPUT:
		return clean_object(value, output_keys, ARRAY_SIZE(output_keys), clean);
	case KEY_METRICS:
		return clean_metrics(object, clean);
	}
	*clean = json_incref(value);
	return NULL;
}

static struct ktstr_error *clean_object(const json_t *json, const struct key *keys, size_t count, json_t **clean)
{
	json_t *made;

	if (!json_is_object(json))
		return ktstr_json_mismatch(json, "an object");
	made = json_object();
	for (size_t i = 0; i < count; i++) {
		const json_t *found = json_object_get(json, keys[i].name);
		struct ktstr_error *error;
		json_t *value;

		if (keys[i].optional && (!found || json_is_null(found)))
			continue;
		error = clean_value(json, &keys[i], &value);
		if (error) {
			json_decref(made);
			return ktstr_error_wrap(error, "%s", keys[i].name);
		}
		json_object_set_new(made, keys[i].name, value);
	}
	*clean = made;
	return NULL;
}

struct ktstr_error *ktstr_payload_record_clean(const json_t *json, json_t **clean)
{
	return clean_object(json, record_keys, ARRAY_SIZE(record_keys), clean);
}
