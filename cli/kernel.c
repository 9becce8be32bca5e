// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr kernel`: fetch, list and remove kernels of the cache. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/commands.h"
#include "kernel/kernel.h"

enum {
	OPTION_FLAVOUR = 0x100,
	OPTION_FORCE,
	OPTION_AVAILABLE,
	OPTION_CORRUPT,
};

/* --- get --- */

struct get_arguments {
	const char *spec;
	const char *flavour;
	bool force;
};

static error_t parse_get(int key, char *argument, struct argp_state *state)
{
	struct get_arguments *arguments = state->input;

	switch (key) {
	case OPTION_FLAVOUR:
		arguments->flavour = argument;
		return 0;
	case OPTION_FORCE:
		arguments->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->spec)
			argp_error(state, "one version at a time: \"%s\" is too many", argument);
		arguments->spec = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int cmd_get(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "flavour", OPTION_FLAVOUR, "NAME", 0,
		  "cloud (small, the default), amd64 (all drivers) or rt (PREEMPT_RT)", 0 },
		{ "force", OPTION_FORCE, NULL, 0, "Fetch again even when it is in the cache", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_get,
		.args_doc = "[VERSION|SERIES|latest]",
		.doc = "Fetch a Debian kernel into the cache: 7.3.4, the newest of series 7.3, or "
		       "the latest (default).\v"
		       "The mirror and its key are those of this machine's own Debian source; "
		       "nothing is installed.",
	};
	_cleanup_(ktstr_kernel_deinit) struct ktstr_kernel kernel = { 0 };
	struct get_arguments arguments = { 0 };
	struct ktstr_error *error;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	error = ktstr_kernel_get(arguments.spec, arguments.flavour, arguments.force, ktstr_cli_progress(),
				 &kernel);
	ktstr_cli_progress_done();
	if (error)
		return ktstr_cli_fail(error);
	printf("%s %s\n", kernel.version, kernel.release);
	return EXIT_SUCCESS;
}

/* --- list --- */

struct list_arguments {
	bool json;
	bool available;
};

static error_t parse_list(int key, char *argument, struct argp_state *state)
{
	struct list_arguments *arguments = state->input;

	switch (key) {
	case 'J':
		arguments->json = true;
		return 0;
	case OPTION_AVAILABLE:
		arguments->available = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument wanted: \"%s\"", argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static uint64_t file_bytes(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) ? (uint64_t)st.st_size : 0;
}

/* Of what makes up most of an entry; its modules and config are a few MB. */
static uint64_t entry_bytes(const struct ktstr_kernel_entry *entry)
{
	return file_bytes(entry->kernel.image_path) + file_bytes(entry->kernel.vmlinux_path);
}

static const char *entry_flavour(const struct ktstr_kernel_entry *entry)
{
	const char *dash = strrchr(entry->version, '-');

	return dash && (!strcmp(dash, "-rt") || !strcmp(dash, "-amd64")) ? dash + 1 : "cloud";
}

static void print_table(const struct ktstr_kernel_entry *entries, size_t count)
{
	if (count)
		printf("%-12s %-28s %-8s %8s  %s\n", "VERSION", "RELEASE", "FLAVOUR", "SIZE",
		       "FETCHED");
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_kernel_entry *entry = &entries[i];
		char fetched[32];

		if (entry->corrupt_reason)
			printf("%-12s corrupt: %s\n", entry->version, entry->corrupt_reason);
		else
			printf("%-12s %-28s %-8s %5llu MB  %s\n", entry->version,
			       entry->kernel.release, entry_flavour(entry),
			       (unsigned long long)(entry_bytes(entry) / 1000000),
			       ktstr_format_utc(entry->fetched_unix_seconds, fetched));
	}
}

static json_t *entry_json(const struct ktstr_kernel_entry *entry)
{
	const struct ktstr_kernel *kernel = &entry->kernel;
	char fetched[32];

	if (entry->corrupt_reason)
		return json_pack("{s:s, s:s, s:s, s:s}", "version", entry->version, "path",
				 entry->path, "state", "corrupt", "reason", entry->corrupt_reason);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "version",
		entry->version, "path", entry->path, "state", "valid", "release", kernel->release,
		"flavour", entry_flavour(entry), "size_bytes", (json_int_t)entry_bytes(entry),
		"fetched_at", ktstr_format_utc(entry->fetched_unix_seconds, fetched), "image",
		kernel->image_path, "vmlinux", kernel->vmlinux_path, "config", kernel->config_path,
		"modules", kernel->modules_dir, "image_sha256", kernel->image_sha256);
}

static int list_cache(bool json)
{
	struct ktstr_kernel_entry *entries;
	struct ktstr_error *error;
	size_t count;

	error = ktstr_kernel_list(&entries, &count);
	if (error)
		return ktstr_cli_fail(error);
	if (json) {
		json_t *array = json_array();

		for (size_t i = 0; i < count; i++)
			json_array_append_new(array, entry_json(&entries[i]));
		ktstr_cli_print_json(array);
	} else {
		print_table(entries, count);
		if (!count)
			fputs("no kernels in the cache: run `ktstr kernel get`\n", stderr);
	}
	ktstr_kernel_entries_free(entries, count);
	return EXIT_SUCCESS;
}

static int list_available(bool json)
{
	_cleanup_strv_ struct ktstr_strv versions = { 0 };
	json_t *array = json ? json_array() : NULL;
	struct ktstr_error *error;

	error = ktstr_kernel_available(ktstr_cli_progress(), &versions);
	ktstr_cli_progress_done();
	for (size_t i = 0; !error && i < versions.count; i++) {
		if (json)
			json_array_append_new(array, json_string(versions.items[i]));
		else
			puts(versions.items[i]);
	}
	if (error) {
		json_decref(array);
		return ktstr_cli_fail(error);
	}
	if (json)
		ktstr_cli_print_json(array);
	return EXIT_SUCCESS;
}

static int cmd_list(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'J', NULL, 0, "JSON instead of a table", 0 },
		{ "available", OPTION_AVAILABLE, NULL, 0,
		  "What Debian offers instead of what the cache has", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_list,
		.doc = "List the kernels in the cache, newest first. Corrupt ones are listed with "
		       "the reason and never used.",
	};
	struct list_arguments arguments = { 0 };

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	return arguments.available ? list_available(arguments.json) : list_cache(arguments.json);
}

/* --- remove --- */

struct remove_arguments {
	struct ktstr_strv versions;
	bool corrupt;
};

static error_t parse_remove(int key, char *argument, struct argp_state *state)
{
	struct remove_arguments *arguments = state->input;

	switch (key) {
	case OPTION_CORRUPT:
		arguments->corrupt = true;
		return 0;
	case ARGP_KEY_ARG:
		ktstr_strv_add(&arguments->versions, argument);
		return 0;
	case ARGP_KEY_END:
		if (!arguments->versions.count && !arguments->corrupt)
			argp_error(state,
				   "which? Name versions of `ktstr kernel list`, or use --corrupt");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static struct ktstr_error *add_corrupt(struct ktstr_strv *versions)
{
	struct ktstr_kernel_entry *entries;
	size_t count;

	KTSTR_TRY(ktstr_kernel_list(&entries, &count));
	for (size_t i = 0; i < count; i++)
		if (entries[i].corrupt_reason && !ktstr_strv_contains(versions, entries[i].version))
			ktstr_strv_add(versions, entries[i].version);
	ktstr_kernel_entries_free(entries, count);
	return NULL;
}

static int remove_all(const struct ktstr_strv *versions)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < versions->count; i++) {
		struct ktstr_error *error = ktstr_kernel_remove(versions->items[i]);

		if (error)
			status = ktstr_cli_fail(error);
		else
			printf("removed %s\n", versions->items[i]);
	}
	return status;
}

static int cmd_remove(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "corrupt", OPTION_CORRUPT, NULL, 0, "Remove every corrupt entry", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_remove,
		.args_doc = "VERSION...",
		.doc = "Remove kernels from the cache.",
	};
	struct remove_arguments arguments = { 0 };
	struct ktstr_error *error = NULL;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (arguments.corrupt)
		error = add_corrupt(&arguments.versions);
	status = error ? ktstr_cli_fail(error) : remove_all(&arguments.versions);
	ktstr_strv_deinit(&arguments.versions);
	return status;
}

/* --- the subcommand itself --- */

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "get", cmd_get, "fetch a Debian kernel: a version, a series or latest" },
	{ "list", cmd_list, "kernels in the cache, or --available ones" },
	{ "remove", cmd_remove, "remove kernels from the cache" },
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *stream)
{
	fputs("Usage: ktstr kernel COMMAND [OPTION...]\nKernels that tests boot.\n\n", stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`ktstr kernel COMMAND --help` tells more.\n", stream);
}

static int unknown_command(const char *name)
{
	const char *names[COMMAND_COUNT];
	const char *nearest;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	nearest = ktstr_nearest_name(name, names, COMMAND_COUNT);
	fprintf(stderr, "ktstr kernel: no command \"%s\"%s%s%s (commands: get, list, remove)\n",
		name, nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
	return argp_err_exit_status;
}

int ktstr_cmd_kernel(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return argp_err_exit_status;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		_cleanup_free_ char *name = NULL;

		if (strcmp(argv[1], commands[i].name))
			continue;
		/* argp shows argv[0] in usage and errors. */
		name = ktstr_xasprintf("ktstr kernel %s", argv[1]);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}
