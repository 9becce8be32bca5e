// SPDX-License-Identifier: GPL-2.0-only
/* The numbers of a sidecar by name, as the index and comparisons know them. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "result/index.h"

enum { MAX_DEPTH = 8, MAX_METRICS = 20000 };

struct walk {
	ktstr_metric_visit_fn emit;
	void *context;
	unsigned int left; /* a hostile sidecar ends here */
};

static void walk_value(struct walk *walk, const char *name, const json_t *value, unsigned int depth);

static void walk_object(struct walk *walk, const char *prefix, const json_t *object, const char *suffix,
			unsigned int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		_cleanup_free_ char *name = ktstr_xasprintf("%s%s%s", prefix, key, suffix);

		walk_value(walk, name, value, depth + 1);
	}
}

/* Lists are series or samples, not metrics. */
static void walk_value(struct walk *walk, const char *name, const json_t *value, unsigned int depth)
{
	if (json_is_number(value) && isfinite(json_number_value(value)) && walk->left) {
		walk->left--;
		walk->emit(walk->context, name, json_number_value(value));
	} else if (json_is_object(value) && depth < MAX_DEPTH) {
		_cleanup_free_ char *prefix = ktstr_xasprintf("%s.", name);

		walk_object(walk, prefix, value, "", depth);
	}
}

/* ext_metrics are metrics of their own right, without the name of the object that holds them. */
static void walk_stats(struct walk *walk, const char *prefix, const json_t *stats)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)stats, key, value) {
		_cleanup_free_ char *name = ktstr_xasprintf("%s%s", prefix, key);

		if (!strcmp(key, "ext_metrics"))
			walk_object(walk, prefix, value, "", 0);
		else if (!json_is_array(value))
			walk_value(walk, name, value, 1);
	}
}

static void walk_cgroups(struct walk *walk, const json_t *cgroups)
{
	json_t *cgroup;
	size_t i;

	json_array_foreach(cgroups, i, cgroup) {
		const char *name = json_string_value(json_object_get(cgroup, "cgroup_name"));
		_cleanup_free_ char *prefix = ktstr_xasprintf("cgroup.%s.", name ? name : "?");

		walk_stats(walk, prefix, cgroup);
	}
}

static void walk_payloads(struct walk *walk, const json_t *runs)
{
	json_t *run, *metric;
	size_t i, k;

	json_array_foreach(runs, i, run) {
		json_array_foreach(json_object_get(run, "metrics"), k, metric) {
			const char *key = json_string_value(json_object_get(metric, "name"));
			_cleanup_free_ char *name = ktstr_xasprintf("payload.%s", key ? key : "?");

			walk_value(walk, name, json_object_get(metric, "value"), 0);
		}
	}
}

void ktstr_sidecar_metrics(const json_t *sidecar, ktstr_metric_visit_fn emit, void *context)
{
	struct walk walk = { emit, context, MAX_METRICS };
	const json_t *stats = json_object_get(sidecar, "stats");

	walk_stats(&walk, "", stats);
	walk_cgroups(&walk, json_object_get(stats, "cgroups"));
	walk_stats(&walk, "", json_object_get(sidecar, "monitor"));
	walk_payloads(&walk, json_object_get(sidecar, "metrics"));
	walk_object(&walk, "stage.", json_object_get(sidecar, "stages"), "_ns", 0);
	walk_value(&walk, "duration_ns", json_object_get(sidecar, "duration_ns"), 0);
}
