// SPDX-License-Identifier: GPL-2.0-only
/* The named shapes of the gauntlet. */
#include <ctype.h>
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

/*
 * Only preset names have a dash; "1n-2l4c2t" begins as a shape does, and is one with a mistake. So that a mistake in either
 * form gets the message it needs.
 */
static bool is_meant_as_name(const char *text)
{
	const char *letters = text + strspn(text, "0123456789");

	return strchr(text, '-') && (letters == text || letters[0] != 'n' || isalpha((unsigned char)letters[1]));
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
	if (!is_meant_as_name(text))
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
