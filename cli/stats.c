// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr stats`: what the sidecars of run directories hold. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "host/host.h"
#include "ktstr/metric.h"
#include "result/explain.h"
#include "result/scan.h"

struct stats_arguments {
	const char *action, *run, *dir;
	bool json, markdown;
};

static const struct argp_option options[] = {
	{ "run", 'r', "NAME", 0, "a run directory, as `ktstr stats list` names it; default: the newest", 0 },
	{ "dir", 'd', "DIR", 0, "where run directories are; default $KTSTR_RUNS_ROOT", 0 },
	{ "json", 'J', NULL, 0, "as JSON", 0 },
	{ "markdown", 'm', NULL, 0, "list-metrics: as the page of the reference", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct stats_arguments *arguments = state->input;

	switch (key) {
	case 'r':
		arguments->run = value;
		return 0;
	case 'd':
		arguments->dir = value;
		return 0;
	case 'J':
		arguments->json = true;
		return 0;
	case 'm':
		arguments->markdown = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->action)
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "%s: one argument too many", value);
		arguments->action = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "list\nlist-values\nlist-metrics\nshow-host\nexplain-sidecar",
	.doc = "Looks into run directories: which there are, the values that their sidecars have of each dimension, the host "
	       "they ran on, and why keys are null; and the metrics that results can have.",
};

/* A run directory, with what `list` shows of it. */
struct run_dir {
	char *name, *path;
	time_t changed;
	size_t tests;
	char *arch; /* NULL = not recorded */
	bool readable;
};

static int newest_first(const void *a, const void *b)
{
	const struct run_dir *x = a, *y = b;

	if (x->readable != y->readable)
		return x->readable ? -1 : 1;
	return (x->changed < y->changed) - (x->changed > y->changed);
}

static struct ktstr_error *look_into(void *context, const char *path, const json_t *sidecar)
{
	struct run_dir *run = context;
	const char *arch = json_string_value(json_object_get(json_object_get(sidecar, "host"), "arch"));

	(void)path;
	run->tests++;
	if (arch && !run->arch)
		run->arch = ktstr_xstrdup(arch);
	return NULL;
}

static void free_runs(struct run_dir *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(runs[i].name);
		free(runs[i].path);
		free(runs[i].arch);
	}
	free(runs);
}

static struct ktstr_error *find_runs(const char *root, struct run_dir **runs, size_t *count)
{
	_cleanup_closedir_ DIR *dir = opendir(root);
	const struct dirent *entry;

	*runs = NULL;
	*count = 0;
	if (!dir && errno == ENOENT)
		return NULL;
	if (!dir)
		return ktstr_error_sys(errno, "cannot list %s", root);
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", root, entry->d_name);
		_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
		struct run_dir *run;
		struct ktstr_error *error;
		struct stat status;

		if (*entry->d_name == '.' || stat(path, &status) || !S_ISDIR(status.st_mode))
			continue;
		*runs = ktstr_xrealloc(*runs, (*count + 1) * sizeof(**runs));
		run = &(*runs)[(*count)++];
		*run = (struct run_dir){ .name = ktstr_xstrdup(entry->d_name), .path = ktstr_xstrdup(path), .changed = status.st_mtime };
		error = ktstr_scan_sidecars(path, look_into, run, &scan);
		run->readable = !error && scan.valid;
		ktstr_error_free(error);
	}
	if (*count)
		qsort(*runs, *count, sizeof(**runs), newest_first);
	return NULL;
}

static char *runs_root_of(const struct stats_arguments *arguments)
{
	return arguments->dir ? ktstr_xstrdup(arguments->dir) : ktstr_runs_root();
}

static struct ktstr_error *list(const struct stats_arguments *arguments)
{
	_cleanup_free_ char *root = runs_root_of(arguments);
	json_t *array = json_array();
	struct run_dir *runs;
	size_t count;

	KTSTR_TRY(find_runs(root, &runs, &count));
	if (!arguments->json && count)
		printf("%-36s %5s  %-20s  %s\n", "RUN", "TESTS", "DATE", "ARCH");
	for (size_t i = 0; i < count; i++) {
		char when[32];

		ktstr_format_utc(runs[i].changed, when);
		if (arguments->json)
			json_array_append_new(array, json_pack("{ss sI ss ss?}", "run", runs[i].name, "tests",
							       (json_int_t)runs[i].tests, "date", when, "arch", runs[i].arch));
		else if (runs[i].readable)
			printf("%-36s %5zu  %-20s  %s\n", runs[i].name, runs[i].tests, when, runs[i].arch ? runs[i].arch : "-");
		else
			printf("%-36s %5s  %-20s  %s\n", runs[i].name, "-", when, "-");
	}
	free_runs(runs, count);
	if (arguments->json) {
		ktstr_cli_print_json(array);
		return NULL;
	}
	json_decref(array);
	if (!count)
		printf("no runs below %s\n", root);
	return NULL;
}

/* The directory of --run, or of the newest run. */
static struct ktstr_error *chosen_run(const struct stats_arguments *arguments, char **path)
{
	_cleanup_free_ char *root = runs_root_of(arguments);
	struct ktstr_error *error = NULL;
	struct run_dir *runs;
	size_t count;

	if (arguments->run) {
		*path = ktstr_xasprintf("%s/%s", root, arguments->run);
		if (ktstr_path_exists(*path))
			return NULL;
		free(ktstr_take(*path));
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no run %s below %s; `ktstr stats list` shows the runs",
				       arguments->run, root);
	}
	KTSTR_TRY(find_runs(root, &runs, &count));
	if (count)
		*path = ktstr_xstrdup(runs[0].path);
	else
		error = ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no runs below %s", root);
	free_runs(runs, count);
	return error;
}

static const struct {
	const char *name, *key;
	bool numbers; /* 0 says nothing */
} dimensions[] = {
	{ "kernel", "kernel_version", false },	     { "commit", "project_commit", false },
	{ "kernel_commit", "kernel_commit", false }, { "source", "run_source", false },
	{ "resolve_source", "resolve_source", false }, { "cpu_budget", "cpu_budget", true },
	{ "scheduler", "scheduler", false },	     { "topology", "topology", false },
	{ "work_type", "work_type", false },
};
enum { DIMENSIONS = sizeof(dimensions) / sizeof(dimensions[0]) };

/* Distinct values of each dimension: an object per dimension with them as keys. */
static struct ktstr_error *collect_values(void *context, const char *path, const json_t *sidecar)
{
	json_t **values = context;

	(void)path;
	for (int i = 0; i < DIMENSIONS; i++) {
		json_t *value = json_object_get(sidecar, dimensions[i].key);
		char number[32];

		if (dimensions[i].numbers && json_integer_value(value)) {
			snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
			json_object_set(values[i], number, value);
		} else if (!dimensions[i].numbers && json_is_string(value)) {
			json_object_set(values[i], json_string_value(value), value);
		} else if (!dimensions[i].numbers) {
			json_object_set_new(values[i], "unknown", json_null());
		}
	}
	return NULL;
}

static void print_values(json_t **values)
{
	const char *key;
	json_t *value;

	for (int i = 0; i < DIMENSIONS; i++) {
		printf("%s:\n", dimensions[i].name);
		json_object_foreach(values[i], key, value)
			printf("  %s\n", key);
	}
}

static json_t *values_to_json(json_t **values)
{
	json_t *json = json_object();
	const char *key;
	json_t *value;

	for (int i = 0; i < DIMENSIONS; i++) {
		json_t *array = json_array();

		json_object_foreach(values[i], key, value)
			json_array_append(array, value);
		json_object_set_new(json, dimensions[i].name, array);
	}
	return json;
}

static void complain(const struct ktstr_scan *scan)
{
	if (scan->failures_count)
		fprintf(stderr, "ktstr: %zu of %zu sidecars could not be read; `ktstr stats explain-sidecar` names them\n",
			scan->failures_count, scan->walked);
}

/* Whoever wrote them: under --dir they are looked at somewhere else. */
static void call_archived(json_t **values)
{
	for (int i = 0; i < DIMENSIONS; i++) {
		if (strcmp(dimensions[i].key, "run_source") || !json_object_size(values[i]))
			continue;
		json_object_clear(values[i]);
		json_object_set_new(values[i], "archive", json_string("archive"));
	}
}

static struct ktstr_error *list_values(const struct stats_arguments *arguments)
{
	_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
	_cleanup_free_ char *root = runs_root_of(arguments);
	json_t *values[DIMENSIONS];
	struct ktstr_error *error;

	for (int i = 0; i < DIMENSIONS; i++)
		values[i] = json_object();
	error = ktstr_scan_sidecars(root, collect_values, values, &scan);
	if (arguments->dir)
		call_archived(values);
	if (!error && arguments->json)
		ktstr_cli_print_json(values_to_json(values));
	else if (!error)
		print_values(values);
	complain(&scan);
	for (int i = 0; i < DIMENSIONS; i++)
		json_decref(values[i]);
	return error;
}

static struct ktstr_error *keep_first_host(void *context, const char *path, const json_t *sidecar)
{
	json_t **host = context, *found = json_object_get(sidecar, "host");

	(void)path;
	if (!*host && json_is_object(found))
		*host = json_incref(found);
	return NULL;
}

static struct ktstr_error *show_host(const struct stats_arguments *arguments)
{
	_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct ktstr_host_context context;
	json_t *host = NULL;

	KTSTR_TRY(chosen_run(arguments, &path));
	KTSTR_TRY(ktstr_scan_sidecars(path, keep_first_host, &host, &scan));
	if (!host)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no sidecar in %s records its host", path);
	if (arguments->json) {
		ktstr_cli_print_json(host);
		return NULL;
	}
	KTSTR_TRY(ktstr_host_context_from_json(host, &context));
	json_decref(host);
	text = ktstr_host_context_format(&context);
	ktstr_host_context_deinit(&context);
	fputs(text, stdout);
	return NULL;
}

static struct ktstr_error *count_nulls(void *context, const char *path, const json_t *sidecar)
{
	size_t *nulls = context;

	(void)path;
	for (size_t i = 0; i < ktstr_nullable_keys_count; i++) {
		const json_t *value = json_object_get(sidecar, ktstr_nullable_keys[i].key);

		nulls[i] += !value || json_is_null(value);
	}
	return NULL;
}

static const char *classification(const struct ktstr_nullable_key *key)
{
	return key->actionable ? "actionable" : "expected";
}

static json_t *explanation_to_json(const struct ktstr_scan *scan, const size_t *nulls)
{
	json_t *errors = json_array(), *io_errors = json_array(), *fields = json_object();

	for (size_t i = 0; i < scan->failures_count; i++) {
		const struct ktstr_scan_failure *failure = &scan->failures[i];

		if (failure->unreadable)
			json_array_append_new(io_errors, json_pack("{ss ss}", "path", failure->path, "error", failure->error));
		else
			json_array_append_new(errors, json_pack("{ss ss sn}", "path", failure->path, "error", failure->error,
								"enriched_message"));
	}
	for (size_t i = 0; i < ktstr_nullable_keys_count; i++) {
		const struct ktstr_nullable_key *key = &ktstr_nullable_keys[i];

		json_object_set_new(fields, key->key,
				    json_pack("{sI sI ss ss ss?}", "none_count", (json_int_t)nulls[i], "some_count",
					      (json_int_t)(scan->valid - nulls[i]), "classification", classification(key),
					      "causes", key->causes, "fix", key->fix));
	}
	return json_pack("{ss s{sI sI so so} so}", "_schema_version", "1", "_walk", "walked", (json_int_t)scan->walked, "valid",
			 (json_int_t)scan->valid, "errors", errors, "io_errors", io_errors, "fields", fields);
}

static void print_explanation(const struct ktstr_scan *scan, const size_t *nulls)
{
	printf("%zu sidecars, %zu valid\n", scan->walked, scan->valid);
	for (size_t i = 0; i < scan->failures_count; i++)
		printf("damaged: %s: %s\n", scan->failures[i].path, scan->failures[i].error);
	for (size_t i = 0; i < ktstr_nullable_keys_count; i++) {
		const struct ktstr_nullable_key *key = &ktstr_nullable_keys[i];

		if (!nulls[i])
			continue;
		printf("%s: null in %zu of %zu (%s)\n  because: %s\n", key->key, nulls[i], scan->valid,
		       classification(key), key->causes);
		if (key->fix)
			printf("  remedy: %s\n", key->fix);
	}
}

static struct ktstr_error *explain_sidecar(const struct stats_arguments *arguments)
{
	_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
	_cleanup_free_ size_t *nulls = ktstr_xcalloc(ktstr_nullable_keys_count, sizeof(*nulls));
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(chosen_run(arguments, &path));
	KTSTR_TRY(ktstr_scan_sidecars(path, count_nulls, nulls, &scan));
	if (!scan.walked)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no sidecars in %s", path);
	if (arguments->json) {
		ktstr_cli_print_json(explanation_to_json(&scan, nulls));
		return NULL;
	}
	print_explanation(&scan, nulls);
	return NULL;
}

static json_t *metric_to_json(const struct ktstr_metric_def *def)
{
	const char *numerator = NULL, *denominator = NULL;

	if (def->kind == KTSTR_KIND_RATIO) {
		numerator = ktstr_metric_def((enum ktstr_builtin_metric)def->numerator)->name;
		denominator = ktstr_metric_def((enum ktstr_builtin_metric)def->denominator)->name;
	}
	return json_pack("{ss ss ss sf sf ss sb ss? ss?}", "name", def->name, "polarity", ktstr_polarity_name(def->polarity),
			 "kind", ktstr_metric_kind_name(def->kind), "default_abs", def->default_abs, "default_rel",
			 def->default_rel, "unit", def->unit, "hidden", (int)def->hidden, "numerator", numerator,
			 "denominator", denominator);
}

static struct ktstr_error *list_metrics(const struct stats_arguments *arguments)
{
	json_t *array = json_array();

	if (arguments->markdown)
		ktstr_metrics_print_markdown(stdout);
	else if (!arguments->json)
		printf("%-40s %-14s %-15s %11s %11s  %s\n", "NAME", "POLARITY", "KIND", "DEFAULT_ABS", "DEFAULT_REL", "UNIT");
	for (size_t i = 0; i < KTSTR_METRICS_COUNT && !arguments->markdown; i++) {
		const struct ktstr_metric_def *def = ktstr_metric_def((enum ktstr_builtin_metric)i);

		if (arguments->json)
			json_array_append_new(array, metric_to_json(def));
		else if (!def->hidden)
			printf("%-40s %-14s %-15s %11g %11g  %s\n", def->name, ktstr_polarity_name(def->polarity),
			       ktstr_metric_kind_name(def->kind), def->default_abs, def->default_rel,
			       *def->unit ? def->unit : "-");
	}
	if (arguments->json) {
		ktstr_cli_print_json(array);
		return NULL;
	}
	json_decref(array);
	return NULL;
}

static struct ktstr_error *act(const struct stats_arguments *arguments)
{
	static const struct {
		const char *name;
		struct ktstr_error *(*run)(const struct stats_arguments *arguments);
	} actions[] = {
		{ "list", list },
		{ "list-values", list_values },
		{ "list-metrics", list_metrics },
		{ "show-host", show_host },
		{ "explain-sidecar", explain_sidecar },
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(arguments->action, actions[i].name))
			return actions[i].run(arguments);
	return ktstr_error_new(KTSTR_ERR_INVALID, "no action \"%s\"; `ktstr stats --help` lists them", arguments->action);
}

int ktstr_cmd_stats(int argc, char **argv)
{
	struct stats_arguments arguments = { 0 };
	struct ktstr_error *error;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (!arguments.action)
		arguments.action = "list";
	error = act(&arguments);
	return error ? ktstr_cli_fail(error) : KTSTR_EXIT_PASS;
}
