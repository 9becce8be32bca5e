// SPDX-License-Identifier: GPL-2.0-only
/* The named shapes of the gauntlet, and the constraints that choose among them. */
#include <string.h>

#include "base/str.h"
#include "ktstr/topology.h"

/* CPUs in a name are all of the machine's; LLCs too. */
#define PRESET(preset_name, n, l, c, t)          \
	{                                        \
		.name = (preset_name),           \
		.topology = {                    \
			.numa_nodes = (n),       \
			.llcs = (l),             \
			.cores_per_llc = (c),    \
			.threads_per_core = (t), \
		},                               \
	}

/*
 * A 26th shape exists elsewhere for verifier runs only, 192cpu-11llc-smt: ten LLCs of 18 CPUs and
 * one of 12. It is left out because every LLC of a struct ktstr_topology has the same number of
 * cores, as every die of a QEMU machine does.
 */
static const struct ktstr_topology_preset presets[] = {
	PRESET("4cpu-1llc-nosmt", 1, 1, 4, 1),
	PRESET("4cpu-2llc-nosmt", 1, 2, 2, 1),
	PRESET("9cpu-3llc-nosmt", 1, 3, 3, 1),
	PRESET("15cpu-5llc-nosmt", 1, 5, 3, 1),
	PRESET("14cpu-7llc-nosmt", 1, 7, 2, 1),
	PRESET("8cpu-2llc-smt", 1, 2, 2, 2),
	PRESET("12cpu-3llc-smt", 1, 3, 2, 2),
	PRESET("32cpu-4llc-smt", 1, 4, 4, 2),
	PRESET("32cpu-4llc-nosmt", 1, 4, 8, 1),
	PRESET("64cpu-8llc-smt", 1, 8, 4, 2),
	PRESET("64cpu-8llc-nosmt", 1, 8, 8, 1),
	PRESET("128cpu-4llc-smt", 1, 4, 16, 2),
	PRESET("128cpu-4llc-nosmt", 1, 4, 32, 1),
	PRESET("128cpu-8llc-smt", 1, 8, 8, 2),
	PRESET("128cpu-8llc-nosmt", 1, 8, 16, 1),
	PRESET("240cpu-15llc-smt", 1, 15, 8, 2),
	PRESET("240cpu-15llc-nosmt", 1, 15, 16, 1),
	PRESET("252cpu-14llc-smt", 1, 14, 9, 2),
	PRESET("252cpu-14llc-nosmt", 1, 14, 18, 1),
	PRESET("2numa-32cpu-2llc-smt", 2, 2, 8, 2),
	PRESET("2numa-16cpu-4llc-nosmt", 2, 4, 4, 1),
	PRESET("2numa-128cpu-8llc-smt", 2, 8, 8, 2),
	PRESET("2numa-128cpu-8llc-nosmt", 2, 8, 16, 1),
	PRESET("4numa-32cpu-8llc-nosmt", 4, 8, 4, 1),
	PRESET("4numa-192cpu-12llc-smt", 4, 12, 8, 2),
};

#define PRESETS_COUNT (sizeof(presets) / sizeof(presets[0]))

const struct ktstr_topology_preset *ktstr_topology_presets(size_t *count)
{
	*count = PRESETS_COUNT;
	return presets;
}

const struct ktstr_topology_preset *ktstr_topology_find_preset(const char *name)
{
	for (size_t i = 0; i < PRESETS_COUNT; i++)
		if (!strcmp(presets[i].name, name))
			return &presets[i];
	return NULL;
}

struct ktstr_error *ktstr_topology_resolve(const char *text, struct ktstr_topology *topology)
{
	const char *names[PRESETS_COUNT];
	const struct ktstr_topology_preset *preset = ktstr_topology_find_preset(text);
	const char *nearest;

	if (preset) {
		*topology = preset->topology;
		return NULL;
	}
	/*
	 * Only preset names have a dash, and each says how many CPUs it has, so that a mistake in either form gets the
	 * message it needs.
	 */
	if (!strchr(text, '-') || !strstr(text, "cpu"))
		return ktstr_topology_parse(text, topology);
	for (size_t i = 0; i < PRESETS_COUNT; i++)
		names[i] = presets[i].name;
	nearest = ktstr_nearest_name(text, names, PRESETS_COUNT);
	return ktstr_error_new(
		KTSTR_ERR_NOT_FOUND,
		"topology preset \"%s\" does not exist; %s%s%s`ktstr topo --presets` "
		"lists them, and a shape can be written like 1n2l4c2t",
		text, nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "");
}

struct bound {
	const char *what;
	unsigned int value, min, max;
};

static unsigned int or_default(unsigned int value, unsigned int fallback)
{
	return value ? value : fallback;
}

static struct ktstr_error *check_bound(const struct bound *bound, const char *shape)
{
	if (bound->value < bound->min)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "topology %s has %u %s, the test needs at least %u", shape,
				       bound->value, bound->what, bound->min);
	if (bound->value > bound->max)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "topology %s has %u %s, the test allows at most %u", shape,
				       bound->value, bound->what, bound->max);
	return NULL;
}

struct ktstr_error *
ktstr_topology_check_constraints(const struct ktstr_topology_constraints *constraints,
				 const struct ktstr_topology *topology)
{
	const struct bound bounds[] = {
		{ "NUMA nodes", topology->numa_nodes, or_default(constraints->min_numa_nodes, 1),
		  or_default(constraints->max_numa_nodes, 1) },
		{ "LLCs", topology->llcs, or_default(constraints->min_llcs, 1),
		  or_default(constraints->max_llcs, 12) },
		{ "CPUs", ktstr_topology_total_cpus(topology), or_default(constraints->min_cpus, 1),
		  or_default(constraints->max_cpus, 192) },
	};
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	ktstr_topology_format(topology, shape);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		KTSTR_TRY(check_bound(&bounds[i], shape));
	if (constraints->requires_smt && topology->threads_per_core < 2)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"topology %s has 1 thread per core, the test needs SMT (at least 2)",
			shape);
	return NULL;
}
