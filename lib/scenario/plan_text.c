// SPDX-License-Identifier: GPL-2.0-only
/* The JSON of a plan as text for people: one line per cgroup, group of workers and op. */
#include <string.h>

#include "base/clock.h"
#include "scenario/plan.h"

static const char *text_at(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void add_duration(struct ktstr_str *text, const json_t *ns)
{
	char duration[32];
	json_int_t value = json_integer_value(ns);

	ktstr_str_add(text, value > 0 ? ktstr_format_duration((uint64_t)value, duration) : "0s");
}

static void add_value(struct ktstr_str *text, const json_t *value)
{
	_cleanup_free_ char *compact = NULL;

	if (json_is_string(value)) {
		bool plain = *json_string_value(value) && !strpbrk(json_string_value(value), " \t\"");

		ktstr_str_addf(text, plain ? "%s" : "\"%s\"", json_string_value(value));
		return;
	}
	compact = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	ktstr_str_add(text, compact ? compact : "?");
}

/* " key=value" for all members but those named. */
static void add_members(struct ktstr_str *text, json_t *json, const char *const *but)
{
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value) {
		bool named = false;

		for (size_t i = 0; but[i]; i++)
			named |= !strcmp(key, but[i]);
		if (named)
			continue;
		if (json_is_true(value)) {
			ktstr_str_addf(text, " %s", key);
			continue;
		}
		ktstr_str_addf(text, " %s=", key);
		add_value(text, value);
	}
}

/* "2 x Bursty (burst 50ms, sleep 100ms) nice=5" */
static void add_work(struct ktstr_str *text, json_t *work)
{
	static const char *const shown[] = { "workers", "work", "parameters", "op", "placement", NULL };
	json_t *workers = json_object_get(work, "workers");
	const char *parameters = text_at(work, "parameters");

	if (workers)
		ktstr_str_addf(text, "%d x ", (int)json_integer_value(workers));
	ktstr_str_add(text, text_at(work, "work"));
	if (*parameters)
		ktstr_str_addf(text, " (%s)", parameters);
	add_members(text, work, shown);
}

static void add_cgroup(struct ktstr_str *text, json_t *def, const char *indent)
{
	static const char *const shown[] = { "name", "works", NULL };
	json_t *work;
	size_t i;

	ktstr_str_addf(text, "%scgroup %s", indent, text_at(def, "name"));
	add_members(text, def, shown);
	ktstr_str_add(text, "\n");
	json_array_foreach(json_object_get(def, "works"), i, work) {
		ktstr_str_addf(text, "%s  ", indent);
		add_work(text, work);
		ktstr_str_add(text, "\n");
	}
}

static void add_op(struct ktstr_str *text, json_t *op)
{
	static const char *const shown[] = { "op", "def", NULL };
	json_t *def = json_object_get(op, "def");

	ktstr_str_addf(text, "  %s", text_at(op, "op"));
	if (json_object_get(op, "work")) {
		ktstr_str_addf(text, " placement=");
		add_value(text, json_object_get(op, "placement"));
		ktstr_str_add(text, " ");
		add_work(text, op);
	} else {
		add_members(text, op, shown);
	}
	ktstr_str_add(text, "\n");
	if (def)
		add_cgroup(text, def, "    ");
}

static void add_hold(struct ktstr_str *text, const json_t *hold)
{
	const char *kind = text_at(hold, "kind");

	if (!strcmp(kind, "loop")) {
		ktstr_str_add(text, "ops every ");
		add_duration(text, json_object_get(hold, "interval_ns"));
		ktstr_str_add(text, " until the duration is over");
		return;
	}
	ktstr_str_add(text, "hold ");
	add_duration(text, json_object_get(hold, "ns"));
	if (!strcmp(kind, "frac"))
		ktstr_str_addf(text, " (%g of the duration)", json_number_value(json_object_get(hold, "fraction")));
	else if (!strcmp(kind, "full"))
		ktstr_str_add(text, " (the duration)");
}

/* A step begins with its ops, a backdrop and a looping step with their cgroups. */
static void add_parts(struct ktstr_str *text, const json_t *part, bool cgroups_first)
{
	const json_t *lists[] = { json_object_get(part, cgroups_first ? "cgroups" : "ops"),
				  json_object_get(part, cgroups_first ? "ops" : "cgroups") };
	json_t *item;
	size_t i;

	for (size_t list = 0; list < 2; list++) {
		json_array_foreach(lists[list], i, item) {
			if ((list == 0) == cgroups_first)
				add_cgroup(text, item, "  ");
			else
				add_op(text, item);
		}
	}
	json_array_foreach(json_object_get(part, "payloads"), i, item)
		ktstr_str_addf(text, "  payload %s\n", json_string_value(item));
}

static void add_steps(struct ktstr_str *text, const json_t *json)
{
	const json_t *backdrop = json_object_get(json, "backdrop");
	json_t *step;
	size_t i;

	if (json_array_size(json_object_get(backdrop, "cgroups")) || json_array_size(json_object_get(backdrop, "ops")) ||
	    json_array_size(json_object_get(backdrop, "payloads")))
		ktstr_str_add(text, "backdrop\n");
	add_parts(text, backdrop, true);
	json_array_foreach(json_object_get(json, "steps"), i, step) {
		const json_t *hold = json_object_get(step, "hold");

		ktstr_str_addf(text, "step %zu: ", i);
		add_hold(text, hold);
		ktstr_str_add(text, "\n");
		add_parts(text, step, !strcmp(text_at(hold, "kind"), "loop"));
	}
}

char *ktstr_plan_json_to_text(const json_t *json)
{
	struct ktstr_str text = { 0 };
	json_t *error;
	size_t i;

	ktstr_str_addf(&text, "%s on %s (%d CPUs), %s, ", text_at(json, "test"), text_at(json, "topology"),
		       (int)json_integer_value(json_object_get(json, "cpus")), text_at(json, "scheduler"));
	add_duration(&text, json_object_get(json, "duration_ns"));
	ktstr_str_add(&text, "\n");
	if (json_object_get(json, "skip"))
		ktstr_str_addf(&text, "skipped: %s\n", text_at(json, "skip"));
	else
		add_steps(&text, json);
	json_array_foreach(json_object_get(json, "errors"), i, error)
		ktstr_str_addf(&text, "error: %s\n", json_string_value(error));
	return ktstr_str_take(&text);
}
