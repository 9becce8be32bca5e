// SPDX-License-Identifier: GPL-2.0-only
/* --topology: shapes, presets and all of them; which of these a test runs on. */
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "host/usable_cpus.h"
#include "topology/constraints.h"

struct ktstr_error *ktstr_cli_topology(const char *text, struct ktstr_topology *topology)
{
	KTSTR_TRY_WRAP(ktstr_topology_resolve(text, topology), "--topology %s", text);
	return NULL;
}

struct ktstr_error *ktstr_cli_check_topologies(const char *text)
{
	struct ktstr_topology topology;

	return strcmp(text, KTSTR_CLI_ALL_PRESETS) ? ktstr_cli_topology(text, &topology) : NULL;
}

static bool is_own(const struct ktstr_test_info *test, const char *shape)
{
	char own[KTSTR_TOPOLOGY_TEXT_BYTES];

	return !strcmp(shape, ktstr_topology_format(&test->topology, own));
}

struct ktstr_error *ktstr_cli_test_topology(const struct ktstr_test_info *test, const char *text,
					    struct ktstr_topology *topology)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	*topology = test->topology;
	/* Uneven nodes: the test can have counts that make no machine by themselves. */
	if (!text || is_own(test, text))
		return NULL;
	KTSTR_TRY(ktstr_cli_topology(text, topology));
	if (is_own(test, ktstr_topology_format(topology, shape)))
		*topology = test->topology;
	return NULL;
}

char *ktstr_cli_refuses_topology(const struct ktstr_test_info *test, const struct ktstr_topology *topology)
{
	struct ktstr_topology_constraints declared = ktstr_constraints_declared(&test->constraints);
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];
	_cleanup_error_ struct ktstr_error *error = NULL;

	if (is_own(test, ktstr_topology_format(topology, shape)))
		return NULL;
	error = ktstr_topology_check_constraints(&declared, topology);
	return error ? ktstr_xasprintf(".constraints: %s", ktstr_error_message(error)) : NULL;
}

struct ktstr_cli_presets ktstr_cli_presets_of(const struct ktstr_test_info *test, bool deterministic)
{
	struct ktstr_cli_presets chosen = { .host_cpus = deterministic ? KTSTR_NO_MAX : ktstr_usable_cpus() };
	size_t count;
	const struct ktstr_topology_preset *presets = ktstr_topology_presets(&count);

	for (size_t i = 0; i < count; i++) {
		const struct ktstr_topology *topology = &presets[i].topology;

		if (!ktstr_constraints_accept_preset(&test->constraints, topology, KTSTR_NO_MAX))
			continue;
		chosen.accepted++;
		if (!chosen.fewest_cpus || ktstr_topology_total_cpus(topology) < chosen.fewest_cpus)
			chosen.fewest_cpus = ktstr_topology_total_cpus(topology);
		if (ktstr_constraints_accept_preset(&test->constraints, topology, chosen.host_cpus))
			ktstr_strv_add(&chosen.names, presets[i].name);
	}
	return chosen;
}

char *ktstr_cli_no_preset(const struct ktstr_cli_presets *presets)
{
	if (!presets->accepted)
		return ktstr_xstrdup("--topology " KTSTR_CLI_ALL_PRESETS ": .constraints accept no preset");
	return ktstr_xasprintf("--topology " KTSTR_CLI_ALL_PRESETS ": the %u presets that .constraints accept have %u CPUs "
			       "or more, this host has %u for them; any number can be had with --deterministic, or by a preset's name",
			       presets->accepted, presets->fewest_cpus, presets->host_cpus);
}
