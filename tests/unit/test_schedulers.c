// SPDX-License-Identifier: GPL-2.0-only
/*
 * Declarations of schedulers: each mistake is told by scheduler and field before anything boots, and what is sound comes
 * to the host as it was written.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest/registry.h"
#include "kernel/kernel.h"
#include "ktstr/test.h"
#include "runner/runner.h"
#include "sched/declaration.h"
#include "unit.h"

static void body(struct ktstr_ctx *ctx)
{
	(void)ctx;
}

static const struct ktstr_scheduler
	plain = { .name = "plain", .binary = "scx_plain" },
	path = { .name = "p", .binary = "./x" },
	builtin = { .name = "b", .enable = KTSTR_ARGS("true") },
	hidden = { .name = ".hidden", .binary = "x" },
	slash = { .name = "a/b", .binary = "x" },
	late = { .name = "late", .binary = "x", .kargs = KTSTR_ARGS("quiet") },
	wants = { .name = "wants", .binary = "x", .config_file_def = { KTSTR_ARGS("{file}"), "/f" } },
	with_def = { .name = "s", .binary = "x",
		     .config_file_def = { KTSTR_ARGS("--layers", "f:{file},{file}"), "/include-files/l" } },
	with_file = { .name = "s", .binary = "x", .config_file = "conf/a.json" },
	full = { .name = "full", .enable = KTSTR_ARGS("on"), .disable = KTSTR_ARGS("off"), .kargs = KTSTR_ARGS("quiet"),
		 .sysctls = KTSTR_SYSCTLS({ "a.b", "1" }, { "c.d", "1 2" }), .kernels = KTSTR_ARGS("6.12..6.16") };

static void expect_message(struct ktstr_error *error, const char *const *parts)
{
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	for (; *parts; parts++)
		if (!strstr(ktstr_error_message(error), *parts))
			fail_msg("\"%s\" lacks \"%s\"", ktstr_error_message(error), *parts);
	ktstr_error_free(error);
}

#define REFUSED(PARTS, ...)                                                                        \
	expect_message(ktstr_scheduler_validate(&(struct ktstr_scheduler){ .name = "s", __VA_ARGS__ }), PARTS)
#define PARTS(...) (const char *const[]){ "scheduler s: ", __VA_ARGS__, NULL }

static void kinds(void **state)
{
	(void)state;
	assert_string_equal(ktstr_scheduler_spec_name(&KTSTR_SCHED_EEVDF), "eevdf");
	assert_string_equal(ktstr_scheduler_spec_name(&plain), "scx_plain");
	assert_string_equal(ktstr_scheduler_spec_name(&path), "./x");
	assert_string_equal(ktstr_scheduler_spec_name(&builtin), "kernel");
	assert_int_equal(ktstr_scheduler_spec(&plain), KTSTR_SCHEDULER_DISCOVER);
	assert_int_equal(ktstr_scheduler_spec(&path), KTSTR_SCHEDULER_PATH);
	assert_null(ktstr_scheduler_validate(&builtin));
	REFUSED(PARTS(".binary and .enable exclude each other"), .binary = "x", .enable = KTSTR_ARGS("true"));
	REFUSED(PARTS(".disable without an .enable"), .disable = KTSTR_ARGS("true"));
	REFUSED(PARTS(".enable is empty"), .enable = (const char *const[]){ NULL });
	REFUSED(PARTS(".enable: entry 2 is empty"), .enable = KTSTR_ARGS("true", ""));
	REFUSED(PARTS(".args, .config_file and .config_file_def need a .binary"), .args = KTSTR_ARGS("-v"));
	REFUSED(PARTS(".args: argument 1 has a line break"), .binary = "x", .args = KTSTR_ARGS("-v\n"));
}

static void kernel_words(void **state)
{
	static const char *const taken[] = { "console=tty", "loglevel=8", "rdinit=/x", "KTSTR_MAILBOX=0" };
	static const char *const keys[] = { "noDots", ".a.b", "a.b.", "a..b", "a/b.c", "a b.c", "a=b.c", "" };
	static const char *const values[] = { "", "a\nb", "a=b", "a\"b" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		REFUSED(PARTS(".kargs: ", "would override", taken[i]), .kargs = KTSTR_ARGS("quiet", taken[i]));
	REFUSED(PARTS(".kargs: ", "not one word"), .kargs = KTSTR_ARGS("a b"));
	REFUSED(PARTS(".kargs: ", "not one word"), .kargs = KTSTR_ARGS(""));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		REFUSED(PARTS(".sysctls: key"), .sysctls = KTSTR_SYSCTLS({ keys[i], "1" }));
	for (size_t i = 0; i < 4; i++)
		REFUSED(PARTS(".sysctls: a.b: value"), .sysctls = KTSTR_SYSCTLS({ "a.b", values[i] }));
	assert_null(ktstr_scheduler_validate(&(struct ktstr_scheduler){
		.name = "s", .kargs = KTSTR_ARGS("quiet", "a=b,c"), .sysctls = KTSTR_SYSCTLS({ "net.ipv4.tcp_rmem", "1 2 3" }) }));
}

static void cgroups(void **state)
{
	_cleanup_strv_ struct ktstr_strv found = { 0 };
	static const char *const args[] = { "-v", "--cell-parent-cgroup", "/a//./b/", "--cell-parent-cgroup=/c", NULL };

	(void)state;
	assert_null(ktstr_scheduler_cgroups("/a/b", args, &found));
	assert_int_equal(found.count, 2);
	assert_string_equal(found.items[0], "/a/b");
	assert_string_equal(found.items[1], "/c");
	REFUSED(PARTS(".cgroup_parent", "does not begin with '/'"), .cgroup_parent = { "a" });
	REFUSED(PARTS(".cgroup_parent", "no cgroup but the root"), .cgroup_parent = { "//." });
	REFUSED(PARTS(".cgroup_parent", "\"..\" in it"), .cgroup_parent = { "/a/../b" });
	REFUSED(PARTS(".cgroup_parent", "blanks"), .cgroup_parent = { "/a b" });
	REFUSED(PARTS("--cell-parent-cgroup has no value"), .binary = "x", .args = KTSTR_ARGS("--cell-parent-cgroup"));
	REFUSED(PARTS("--cell-parent-cgroup", "no cgroup but the root"), .binary = "x",
		.args = KTSTR_ARGS("--cell-parent-cgroup=/"));
}

static void config_files(void **state)
{
	_cleanup_strv_ struct ktstr_strv def = { 0 };
	_cleanup_strv_ struct ktstr_strv file = { 0 };

	(void)state;
	assert_null(ktstr_scheduler_validate(&with_def));
	ktstr_scheduler_config_args(&with_def, &def);
	assert_int_equal(def.count, 2);
	assert_string_equal(def.items[1], "f:/include-files/l,/include-files/l");
	ktstr_scheduler_config_args(&with_file, &file);
	assert_string_equal(file.items[0], "--config");
	assert_string_equal(file.items[1], "/include-files/a.json");
	REFUSED(PARTS("exclude each other"), .binary = "x", .config_file = "f",
		.config_file_def = { KTSTR_ARGS("{file}"), "/f" });
	REFUSED(PARTS(".config_file_def.args has no {file}"), .binary = "x",
		.config_file_def = { KTSTR_ARGS("--config"), "/f" });
	REFUSED(PARTS(".config_file_def.guest_path"), .binary = "x", .config_file_def = { KTSTR_ARGS("{file}"), "f" });
	REFUSED(PARTS(".config_file_def.guest_path"), .binary = "x", .config_file_def = { KTSTR_ARGS("{file}"), "/a/../f" });
	REFUSED(PARTS(".config_file is empty"), .binary = "x", .config_file = "");
}

#define TEST_REFUSED(PART, ...)                                                                    \
	expect_message(ktstr_test_entry_validate(                                                  \
			       &(struct ktstr_test_entry){ .name = "t", .body = body, __VA_ARGS__ }),  \
		       (const char *const[]){ "test t: ", PART, NULL })

static void tests(void **state)
{
	(void)state;
	TEST_REFUSED(".staged_schedulers: two schedulers are named plain", .staged_schedulers = KTSTR_SCHEDULERS(&plain, &plain));
	TEST_REFUSED(".staged_schedulers: scheduler plain is the test's own", .scheduler = &plain,
		     .staged_schedulers = KTSTR_SCHEDULERS(&plain));
	TEST_REFUSED(".staged_schedulers: scheduler .hidden", .staged_schedulers = KTSTR_SCHEDULERS(&hidden));
	TEST_REFUSED(".staged_schedulers: scheduler a/b", .staged_schedulers = KTSTR_SCHEDULERS(&slash));
	TEST_REFUSED(".kargs and .sysctls take effect when the kernel boots", .staged_schedulers = KTSTR_SCHEDULERS(&late));
	TEST_REFUSED("needs no staging", .staged_schedulers = KTSTR_SCHEDULERS(&KTSTR_SCHED_EEVDF));
	TEST_REFUSED(".config_file_def: the test's .config is for", .staged_schedulers = KTSTR_SCHEDULERS(&wants));
	TEST_REFUSED(".config is missing", .scheduler = &wants);
	TEST_REFUSED(".config: the scheduler has no .config_file_def", .scheduler = &plain, .config = "x");
	TEST_REFUSED(".extra_sched_args: argument 1", .scheduler = &plain, .extra_sched_args = KTSTR_ARGS("a\rb"));
	TEST_REFUSED(".extra_sched_args: scheduler eevdf is no program", .extra_sched_args = KTSTR_ARGS("-v"));
	TEST_REFUSED(".expect_scx_bpf_error_contains needs .expect_err", .expect_scx_bpf_error_contains = "x");
	TEST_REFUSED(".expect_scx_bpf_error_contains is empty", .expect_err = true, .expect_scx_bpf_error_contains = "");
	TEST_REFUSED(".expect_scx_bpf_error_matches: \"a(\"", .expect_err = true, .expect_scx_bpf_error_matches = "a(");
	TEST_REFUSED("matches anything", .expect_err = true, .expect_scx_bpf_error_matches = "a*");
	TEST_REFUSED(".host_only excludes .scheduler", .host_only = true, .scheduler = &plain);
	TEST_REFUSED(".host_only excludes .memory_mib", .host_only = true, .memory_mib = 512);
	TEST_REFUSED(".host_only excludes .deterministic", .host_only = true, .deterministic = true);
	TEST_REFUSED(".workload_root_cgroup", .workload_root_cgroup = { "/.." });
	TEST_REFUSED(".scheduler: scheduler s: .kargs", .scheduler = &(struct ktstr_scheduler){
								.name = "s", .kargs = KTSTR_ARGS("console=x") });
}

/* What the describing side writes the reading side has again, and it becomes words of the kernel's command line. */
static void from_declaration_to_command_line(void **state)
{
	static const struct ktstr_test_entry test = { .name = "t", .body = body, .scheduler = &full, .kaslr = KTSTR_OFF };
	static const struct ktstr_test_entry *const entries[] = { &test };
	struct ktstr_test_info info = { .name = (char *)"t", .nokaslr = true };
	struct ktstr_program program = { .path = (char *)"/x/y" };
	struct ktstr_run run = { .program = &program, .test = &info };
	struct ktstr_kernel kernel = { .version = (char *)"7.3.4", .image_path = (char *)"/k/bzImage" };
	_cleanup_free_ char *words = NULL, *reason = NULL;
	json_t *json;

	(void)state;
	ktstr_registry = (struct ktstr_registry){ entries, entries + 1, NULL, NULL };
	json = ktstr_registry_describe();
	assert_null(ktstr_sched_info_read(json_object_get(json_array_get(json_object_get(json, "tests"), 0), "scheduler"),
					  &info.scheduler));
	assert_null(ktstr_run_choose_schedulers(&run, NULL, false, NULL));
	assert_string_equal(run.scheduler.label, "full");
	assert_string_equal(info.scheduler.enable.items[0], "on");
	assert_string_equal(info.scheduler.disable.items[0], "off");
	words = ktstr_run_kernel_words(&run);
	assert_string_equal(words, "sysctl.a.b=1 sysctl.c.d=\"1 2\" quiet nokaslr");
	reason = ktstr_run_refuses(&run, &kernel);
	assert_string_equal(reason, "scheduler full is for kernels 6.12..6.16, this is 7.3.4");
	ktstr_run_deinit(&run);
	ktstr_sched_info_deinit(&info.scheduler);
	json_decref(json);
}

static void kernel_filters(void **state)
{
	static const struct {
		const char *filter, *version;
		bool matches;
	} cases[] = {
		{ "6.16", "6.16.9", true }, { "6.16", "6.160", false }, { "6.16.9", "6.16.9", true },
		{ "6.16.9", "6.16.8", false }, { "6.12..6.16", "6.16.9", true }, { "6.12..=6.16", "6.12", true },
		{ "6.12..6.16", "6.17", false }, { "6.12..6.16", "6.11.9", false }, { "6.16..7.3", "7.3-rc2", true },
		{ "7.3..7.4", "7.3-rc2", false }, { "/nowhere/bzImage", "6.16", false },
	};
	static const char *const wrong[] = { "newest", "6.16..", "..6.16x", "6.16..6.12", "6.12..latest" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_kernel kernel = { .version = (char *)cases[i].version, .image_path = (char *)"/proc/self/exe" };

		assert_null(ktstr_kernel_filter_check(cases[i].filter));
		if (ktstr_kernel_filter_matches(cases[i].filter, &kernel) != cases[i].matches)
			fail_msg("%s against %s", cases[i].filter, cases[i].version);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		_cleanup_error_ struct ktstr_error *error = ktstr_kernel_filter_check(wrong[i]);

		if (*wrong[i] != '.' && ktstr_error_code(error) != KTSTR_ERR_INVALID)
			fail_msg("%s is taken", wrong[i]);
	}
	assert_true(ktstr_kernel_filter_matches("/proc/self/exe", &(struct ktstr_kernel){ .image_path = (char *)"/proc/self/exe" }));
	assert_true(ktstr_kernel_filter_matches("/usr", &(struct ktstr_kernel){ .image_path = (char *)"/usr/bin/env" }));
	assert_false(ktstr_kernel_filter_matches("/us", &(struct ktstr_kernel){ .image_path = (char *)"/usr/bin/env" }));
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(kernel_words),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(config_files),
		cmocka_unit_test(tests),
		cmocka_unit_test(from_declaration_to_command_line),
		cmocka_unit_test(kernel_filters),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
