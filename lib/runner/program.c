// SPDX-License-Identifier: GPL-2.0-only
/* Loads the description that a test program prints of itself. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "check/perf_delta.h"
#include "disk/disk.h"
#include "ktstr/units.h"
#include "net/config.h"
#include "runner/runner.h"
#include "topology/constraints.h"
#include "topology/json.h"

#define DESCRIBE_TIMEOUT KTSTR_SEC(30)

static void test_info_deinit(struct ktstr_test_info *test)
{
	free(test->name);
	free(test->description);
	free(test->file);
	ktstr_topology_deinit(&test->topology);
	ktstr_sched_info_deinit(&test->scheduler);
	for (size_t i = 0; i < test->staged_count; i++)
		ktstr_sched_info_deinit(&test->staged[i]);
	free(test->staged);
	free(test->expect.contains);
	free(test->expect.matches);
	json_decref(test->expect.perf_delta_assertions);
	free(test->workload_root_cgroup);
	ktstr_networks_deinit(&test->networks);
	json_decref(test->checks);
	ktstr_observe_plan_deinit(&test->observe);
	ktstr_disk_free(test->disk);
	free(test->payload);
	free(test->rt_app);
	for (size_t i = 0; i < test->includes_count; i++)
		ktstr_include_spec_deinit(&test->includes[i]);
	free(test->includes);
}

void ktstr_program_deinit(struct ktstr_program *program)
{
	for (size_t i = 0; i < program->tests_count; i++)
		test_info_deinit(&program->tests[i]);
	free(program->tests);
	free(program->path);
	ktstr_strv_deinit(&program->errors);
	*program = (struct ktstr_program){ 0 };
}

/* Does the ELF file register tests (section ktstr_tests)? -1 when it is no ELF file. */
static int registers_tests(int fd)
{
	Elf *elf;
	Elf_Scn *section = NULL;
	size_t names;
	int found = -1;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF && !elf_getshdrstrndx(elf, &names)) {
		found = 0;
		while (!found && (section = elf_nextscn(elf, section))) {
			GElf_Shdr header;
			const char *name = gelf_getshdr(section, &header) ?
						   elf_strptr(elf, names, header.sh_name) :
						   NULL;

			found = name && !strcmp(name, "ktstr_tests");
		}
	}
	elf_end(elf);
	return found;
}

static struct ktstr_error *check_program(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ktstr_error_sys(errno, "test program %s (a program that you have built from KTSTR_TEST()s)", path);
	switch (registers_tests(fd)) {
	case 1:
		return NULL;
	case 0:
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s has no tests: declare some with KTSTR_TEST() and link libktstr", path);
	default:
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s is not an ELF program: name one that you have built from KTSTR_TEST()s", path);
	}
}

static char *dup_member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? ktstr_xstrdup(text) : NULL;
}

static struct ktstr_error *read_includes(const json_t *includes, struct ktstr_test_info *test)
{
	const json_t *item;
	size_t i;

	test->includes = ktstr_xcalloc(json_array_size(includes) + 1, sizeof(*test->includes));
	json_array_foreach(includes, i, item) {
		struct ktstr_include_spec *spec = &test->includes[test->includes_count++];

		*spec = (struct ktstr_include_spec){ .spec = dup_member(item, "spec"),
						     .owner = dup_member(item, "owner"),
						     .package = dup_member(item, "package"),
						     .program = json_is_true(json_object_get(item, "program")) };
		if (!spec->spec || !spec->owner)
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "test %s wants a file without a name", test->name);
	}
	return NULL;
}

static struct ktstr_error *read_staged(const json_t *staged, struct ktstr_test_info *test)
{
	const json_t *item;
	size_t i;

	test->staged = ktstr_xcalloc(json_array_size(staged) + 1, sizeof(*test->staged));
	json_array_foreach(staged, i, item)
		KTSTR_TRY(ktstr_sched_info_read(item, &test->staged[test->staged_count++]));
	return NULL;
}

static struct ktstr_error *read_expectation(const json_t *json, struct ktstr_expectation *expect)
{
	*expect = (struct ktstr_expectation){
		.failure = json_is_true(json_object_get(json, "err")),
		.contains = dup_member(json, "contains"),
		.matches = dup_member(json, "matches"),
		.allow_inconclusive = json_is_true(json_object_get(json, "allow_inconclusive")),
		.survives_storm = json_is_true(json_object_get(json, "survives_storm")),
	};
	return ktstr_perf_delta_clean(json, &expect->perf_delta_assertions);
}

static struct ktstr_error *read_test(const json_t *json, struct ktstr_test_info *test)
{
	test->name = dup_member(json, "name");
	if (!test->name)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a test without name");
	KTSTR_TRY_WRAP(ktstr_topology_from_json(json_object_get(json, "topology"), &test->topology), "test %s", test->name);
	test->constraints = ktstr_constraints_from_json(json_object_get(json, "constraints"));
	KTSTR_TRY_WRAP(ktstr_networks_from_json(json_object_get(json, "networks"), &test->networks), "test %s", test->name);
	test->description = dup_member(json, "description");
	test->file = dup_member(json, "file");
	test->line = (int)json_integer_value(json_object_get(json, "line"));
	test->memory_mib = (unsigned int)json_integer_value(json_object_get(json, "memory_mib"));
	test->workers_per_cgroup =
		(unsigned int)json_integer_value(json_object_get(json, "workers_per_cgroup"));
	test->duration_ns = (uint64_t)json_integer_value(json_object_get(json, "duration_ns"));
	test->cleanup_budget_ns = (uint64_t)json_integer_value(json_object_get(json, "cleanup_budget_ns"));
	KTSTR_TRY(ktstr_sched_info_read(json_object_get(json, "scheduler"), &test->scheduler));
	KTSTR_TRY(read_staged(json_object_get(json, "staged_schedulers"), test));
	KTSTR_TRY(read_expectation(json_object_get(json, "expect"), &test->expect));
	test->workload_root_cgroup = dup_member(json, "workload_root_cgroup");
	test->host_only = json_is_true(json_object_get(json, "host_only"));
	test->performance_mode = json_is_true(json_object_get(json, "performance_mode"));
	test->no_perf_mode = json_is_true(json_object_get(json, "no_perf_mode"));
	test->cpu_budget = (unsigned int)json_integer_value(json_object_get(json, "cpu_budget"));
	test->nokaslr = json_is_true(json_object_get(json, "nokaslr"));
	test->checks = json_incref(json_object_get(json, "checks"));
	KTSTR_TRY(ktstr_observe_plan_read(json_object_get(json, "observe"), &test->observe));
	KTSTR_TRY_WRAP(ktstr_disk_from_json(json_object_get(json, "disk"), &test->disk), "test %s", test->name);
	test->payload = dup_member(json, "payload");
	test->rt_app = dup_member(json, "rt_app");
	KTSTR_TRY(read_includes(json_object_get(json, "includes"), test));
	test->deterministic = json_is_true(json_object_get(json, "deterministic"));
	test->fresh_attach = json_is_true(json_object_get(json, "fresh_attach"));
	test->has_plan = json_is_true(json_object_get(json, "plan"));
	test->ignore = json_is_true(json_object_get(json, "ignore"));
	return NULL;
}

/* The linker keeps no order among the entries of a section; people expect that of the source. */
static int by_source_position(const void *a, const void *b)
{
	const struct ktstr_test_info *x = a, *y = b;
	int files = strcmp(x->file ? x->file : "", y->file ? y->file : "");

	return files ? files : x->line - y->line;
}

static struct ktstr_error *read_description(const json_t *json, struct ktstr_program *program)
{
	const json_t *tests = json_object_get(json, "tests"), *item;
	size_t i;

	if (json_integer_value(json_object_get(json, "ktstr")) != 1)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "it speaks another version of the description than this ktstr: rebuild it");
	program->tests = ktstr_xcalloc(json_array_size(tests) + 1, sizeof(*program->tests));
	json_array_foreach(tests, i, item)
		KTSTR_TRY(read_test(item, &program->tests[program->tests_count++]));
	qsort(program->tests, program->tests_count, sizeof(*program->tests), by_source_position);
	json_array_foreach(json_object_get(json, "errors"), i, item)
		ktstr_strv_add(&program->errors, json_string_value(item));
	return NULL;
}

/* What to do about a program that the loader finds no libktstr for; "" when that is not its trouble. Heap. */
static char *library_remedy(const struct ktstr_error *error)
{
	const char *message = ktstr_error_message(error);
	_cleanup_free_ char *own = NULL;
	Dl_info info;

	if (!strstr(message, "error while loading shared libraries: libktstr") ||
	    !dladdr(dlsym(RTLD_DEFAULT, "ktstr_error_new"), &info))
		return ktstr_xstrdup("");
	own = realpath(info.dli_fname, NULL);
	if (!own || !strrchr(own, '/'))
		return ktstr_xstrdup("");
	*strrchr(own, '/') = '\0';
	return ktstr_xasprintf(": link it with -Wl,-rpath,%s, or set LD_LIBRARY_PATH=%s", own, own);
}

struct ktstr_error *ktstr_program_load(const char *path, struct ktstr_program *program)
{
	const char *argv[] = { NULL, "--ktstr-describe", NULL };
	_cleanup_free_ char *out = NULL;
	struct ktstr_error *error;
	json_error_t parse_error;
	json_t *json;

	*program = (struct ktstr_program){ 0 };
	KTSTR_TRY(check_program(path));
	program->path = realpath(path, NULL);
	if (!program->path)
		return ktstr_error_sys(errno, "test program %s", path);
	argv[0] = program->path;
	error = ktstr_run_command(argv, DESCRIBE_TIMEOUT, &out, NULL);
	if (error) {
		_cleanup_error_ struct ktstr_error *cause = error;
		_cleanup_free_ char *remedy = library_remedy(error);

		return ktstr_error_new(ktstr_error_code(error), "cannot ask %s for its tests: %s%s", path,
				       ktstr_error_message(error), remedy);
	}
	json = json_loads(out, 0, &parse_error);
	if (!json)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s printed no description of its tests: %s", path,
				       parse_error.text);
	error = read_description(json, program);
	json_decref(json);
	return error ? ktstr_error_wrap(error, "description of %s", path) : NULL;
}

static struct ktstr_error *read_plan_errors(const struct ktstr_test_info *test, const char *shape, const char *text)
{
	_cleanup_str_ struct ktstr_str lines = { 0 };
	json_t *plan = json_loads(text, 0, NULL);
	const json_t *errors = json_object_get(plan, "errors"), *line;
	size_t i;

	json_array_foreach(errors, i, line)
		ktstr_str_addf(&lines, "\n  %s", json_string_value(line));
	json_decref(plan);
	if (!errors)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "test %s: the program did not show its plan", test->name);
	return lines.length ? ktstr_error_new(KTSTR_ERR_INVALID, "test %s cannot run on topology %s:%s", test->name, shape,
					      lines.data) :
			      NULL;
}

struct ktstr_error *ktstr_program_check_plan(const struct ktstr_program *program, const struct ktstr_test_info *test,
					     const struct ktstr_topology *topology)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];
	const char *argv[] = { program->path, "--ktstr-plan", "check", test->name, ktstr_topology_format(topology, shape),
			       NULL };
	_cleanup_free_ char *out = NULL;

	KTSTR_TRY_WRAP(ktstr_run_command(argv, DESCRIBE_TIMEOUT, &out, NULL), "cannot ask %s for the plan of %s",
		       program->path, test->name);
	return read_plan_errors(test, shape, out);
}
