// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr runs`: what ran before, from the index of runs. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "result/index.h"

struct runs_arguments {
	const char *action, *what;
	struct ktstr_index_query query;
	bool json, forget;
};

enum { KEY_FORGET = 256, KEY_OUTCOME, DEFAULT_LIMIT = 20 };
enum { LINE_WIDTH = 80, KERNEL_WIDTH = 9, COMMIT_WIDTH = 13 }; /* of `runs list` */

static const struct argp_option options[] = {
	{ "test", 't', "NAME", 0, "results of this test only", 0 },
	{ "scheduler", 's', "NAME", 0, "under this scheduler", 0 },
	{ "topology", 'T', "SHAPE", 0, "on this topology", 0 },
	{ "kernel", 'K', "VERSION", 0, "on kernels whose version begins so", 0 },
	{ "commit", 'c', "COMMIT", 0, "of project commits that begin so", 0 },
	{ "outcome", KEY_OUTCOME, "KIND", 0, "pass, fail, inconclusive or skip", 0 },
	{ "limit", 'n', "N", 0, "the newest N; default 20, 0 = all", 0 },
	{ "forget", KEY_FORGET, NULL, 0, "reindex: drop what no sidecar tells any more", 0 },
	{ "json", 'J', NULL, 0, "as JSON", 0 },
	{ 0 },
};

static bool is_outcome(const char *name)
{
	for (enum ktstr_outcome_kind kind = KTSTR_OUTCOME_PASS; kind <= KTSTR_OUTCOME_FAIL; kind++)
		if (!strcmp(name, ktstr_outcome_name(kind)))
			return true;
	return false;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct runs_arguments *arguments = state->input;
	char *end;

	switch (key) {
	case 't':
		arguments->query.test = value;
		return 0;
	case 's':
		arguments->query.scheduler = value;
		return 0;
	case 'T':
		arguments->query.topology = value;
		return 0;
	case 'K':
		arguments->query.kernel = value;
		return 0;
	case 'c':
		arguments->query.commit = value;
		return 0;
	case KEY_OUTCOME:
		if (!is_outcome(value))
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "--outcome %s: give pass, fail, inconclusive or skip", value);
		arguments->query.outcome = value;
		return 0;
	case 'n':
		arguments->query.limit = (unsigned int)strtoul(value, &end, 10);
		if (*end || !*value)
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "--limit %s: give a number", value);
		return 0;
	case KEY_FORGET:
		arguments->forget = true;
		return 0;
	case 'J':
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!arguments->action)
			arguments->action = value;
		else if (!arguments->what)
			arguments->what = value;
		else
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "%s: one argument too many", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "list\nshow RUN|SIDECAR\nhistory METRIC --test NAME\nreindex [DIR]",
	.doc = "Every result is in an index beside the run directories ($KTSTR_RUNS_ROOT/index.sqlite). A run directory holds the "
	       "last run of its kernel and commit; the index remembers the numbers of earlier ones, too.",
};

struct output {
	json_t *array; /* NULL = text */
	size_t count;
	double *values;
	struct ktstr_strv machines; /* topology and scheduler of each value */
};

/* Columns that a line of `runs list` may take beyond LINE_WIDTH; in a pipe any number. */
static size_t spare_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return SIZE_MAX;
	return size.ws_col > LINE_WIDTH ? size.ws_col - LINE_WIDTH : 0;
}

/* Ends a text that its column is too narrow for in an ellipsis, which is one character. */
static char *cut_to(const char *text, size_t width)
{
	return strlen(text) <= width ? ktstr_xstrdup(text) : ktstr_xasprintf("%.*s…", (int)width - 1, text);
}

static size_t excess(const char *text, size_t width)
{
	return strlen(text) > width ? strlen(text) - width : 0;
}

/* Long names of kernels and commits move the columns behind them, unless the terminal would wrap the line. */
static void print_run_line(const struct ktstr_index_run *run)
{
	const char *kernel = *run->kernel ? run->kernel : "-", *commit = *run->commit ? run->commit : "-";
	bool fits = excess(kernel, KERNEL_WIDTH) + excess(commit, COMMIT_WIDTH) <= spare_columns();
	_cleanup_free_ char *short_kernel = cut_to(kernel, fits ? SIZE_MAX : KERNEL_WIDTH);
	_cleanup_free_ char *short_commit = cut_to(commit, fits ? SIZE_MAX : COMMIT_WIDTH);
	char took[32];

	printf("%-26s %-*s %-*s %6llu %6llu %5llu %9s\n", run->run_id, KERNEL_WIDTH, short_kernel, COMMIT_WIDTH, short_commit,
	       (unsigned long long)run->passed, (unsigned long long)run->failed,
	       (unsigned long long)(run->inconclusive + run->skipped),
	       ktstr_format_duration(run->duration_ns / 1000000 * 1000000, took));
}

static void print_run(void *context, const struct ktstr_index_run *run)
{
	struct output *output = context;

	if (output->array) {
		json_array_append_new(output->array,
				      json_pack("{ss ss ss ss ss sI sI sI sI sI sI}", "run_id", run->run_id, "timestamp",
						run->timestamp, "kernel_version", run->kernel, "project_commit", run->commit,
						"run_source", run->run_source, "tests", (json_int_t)run->tests, "passed",
						(json_int_t)run->passed, "failed", (json_int_t)run->failed, "inconclusive",
						(json_int_t)run->inconclusive, "skipped", (json_int_t)run->skipped,
						"duration_ns", (json_int_t)run->duration_ns));
		return;
	}
	/* The name of a run begins with its time: no column repeats it, so that a line has 80 characters. */
	if (!output->count++)
		printf("%-26s %-*s %-*s %6s %6s %5s %9s\n", "RUN", KERNEL_WIDTH, "KERNEL", COMMIT_WIDTH, "COMMIT", "PASSED",
		       "FAILED", "OTHER", "TEST TIME");
	print_run_line(run);
}

static struct ktstr_error *list(const struct runs_arguments *arguments, struct ktstr_index *index)
{
	struct output output = { .array = arguments->json ? json_array() : NULL };

	KTSTR_TRY(ktstr_index_runs(index, &arguments->query, print_run, &output));
	if (output.array)
		ktstr_cli_print_json(output.array);
	else if (!output.count)
		puts("no runs");
	return NULL;
}

static void print_result(void *context, const struct ktstr_index_row *row)
{
	struct output *output = context;

	output->count++;
	if (output->array) {
		json_array_append_new(output->array,
				      json_pack("{ss ss ss ss ss ss ss ss sI ss}", "run_id", row->run_id, "timestamp",
						row->timestamp, "test_name", row->test, "topology", row->topology,
						"scheduler", row->scheduler, "kernel_version", row->kernel, "outcome",
						row->outcome, "cause", row->cause, "duration_ns",
						(json_int_t)row->duration_ns, "sidecar", row->sidecar));
		return;
	}
	printf("%-12s  %-24s  %-9s  %-12s  %s%s\n", row->outcome, row->test, row->topology, row->scheduler, row->sidecar,
	       ktstr_path_exists(row->sidecar) ? "" : " (replaced by a later run)");
	if (*row->cause)
		printf("              %s\n", row->cause);
}

static struct ktstr_error *show_file(const char *path)
{
	_cleanup_free_ char *report = NULL;
	struct ktstr_test_result result;

	KTSTR_TRY_WRAP(ktstr_result_load(path, &result), "%s", path);
	report = ktstr_result_report(&result, ktstr_use_colour(STDOUT_FILENO));
	ktstr_test_result_deinit(&result);
	fputs(report, stdout);
	return NULL;
}

static struct ktstr_error *show_run(const struct runs_arguments *arguments, struct ktstr_index *index)
{
	struct output output = { .array = arguments->json ? json_array() : NULL };
	struct ktstr_index_query query = arguments->query;

	query.run_id = arguments->what;
	query.limit = 0;
	KTSTR_TRY(ktstr_index_each(index, &query, print_result, &output));
	if (!output.count)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no run %s, and no such file; `ktstr runs list` shows the runs",
				       arguments->what);
	if (output.array)
		ktstr_cli_print_json(output.array);
	return NULL;
}

/* The last value of the same topology and scheduler, which alone is one to compare with; 0 when there is none. */
static double value_before(const struct output *output, const char *machine)
{
	for (size_t i = output->count; i; i--)
		if (!strcmp(output->machines.items[i - 1], machine))
			return output->values[i - 1];
	return 0;
}

static void add_value(void *context, const struct ktstr_index_row *row)
{
	struct output *output = context;
	_cleanup_free_ char *machine = ktstr_xasprintf("%s %s", row->topology, row->scheduler);
	double before = value_before(output, machine);
	char change[32] = "";

	ktstr_strv_add(&output->machines, machine);
	output->values = ktstr_xrealloc(output->values, (output->count + 1) * sizeof(*output->values));
	output->values[output->count++] = row->value;
	if (output->array) {
		json_array_append_new(output->array, json_pack("{ss ss ss ss ss ss ss sf}", "timestamp", row->timestamp,
							       "run_id", row->run_id, "topology", row->topology,
							       "scheduler", row->scheduler, "kernel_version", row->kernel,
							       "project_commit", row->commit, "outcome", row->outcome,
							       "value", row->value));
		return;
	}
	if (before != 0)
		snprintf(change, sizeof(change), "%+.1f%%", 100 * (row->value - before) / fabs(before));
	printf("%-20s  %-10s  %-14s  %-9s  %-12s  %-5.5s %14.6g  %8s\n", row->timestamp, row->kernel,
	       *row->commit ? row->commit : "-", row->topology, row->scheduler, row->outcome, row->value, change);
}

static int compare_values(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_sparkline(double *values, size_t count)
{
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	double low = values[0], high = values[0];

	for (size_t i = 0; i < count; i++) {
		low = fmin(low, values[i]);
		high = fmax(high, values[i]);
	}
	for (size_t i = 0; i < count; i++)
		fputs(bars[high > low ? (int)((values[i] - low) / (high - low) * 7.999) : 3], stdout);
	qsort(values, count, sizeof(*values), compare_values);
	printf("  min %.6g, median %.6g, max %.6g of %zu\n", low, (values[(count - 1) / 2] + values[count / 2]) / 2, high, count);
}

static struct ktstr_error *no_such_metric(const struct runs_arguments *arguments, struct ktstr_index *index)
{
	_cleanup_strv_ struct ktstr_strv names = { 0 };
	const char *nearest;

	KTSTR_TRY(ktstr_index_metric_names(index, &arguments->query, &names));
	if (!names.count)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no results of test \"%s\" (with these filters; skipped ones measured nothing)",
				       arguments->query.test);
	nearest = ktstr_nearest_name(arguments->what, (const char *const *)names.items, names.count);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no metric \"%s\" in results of \"%s\"; %s%s%s", arguments->what,
			       arguments->query.test, nearest ? "did you mean \"" : "", nearest ? nearest : "`ktstr runs history ? --test ",
			       nearest ? "\"?" : "NAME` lists them");
}

static struct ktstr_error *list_metrics(const struct runs_arguments *arguments, struct ktstr_index *index)
{
	_cleanup_strv_ struct ktstr_strv names = { 0 };

	KTSTR_TRY(ktstr_index_metric_names(index, &arguments->query, &names));
	for (size_t i = 0; i < names.count; i++)
		puts(names.items[i]);
	return NULL;
}

static struct ktstr_error *history(const struct runs_arguments *arguments, struct ktstr_index *index)
{
	struct output output = { .array = arguments->json ? json_array() : NULL };
	_cleanup_free_ double *values = NULL;
	struct ktstr_error *error;

	if (!strcmp(arguments->what, "?"))
		return list_metrics(arguments, index);
	error = ktstr_index_history(index, arguments->what, &arguments->query, add_value, &output);
	ktstr_strv_deinit(&output.machines);
	values = output.values;
	if (error)
		return error;
	if (output.array) {
		ktstr_cli_print_json(output.array);
		return NULL;
	}
	if (!output.count)
		return no_such_metric(arguments, index);
	print_sparkline(output.values, output.count);
	return NULL;
}

static struct ktstr_error *reindex(const struct runs_arguments *arguments)
{
	_cleanup_(ktstr_scan_deinit) struct ktstr_scan scan = { 0 };
	_cleanup_free_ char *root = arguments->what ? ktstr_xstrdup(arguments->what) : ktstr_runs_root();

	KTSTR_TRY(ktstr_index_rebuild(NULL, root, arguments->forget, &scan));
	for (size_t i = 0; i < scan.failures_count; i++)
		fprintf(stderr, "ktstr: %s: %s\n", scan.failures[i].path, scan.failures[i].error);
	printf("indexed %zu of %zu sidecars below %s\n", scan.valid, scan.walked, root);
	return NULL;
}

static const char *wrong_arguments(const struct runs_arguments *arguments)
{
	if (!strcmp(arguments->action, "show") && !arguments->what)
		return "show what? RUN or SIDECAR";
	if (!strcmp(arguments->action, "history") && !arguments->what)
		return "history of which METRIC? `ktstr runs history ? --test NAME` lists them";
	if (!strcmp(arguments->action, "history") && !arguments->query.test)
		return "history: of which --test NAME? `ktstr list` names them";
	return NULL;
}

static struct ktstr_error *act(const struct runs_arguments *arguments)
{
	static const struct {
		const char *name;
		struct ktstr_error *(*run)(const struct runs_arguments *arguments, struct ktstr_index *index);
	} actions[] = { { "list", list }, { "show", show_run }, { "history", history } };
	_cleanup_free_ char *note = NULL;
	struct ktstr_index *index;
	struct ktstr_error *error;

	if (!strcmp(arguments->action, "reindex"))
		return reindex(arguments);
	/* A file is one result with all that is known of it; anything else is the id of a run. */
	if (!strcmp(arguments->action, "show") && ktstr_path_exists(arguments->what))
		return show_file(arguments->what);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(arguments->action, actions[i].name))
			continue;
		KTSTR_TRY(ktstr_index_open_to_read(NULL, &index, &note));
		if (note)
			fprintf(stderr, "ktstr: %s\n", note);
		error = actions[i].run(arguments, index);
		ktstr_index_close(index);
		return error;
	}
	return ktstr_error_new(KTSTR_ERR_INVALID, "no action \"%s\": list, show, history or reindex", arguments->action);
}

int ktstr_cmd_runs(int argc, char **argv)
{
	struct runs_arguments arguments = { .query.limit = DEFAULT_LIMIT };
	struct ktstr_error *error;
	const char *wrong;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (!arguments.action)
		arguments.action = "list";
	wrong = wrong_arguments(&arguments);
	error = wrong ? ktstr_error_new(KTSTR_ERR_INVALID, "%s", wrong) : act(&arguments);
	return error ? ktstr_cli_fail(error) : KTSTR_EXIT_PASS;
}
