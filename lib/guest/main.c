// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a test program does with its arguments: describe itself, run one body in the guest, or hand over to the
 * `ktstr` command, which knows how to boot.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/job.h"
#include "guest/registry.h"
#include "guest/runner.h"
#include "post_vm/role.h"

static int print_description(void)
{
	json_t *description = ktstr_registry_describe();
	int failed = json_dumpf(description, stdout, JSON_COMPACT);

	json_decref(description);
	return failed || fflush(stdout) ? KTSTR_EXIT_FAIL : KTSTR_EXIT_PASS;
}

/*
 * The plan of a test on a topology, or the declared one: as "text" or "json" for `ktstr show-plan`, with 1 when it cannot run;
 * "check": JSON for the runner, which looks into it.
 */
static int print_plan(const char *format, const char *name, const char *shape)
{
	const struct ktstr_test_entry *test = ktstr_find_test(name);
	_cleanup_error_ struct ktstr_error *error = NULL;
	struct ktstr_plan_setting setting;
	_cleanup_free_ char *text = NULL;
	json_t *json;
	bool sound;

	if (!test || !test->plan) {
		fprintf(stderr, test ? "test %s declares no .plan: what its body does is known when it runs\n" :
				       "no test \"%s\"\n", name);
		return KTSTR_EXIT_FAIL;
	}
	setting = ktstr_test_plan_setting(test);
	if (shape)
		error = ktstr_topology_parse(shape, &setting.topology);
	if (error) {
		fprintf(stderr, "%s\n", ktstr_error_message(error));
		return KTSTR_EXIT_FAIL;
	}
	json = ktstr_test_plan_to_json(test, &setting);
	text = strcmp(format, "text") ? json_dumps(json, JSON_INDENT(1)) : ktstr_plan_json_to_text(json);
	sound = !json_array_size(json_object_get(json, "errors")) || !strcmp(format, "check");
	json_decref(json);
	printf("%s%s", text ? text : "", strcmp(format, "text") ? "\n" : "");
	return fflush(stdout) || !sound ? KTSTR_EXIT_FAIL : KTSTR_EXIT_PASS;
}

/* `./my_tests ARGS` is `ktstr test ./my_tests ARGS`: $KTSTR, then beside this program, then PATH. */
static int hand_over(int argc, char **argv)
{
	_cleanup_strv_ struct ktstr_strv command = { 0 };
	_cleanup_free_ char *exe_dir = ktstr_exe_dir();
	_cleanup_free_ char *beside = ktstr_xasprintf("%s/ktstr", exe_dir);
	char self[PATH_MAX] = "";
	const char *tool = ktstr_env("KTSTR");

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return KTSTR_EXIT_FAIL;
	if (!tool)
		tool = access(beside, X_OK) ? "ktstr" : beside;
	ktstr_strv_add(&command, tool);
	ktstr_strv_add(&command, "test");
	for (int i = 1; i < argc; i++)
		ktstr_strv_add(&command, argv[i]);
	ktstr_strv_add(&command, "--");
	ktstr_strv_add(&command, self);
	execvp(tool, command.items);
	fprintf(stderr,
		"%s: cannot run \"%s\": %s\n"
		"Install ktstr, put it in PATH, or say where it is with KTSTR=/path/to/ktstr.\n",
		argv[0], tool, strerror(errno));
	return KTSTR_EXIT_FAIL;
}

int ktstr_main(int argc, char **argv, const struct ktstr_test_entry *const *tests_begin,
	       const struct ktstr_test_entry *const *tests_end,
	       const struct ktstr_scheduler *const *schedulers_begin,
	       const struct ktstr_scheduler *const *schedulers_end)
{
	ktstr_registry = (struct ktstr_registry){ tests_begin, tests_end, schedulers_begin,
						  schedulers_end };
	if (argc == 2 && !strcmp(argv[1], "--ktstr-describe"))
		return print_description();
	if (argc == 3 && !strcmp(argv[1], KTSTR_GUEST_OPTION))
		return ktstr_guest_run(argv[2]);
	if (argc == 3 && !strcmp(argv[1], KTSTR_GUEST_HELD_OPTION))
		return ktstr_guest_hold() ? ktstr_guest_run(argv[2]) : KTSTR_EXIT_FAIL;
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "--ktstr-plan"))
		return print_plan(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[1], KTSTR_POST_VM_OPTION))
		return ktstr_post_vm_main(argv[2], argv[3]);
	return hand_over(argc, argv);
}
