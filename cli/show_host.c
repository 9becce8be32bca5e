// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr show-host`: what results record of this machine. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "host/host.h"

static const struct argp_option options[] = { { "json", 'J', NULL, 0, "as JSON", 0 }, { 0 } };

static error_t parse(int key, char *value, struct argp_state *state)
{
	(void)value;
	if (key != 'J')
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Shows the facts of this machine that can move a measurement, as every result records them.",
};

int ktstr_cmd_show_host(int argc, char **argv)
{
	struct ktstr_host_context host;
	bool as_json = false;

	argp_parse(&argp, argc, argv, 0, NULL, &as_json);
	ktstr_host_context_collect(&host);
	if (as_json) {
		ktstr_cli_print_json(ktstr_host_context_to_json(&host));
	} else {
		_cleanup_free_ char *text = ktstr_host_context_format(&host);

		fputs(text, stdout);
	}
	ktstr_host_context_deinit(&host);
	return KTSTR_EXIT_PASS;
}
