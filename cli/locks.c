// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr locks`: who holds what on this host. It only looks: no lock is taken, no file made. */
#include <argp.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lock_holders.h"
#include "cli/commands.h"
#include "reserve/locks.h"

KTSTR_DEFINE_CLEANUP(struct ktstr_test_topology *, cleanup_topology, ktstr_test_topology_destroy)

struct arguments {
	bool json;
	uint64_t watch_ns; /* 0 = once */
};

static const struct argp_option options[] = {
	{ "json", 'J', NULL, 0, "as JSON; with --watch an object a line", 0 },
	{ "watch", 'w', "TIME", 0, "again and again, so far apart: 1s", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct ktstr_error *error = NULL;

	switch (key) {
	case 'J':
		arguments->json = true;
		return 0;
	case 'w':
		error = ktstr_cli_duration("--watch", value, &arguments->watch_ns);
		if (error)
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "%s", ktstr_error_message(error));
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Lists who holds the host's LLCs, and locks of the kernel cache and of run directories. Takes no lock.",
};

/* Files "<prefix><name>.lock" of one directory become the objects of one array. */
struct section {
	const char *name, *title; /* JSON key; for people */
	const char *key; /* what <name> is */
	const char *prefix;
	const char *directory;
	bool numbered; /* <name> is a number */
};

static json_t *holders_of(const char *path)
{
	struct ktstr_lock_holders holders;
	json_t *array = json_array();

	ktstr_lock_holders_read(path, &holders);
	for (size_t i = 0; i < holders.count; i++)
		json_array_append_new(array, json_pack("{si ss* sb}", "pid", (int)holders.items[i].pid, "cmdline",
						       holders.items[i].cmdline, "exclusive", (int)holders.items[i].exclusive));
	ktstr_lock_holders_deinit(&holders);
	return array;
}

/* Of an LLC by its index, of a CPU by its number; null when this host has no such. */
static json_t *node_of(const struct ktstr_test_topology *host, const struct section *section, unsigned int number)
{
	size_t count;
	const struct ktstr_llc_info *llcs = ktstr_test_topology_llcs(host, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(section->name, "llcs") ? ktstr_cpus_has(&llcs[i].cpus, number) : i == number)
			return json_integer(llcs[i].numa_node);
	return json_null();
}

static json_t *lock_json(const struct ktstr_test_topology *host, const struct section *section, const char *file)
{
	size_t skipped = strlen(section->prefix);
	_cleanup_free_ char *name = ktstr_xstrndup(file + skipped, strlen(file) - skipped - strlen(".lock"));
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", section->directory, file);
	unsigned int number = (unsigned int)strtoul(name, NULL, 10);
	json_t *lock = json_object();

	json_object_set_new(lock, section->key, section->numbered ? json_integer(number) : json_string(name));
	if (section->numbered)
		json_object_set_new(lock, "numa_node", node_of(host, section, number));
	json_object_set_new(lock, "lockfile", json_string(path));
	json_object_set_new(lock, "holders", holders_of(path));
	return lock;
}

static const struct section *filtered;

static int is_of_section(const struct dirent *entry)
{
	return ktstr_str_starts_with(entry->d_name, filtered->prefix) && ktstr_str_ends_with(entry->d_name, ".lock") &&
	       strlen(entry->d_name) > strlen(filtered->prefix) + strlen(".lock");
}

static json_t *section_json(const struct ktstr_test_topology *host, const struct section *section)
{
	json_t *array = json_array();
	struct dirent **entries;
	int count;

	filtered = section;
	count = scandir(section->directory, &entries, is_of_section, versionsort);
	for (int i = 0; i < count; i++) {
		json_array_append_new(array, lock_json(host, section, entries[i]->d_name));
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return array;
}

static void print_lock(const struct section *section, const json_t *lock)
{
	const json_t *key = json_object_get(lock, section->key), *holders = json_object_get(lock, "holders"), *holder;
	size_t i;

	if (json_is_integer(key))
		printf("%s %lld:", section->title, (long long)json_integer_value(key));
	else
		printf("%s %s:", section->title, json_string_value(key));
	json_array_foreach(holders, i, holder)
		printf("%s pid %lld %s (%s)", i ? "," : "", (long long)json_integer_value(json_object_get(holder, "pid")),
		       json_is_true(json_object_get(holder, "exclusive")) ? "exclusive" : "shared",
		       json_string_value(json_object_get(holder, "cmdline")) ?: "");
	puts(i ? "" : " <none recorded>");
}

static void print_all(const struct section *sections, size_t count, const json_t *locks)
{
	size_t printed = 0;

	for (size_t s = 0; s < count; s++) {
		const json_t *array = json_object_get(locks, sections[s].name), *lock;
		size_t i;

		json_array_foreach(array, i, lock)
			print_lock(&sections[s], lock);
		printed += json_array_size(array);
	}
	if (!printed)
		puts("no lock files");
}

static void show(const struct ktstr_test_topology *host, const struct section *sections, size_t count,
		 const struct arguments *arguments)
{
	json_t *locks = json_object();

	for (size_t s = 0; s < count; s++)
		json_object_set_new(locks, sections[s].name, section_json(host, &sections[s]));
	if (!arguments->json) {
		print_all(sections, count, locks);
	} else {
		json_dumpf(locks, stdout, arguments->watch_ns ? JSON_COMPACT : JSON_INDENT(1));
		putchar('\n');
	}
	fflush(stdout);
	json_decref(locks);
}

int ktstr_cmd_locks(int argc, char **argv)
{
	_cleanup_(cleanup_topology) struct ktstr_test_topology *host = NULL;
	_cleanup_free_ char *cache = ktstr_cache_dir();
	_cleanup_free_ char *runs = ktstr_runs_root();
	_cleanup_free_ char *cache_locks = ktstr_xasprintf("%s/kernels/.locks", cache);
	_cleanup_free_ char *run_locks = ktstr_xasprintf("%s/.locks", runs);
	const struct section sections[] = {
		{ "llcs", "LLC", "llc_idx", "ktstr-llc-", ktstr_lock_dir(), true },
		{ "cpus", "CPU", "cpu", "ktstr-cpu-", ktstr_lock_dir(), true },
		{ "cache", "kernel cache", "cache_key", "", cache_locks, false },
		{ "run_dirs", "run directory", "run_key", "", run_locks, false },
	};
	struct arguments arguments = { 0 };
	struct ktstr_error *error;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	error = ktstr_test_topology_from_system(NULL, &host);
	if (error)
		return ktstr_cli_fail(error);
	do {
		show(host, sections, sizeof(sections) / sizeof(sections[0]), &arguments);
		if (arguments.watch_ns)
			ktstr_sleep_ns(arguments.watch_ns);
	} while (arguments.watch_ns && !ferror(stdout));
	return KTSTR_EXIT_PASS;
}
