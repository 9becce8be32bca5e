// SPDX-License-Identifier: GPL-2.0-only
/* Metrics out of a program's output: the numbers of its JSON, by the path that leads to them. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "check/grow.h"
#include "ktstr/payload.h"

struct walk {
	struct ktstr_payload_metrics *metrics;
	enum ktstr_metric_stream stream;
	struct ktstr_str path;
	unsigned int dropped_depth; /* 0 = nothing was too deep */
	bool capped;
};

const struct ktstr_metric *ktstr_payload_metrics_get(const struct ktstr_payload_metrics *metrics, const char *name)
{
	for (size_t i = 0; i < metrics->metrics_count; i++)
		if (!strcmp(metrics->metrics[i].name, name))
			return &metrics->metrics[i];
	return NULL;
}

void ktstr_payload_metrics_deinit(struct ktstr_payload_metrics *metrics)
{
	for (size_t i = 0; i < metrics->metrics_count; i++)
		free(metrics->metrics[i].name);
	free(metrics->metrics);
	*metrics = (struct ktstr_payload_metrics){ 0 };
}

static void add(struct ktstr_payload_metrics *metrics, const char *name, double value,
		enum ktstr_metric_stream stream)
{
	metrics->metrics = ktstr_grow(metrics->metrics, metrics->metrics_count, sizeof(*metrics->metrics));
	metrics->metrics[metrics->metrics_count++] = (struct ktstr_metric){
		.name = ktstr_xstrdup(name), .value = value, .unit = "", .stream = stream
	};
}

static void visit(struct walk *walk, const json_t *value, unsigned int depth);

/* Visits a child under "<path>.<key>"; the path is as before when it returns. */
static void visit_child(struct walk *walk, const char *key, const json_t *child, unsigned int depth)
{
	size_t length = walk->path.length;

	ktstr_str_addf(&walk->path, "%s%s", length ? "." : "", key);
	visit(walk, child, depth + 1);
	walk->path.length = length;
	walk->path.data[length] = '\0';
}

static void visit_leaf(struct walk *walk, const json_t *value)
{
	double number = json_number_value(value);

	if (!json_is_number(value) || !isfinite(number))
		return;
	if (walk->metrics->metrics_count >= KTSTR_METRICS_CAP)
		walk->capped = true;
	else
		add(walk->metrics, ktstr_str_text(&walk->path), number, walk->stream);
}

static void visit(struct walk *walk, const json_t *value, unsigned int depth)
{
	const char *key;
	json_t *child;

	if (depth > KTSTR_METRICS_MAX_DEPTH) {
		walk->dropped_depth = depth;
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, child)
			visit_child(walk, key, child, depth);
	} else if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			char index[24];

			snprintf(index, sizeof(index), "%zu", i);
			visit_child(walk, index, json_array_get(value, i), depth);
		}
	} else {
		visit_leaf(walk, value);
	}
}

/* Numbers become doubles at once: programs print ~0ull where they measured nothing. */
static json_t *parse(const char *text, size_t length)
{
	return json_loadb(text, length, JSON_DECODE_INT_AS_REAL, NULL);
}

/* From the first '{' or '[' to the bracket that closes it; false when it never does, or brackets cross. */
static bool find_region(const char *text, size_t length, size_t *start, size_t *end)
{
	_cleanup_str_ struct ktstr_str open = { 0 }; /* the closers that are due */
	bool in_string = false;

	for (*start = 0; *start < length && text[*start] != '{' && text[*start] != '['; (*start)++)
		;
	for (size_t i = *start; i < length; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++; /* whatever it escapes */
			else
				in_string = text[i] != '"';
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			ktstr_str_add(&open, text[i] == '{' ? "}" : "]");
		} else if (text[i] == '}' || text[i] == ']') {
			if (open.data[open.length - 1] != text[i])
				return false;
			open.data[--open.length] = '\0';
			*end = i + 1;
			if (!open.length)
				return true;
		}
	}
	return false;
}

void ktstr_metrics_extract(const char *text, size_t length, enum ktstr_output_format format,
			   enum ktstr_metric_stream stream, struct ktstr_payload_metrics *metrics)
{
	struct walk walk = { .metrics = metrics, .stream = stream };
	size_t start, end;
	json_t *json;

	if (format != KTSTR_OUTPUT_JSON || !length)
		return;
	json = parse(text, length);
	if (!json && find_region(text, length, &start, &end))
		json = parse(text + start, end - start);
	if (!json)
		return;
	visit(&walk, json, 0);
	json_decref(json);
	ktstr_str_deinit(&walk.path);
	if (walk.dropped_depth)
		add(metrics, KTSTR_METRICS_TRUNCATION_SENTINEL_NAME, walk.dropped_depth, KTSTR_STREAM_SYNTHESIZED);
	if (walk.capped)
		add(metrics, KTSTR_METRICS_CAP_SENTINEL_NAME, KTSTR_METRICS_CAP, KTSTR_STREAM_SYNTHESIZED);
}
