// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr list`: built-in scenarios, or the tests of programs. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/scenarios.h"
#include "disk/disk.h"
#include "topology/constraints.h"

struct list_arguments {
	struct ktstr_strv programs;
	bool scenarios, work_types, json;
};

static const struct argp_option options[] = {
	{ "scenarios", 's', NULL, 0, "the built-in scenarios of `ktstr run` (default without PROGRAM)", 0 },
	{ "work-types", 'w', NULL, 0, "the work types that workers can do", 0 },
	{ "json", 'J', NULL, 0, "as JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct list_arguments *arguments = state->input;

	switch (key) {
	case 's':
		arguments->scenarios = true;
		return 0;
	case 'w':
		arguments->work_types = true;
		return 0;
	case 'J':
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		ktstr_strv_add(&arguments->programs, value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[PROGRAM...]",
	.doc = "Lists built-in scenarios, work types, or the tests of programs.",
};

struct columns {
	int name, shape, scheduler, duration; /* widths */
};

static void widen(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

/* A test with an rt-app file runs as long as that says, unless it says itself. */
static const char *show_duration(const struct ktstr_test_info *test, char buffer[32])
{
	return test->duration_ns ? ktstr_format_duration(test->duration_ns, buffer) : "rt-app's";
}

/* A test without a VM runs on the host as it is. */
static const char *show_shape(const struct ktstr_test_info *test, char buffer[KTSTR_TOPOLOGY_TEXT_BYTES])
{
	return test->host_only ? "host" : ktstr_topology_format(&test->topology, buffer);
}

static struct columns measure(const struct ktstr_program *program)
{
	struct columns columns = { 0 };
	char text[KTSTR_TOPOLOGY_TEXT_BYTES], duration[32];

	for (size_t i = 0; i < program->tests_count; i++) {
		const struct ktstr_test_info *test = &program->tests[i];

		widen(&columns.name, test->name);
		widen(&columns.shape, show_shape(test, text));
		widen(&columns.scheduler, test->scheduler.name);
		widen(&columns.duration, show_duration(test, duration));
	}
	return columns;
}

static void print_disk(const struct ktstr_disk_config *disk)
{
	_cleanup_free_ char *text = disk ? ktstr_disk_describe(disk) : NULL;

	if (text)
		printf("  (%s)", text);
}

static void print_tests(const struct ktstr_program *program, bool with_prefix)
{
	struct columns columns = measure(program);

	for (size_t i = 0; i < program->tests_count; i++) {
		const struct ktstr_test_info *test = &program->tests[i];
		const char *description = test->description ? test->description : "";
		char shape[KTSTR_TOPOLOGY_TEXT_BYTES], duration[32];

		printf("%s%-*s", with_prefix ? "ktstr/" : "", columns.name, test->name);
		if (with_prefix)
			printf("  %-*s  %-*s  %*s", columns.shape, show_shape(test, shape),
			       columns.scheduler, test->scheduler.name, columns.duration,
			       show_duration(test, duration));
		printf("%s%s", *description ? "  " : "", description);
		print_disk(test->disk);
		puts(test->ignore ? "  (run only by name)" : "");
	}
}

static void append_json(const struct ktstr_program *program, json_t *array)
{
	for (size_t i = 0; i < program->tests_count; i++) {
		const struct ktstr_test_info *test = &program->tests[i];
		struct ktstr_topology_constraints constraints = ktstr_constraints_effective(&test->constraints);
		char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

		json_array_append_new(
			array,
			json_pack("{ss ss* ss so ss sI sb ss so}", "name", test->name, "description",
				  test->description, "topology", show_shape(test, shape),
				  "constraints", ktstr_constraints_to_json(&constraints), "scheduler", test->scheduler.name, "duration_ns",
				  (json_int_t)test->duration_ns, "ignore", (int)test->ignore, "program",
				  program->path, "disk", ktstr_disk_to_json(test->disk)));
	}
}

static struct ktstr_error *list_program(const struct list_arguments *arguments, const char *path,
					json_t *array)
{
	struct ktstr_program program;
	struct ktstr_error *error = path ? ktstr_program_load(path, &program) :
					   ktstr_cli_load_scenarios(&program);

	if (!error && arguments->json)
		append_json(&program, array);
	else if (!error)
		print_tests(&program, path != NULL);
	ktstr_program_deinit(&program);
	return error;
}

/* One name at the start of each line, what it presses behind it. */
static void list_work_types(const struct list_arguments *arguments, json_t *array)
{
	for (unsigned int i = 0; i < KTSTR_WORK_KINDS; i++) {
		enum ktstr_work_kind kind = (enum ktstr_work_kind)i;
		_cleanup_free_ char *parameters = ktstr_work_type_parameters(kind);

		if (arguments->json)
			json_array_append_new(array, json_pack("{ss ss ss ss}", "name", ktstr_work_type_name(kind),
							       "pressure", ktstr_work_type_pressure(kind), "unit",
							       ktstr_work_type_unit(kind), "parameters", parameters));
		else
			printf("%-26s %s%s%s%s\n", ktstr_work_type_name(kind), ktstr_work_type_pressure(kind),
			       *parameters ? " [" : "", parameters, *parameters ? "]" : "");
	}
}

static struct ktstr_error *list_all(const struct list_arguments *arguments, json_t *array)
{
	if (arguments->work_types)
		list_work_types(arguments, array);
	if (arguments->scenarios || (!arguments->programs.count && !arguments->work_types))
		KTSTR_TRY(list_program(arguments, NULL, array));
	for (size_t i = 0; i < arguments->programs.count; i++)
		KTSTR_TRY(list_program(arguments, arguments->programs.items[i], array));
	return NULL;
}

int ktstr_cmd_list(int argc, char **argv)
{
	struct list_arguments arguments = { 0 };
	json_t *array = json_array();
	struct ktstr_error *error;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	error = list_all(&arguments, array);
	if (!error && arguments.json)
		ktstr_cli_print_json(ktstr_take(array));
	json_decref(array);
	ktstr_strv_deinit(&arguments.programs);
	return error ? ktstr_cli_fail(error) : KTSTR_EXIT_PASS;
}
