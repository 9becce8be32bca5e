// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr show`: a dump as text, as JSON, or one value of it. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/commands.h"
#include "ktstr/dump.h"
#include "result/result.h"
#include "snapshot/select.h"

struct options {
	const char *file, *path;
	bool json;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'p':
		options->path = value;
		return 0;
	case 'J':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->file)
			argp_error(state, "one dump at a time");
		options->file = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_failure(state, KTSTR_EXIT_FAIL, 0, "which dump? usage: ktstr show FILE.failure-dump.json");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{ "path", 'p', "PATH", 0, "one part: MAP, MAP.FIELD, MAP[N].FIELD (MAP[N@CPU].FIELD on per-CPU maps), VARIABLE.FIELD, "
				  "or a key of the JSON; early. or late. before it on dual dumps", 0 },
	{ "json", 'J', NULL, 0, "JSON instead of text", 0 },
	{ 0 },
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "FILE.failure-dump.json",
	.doc = "Shows what was read from a guest when its scheduler failed. On a terminal the text goes through $PAGER "
	       "(default: less -R); an empty PAGER, or cat, turns that off.",
};

static struct ktstr_error *text_of(const struct options *options, const struct ktstr_failure_dump_any *dump, char **text)
{
	struct ktstr_dump_text_options style = { .colour = ktstr_use_colour(STDOUT_FILENO) };

	if (options->path && *options->path)
		return ktstr_dump_select(dump, options->path, options->json, text);
	*text = options->json ? ktstr_failure_dump_to_json(dump) : ktstr_failure_dump_to_text(dump, &style);
	return NULL;
}

/* Where there is no less, the text is to be seen all the same. */
#define DEFAULT_PAGER "if command -v less >/dev/null; then less -R; else cat; fi"

/* The pager that the text is to go through, NULL = none. */
static const char *pager(void)
{
	const char *wanted = getenv("PAGER");

	if (!isatty(STDOUT_FILENO) || (wanted && (!*wanted || !strcmp(wanted, "cat"))))
		return NULL;
	/* Leave what fits on the screen there, and let colours through. */
	setenv("LESS", "FRX", 0);
	return wanted ? wanted : DEFAULT_PAGER;
}

static void print(const char *text)
{
	const char *command = pager();
	FILE *out = command ? popen(command, "we") : NULL;
	size_t length = strlen(text);

	/* The pager has the terminal: it decides about the interrupt key, and may be left before all has been read. */
	if (out) {
		signal(SIGINT, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
	}

	fwrite(text, 1, length, out ? out : stdout);
	if (length && text[length - 1] != '\n')
		fputc('\n', out ? out : stdout);
	if (out)
		pclose(out);
}

int ktstr_cmd_show(int argc, char **argv)
{
	struct options options = { 0 };
	struct ktstr_failure_dump_any dump;
	_cleanup_free_ char *text = NULL;
	struct ktstr_error *error;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	error = ktstr_failure_dump_load(options.file, &dump);
	if (error)
		return ktstr_cli_fail(error);
	error = text_of(&options, &dump, &text);
	ktstr_failure_dump_deinit(&dump);
	if (error)
		return ktstr_cli_fail(error);
	print(text);
	return KTSTR_EXIT_PASS;
}
