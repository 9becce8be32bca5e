// SPDX-License-Identifier: GPL-2.0-only
/* Payloads without a VM: numbers out of output, checks, declarations, and runs of small shell commands. */
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "ktstr/scenario.h"
#include "payload/internal.h"
#include "runner/includes.h"
#include "unit.h"

static struct ktstr_payload_metrics extract(const char *text)
{
	struct ktstr_payload_metrics metrics = { 0 };

	ktstr_metrics_extract(text, strlen(text), KTSTR_OUTPUT_JSON, KTSTR_STREAM_STDOUT, &metrics);
	return metrics;
}

/* The metrics of text as "name=value ..." */
static void expect_metrics(const char *text, const char *expected)
{
	struct ktstr_payload_metrics metrics = extract(text);
	_cleanup_str_ struct ktstr_str shown = { 0 };

	for (size_t i = 0; i < metrics.metrics_count; i++)
		ktstr_str_addf(&shown, "%s%s=%g", i ? " " : "", metrics.metrics[i].name, metrics.metrics[i].value);
	assert_string_equal(ktstr_str_text(&shown), expected);
	ktstr_payload_metrics_deinit(&metrics);
}

static void numbers_get_the_names_of_their_paths(void **state)
{
	(void)state;
	expect_metrics("{\"jobs\":[{\"read\":{\"iops\":812.5}},{\"read\":{\"iops\":3}}],\"name\":\"x\",\"ok\":true,\"none\":null}",
		       "jobs.0.read.iops=812.5 jobs.1.read.iops=3");
	expect_metrics("[1,[2,3]]", "0=1 1.0=2 1.1=3");
	expect_metrics("{\"max\":18446744073709551615}", "max=1.84467e+19");
	expect_metrics("{\"a\":-0.5e-3}", "a=-0.0005");
	expect_metrics("{}", "");
}

static void a_banner_is_skipped_and_what_follows_ignored(void **state)
{
	(void)state;
	expect_metrics("starting v1.2\n{\"a\":1}\ndone {\"b\":2}", "a=1");
	expect_metrics("note: {\"text\":\"braces } ] in \\\" strings { [\",\"a\":{\"b\":2}} tail", "a.b=2");
	expect_metrics("{\"escaped\":\"\\\\\"} {\"late\":1}", "");
	expect_metrics("  \n {\"a\":1} \n", "a=1");
}

static void what_is_no_strict_json_gives_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"no brackets",
		"{\"a\":1",
		"{\"a\":[1,2}",
		"]{\"a\":1",
		"{\"a\":NaN}",
		"{\"a\":Infinity}",
		"{'a':1}",
		"{\"a\":1,}",
		"[info] {\"a\":1}", /* the first region decides */
		"{\"a\":1e999}",
		"{\"a\":\"unfinished}",
		"42",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_metrics(texts[i], "");
}

/* {"a":{"a":...1...}}, `depth` deep */
static char *nested(unsigned int depth)
{
	struct ktstr_str text = { 0 };

	for (unsigned int i = 0; i < depth; i++)
		ktstr_str_add(&text, "{\"a\":");
	ktstr_str_add(&text, "1");
	for (unsigned int i = 0; i < depth; i++)
		ktstr_str_add(&text, "}");
	return ktstr_str_take(&text);
}

static void depth_is_capped_and_says_so(void **state)
{
	_cleanup_free_ char *deep = nested(KTSTR_METRICS_MAX_DEPTH);
	_cleanup_free_ char *deeper = nested(KTSTR_METRICS_MAX_DEPTH + 1);
	_cleanup_free_ char *absurd = nested(100000);
	struct ktstr_payload_metrics metrics = extract(deep);

	(void)state;
	assert_int_equal(metrics.metrics_count, 1);
	assert_int_equal(strlen(metrics.metrics[0].name), 2 * KTSTR_METRICS_MAX_DEPTH - 1);
	ktstr_payload_metrics_deinit(&metrics);
	metrics = extract(deeper);
	assert_int_equal(metrics.metrics_count, 1);
	assert_string_equal(metrics.metrics[0].name, KTSTR_METRICS_TRUNCATION_SENTINEL_NAME);
	assert_true(metrics.metrics[0].value == KTSTR_METRICS_MAX_DEPTH + 1);
	assert_int_equal(metrics.metrics[0].stream, KTSTR_STREAM_SYNTHESIZED);
	ktstr_payload_metrics_deinit(&metrics);
	expect_metrics(absurd, "");
}

static void number_of_metrics_is_capped(void **state)
{
	_cleanup_str_ struct ktstr_str text = { 0 };
	struct ktstr_payload_metrics metrics;

	(void)state;
	for (int i = 0; i < KTSTR_METRICS_CAP + 10; i++)
		ktstr_str_addf(&text, "%c%d", i ? ',' : '[', i);
	ktstr_str_add(&text, "]");
	metrics = extract(text.data);
	assert_int_equal(metrics.metrics_count, KTSTR_METRICS_CAP + 1);
	assert_non_null(ktstr_payload_metrics_get(&metrics, KTSTR_METRICS_CAP_SENTINEL_NAME));
	ktstr_payload_metrics_deinit(&metrics);
}

static void exit_code_format_has_no_metrics(void **state)
{
	struct ktstr_payload_metrics metrics = { 0 };

	(void)state;
	ktstr_metrics_extract("{\"a\":1}", 7, KTSTR_OUTPUT_EXIT_CODE, KTSTR_STREAM_STDOUT, &metrics);
	assert_int_equal(metrics.metrics_count, 0);
}

static void expect_invalid(struct ktstr_payload payload, const char *part)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_payload_validate(&payload);

	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	if (!strstr(ktstr_error_message(error), part))
		fail_msg("\"%s\" lacks \"%s\"", ktstr_error_message(error), part);
}

static void declarations_are_checked(void **state)
{
	struct ktstr_payload good = {
		.name = "fio",
		.binary = "fio",
		.default_args = KTSTR_ARGS("--runtime=1", "x", "--", "--not-a-flag"),
		.known_flags = KTSTR_ARGS("--runtime"),
		.metrics = KTSTR_METRIC_HINTS({ "a", KTSTR_HIGHER_BETTER, "op/s" }, { "b", KTSTR_TARGET_VALUE(3.0), NULL }),
		.default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0), KTSTR_METRIC_RANGE("a", 1, 1)),
	};
	struct ktstr_payload bad = good;

	(void)state;
	assert_null(ktstr_payload_validate(&good));
	assert_null(ktstr_payload_validate(&KTSTR_PAYLOAD_KERNEL_DEFAULT));
	bad.name = "";
	expect_invalid(bad, ".name");
	bad.name = "a/b";
	expect_invalid(bad, "\"a/b\"");
	bad = good;
	bad.binary = NULL;
	expect_invalid(bad, "payload fio: .binary");
	bad.binary = "dir/";
	expect_invalid(bad, "is a directory");
	bad = good;
	bad.kind = KTSTR_PAYLOAD_SCHEDULER;
	expect_invalid(bad, ".scheduler is missing");
	bad = good;
	bad.output = (enum ktstr_output_format)7;
	expect_invalid(bad, ".output 7");
	bad = good;
	bad.metrics = KTSTR_METRIC_HINTS({ .name = "a" }, { .name = "a" });
	expect_invalid(bad, "a is named twice");
	bad.metrics = KTSTR_METRIC_HINTS({ "a", KTSTR_TARGET_VALUE(INFINITY), NULL });
	expect_invalid(bad, "target of a");
	bad = good;
	bad.default_checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_RANGE("a", 2, 1));
	expect_invalid(bad, "payload fio: .default_checks: check 0: a: the range 2 to 1 is empty");
	bad.default_checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_EXISTS("b"), KTSTR_METRIC_MIN("a", NAN));
	expect_invalid(bad, "check 1: a: a bound is not a number");
	bad.default_checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_EXISTS(""));
	expect_invalid(bad, "names no metric");
	bad = good;
	bad.default_args = KTSTR_ARGS("--runtim=1");
	expect_invalid(bad, "payload fio: .default_args: unknown flag --runtim; did you mean --runtime?");
}

static void only_long_flags_are_checked(void **state)
{
	struct ktstr_payload payload = { .name = "p", .binary = "p", .known_flags = KTSTR_ARGS("--foo") };
	struct ktstr_error *error;

	(void)state;
	assert_null(ktstr_payload_check_args(&payload, NULL));
	assert_null(ktstr_payload_check_args(&payload, KTSTR_ARGS("--foo", "--foo=3", "-x", "bar", "-")));
	error = ktstr_payload_check_args(&payload, KTSTR_ARGS("--foobar"));
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	ktstr_error_free(error);
	payload.known_flags = NULL;
	assert_null(ktstr_payload_check_args(&payload, KTSTR_ARGS("--foobar")));
}

static void expect_reason(const struct ktstr_ctx *ctx, const char *part)
{
	for (size_t i = 0; i < ctx->result.outcomes_count; i++)
		if (strstr(ctx->result.outcomes[i].detail.message, part))
			return;
	for (size_t i = 0; i < ctx->result.outcomes_count; i++)
		print_message("# %s\n", ctx->result.outcomes[i].detail.message);
	fail_msg("no reason has \"%s\"", part);
}

#define SHELL(SCRIPT) KTSTR_ARGS("-c", SCRIPT)

static const struct ktstr_payload shell = { .name = "shell", .binary = "sh", .output = KTSTR_OUTPUT_JSON,
					    .metrics = KTSTR_METRIC_HINTS({ "rate", KTSTR_HIGHER_BETTER, "op/s" }) };

static struct ktstr_payload_metrics run(struct ktstr_ctx *ctx, struct ktstr_payload_run config)
{
	struct ktstr_payload_metrics metrics;
	struct ktstr_error *error;

	config.payload = &shell;
	error = ktstr_payload_run_foreground(ctx, &config, &metrics);
	if (error)
		fail_msg("%s", ktstr_error_message(error));
	return metrics;
}

static void metrics_are_hinted_and_checked(void **state)
{
	struct ktstr_ctx ctx = { 0 };
	struct ktstr_payload_metrics metrics =
		run(&ctx, (struct ktstr_payload_run){
				  .args = SHELL("echo hello; echo '{\"rate\":5,\"other\":2}'; echo '{\"rate\":9}' >&2"),
				  .checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_MIN("rate", 5), KTSTR_METRIC_MAX("other", 2),
								KTSTR_METRIC_RANGE("rate", 4, 6), KTSTR_METRIC_EXISTS("other"),
								KTSTR_EXIT_CODE_EQ(0)) });
	const struct ktstr_metric *rate = ktstr_payload_metrics_get(&metrics, "rate");

	(void)state;
	assert_true(rate->value == 5 && rate->stream == KTSTR_STREAM_STDOUT);
	assert_int_equal(rate->polarity.kind, KTSTR_POLARITY_HIGHER_BETTER);
	assert_string_equal(rate->unit, "op/s");
	assert_int_equal(ktstr_payload_metrics_get(&metrics, "other")->polarity.kind, KTSTR_POLARITY_UNKNOWN);
	assert_null(ktstr_payload_metrics_get(&metrics, "rat"));
	assert_int_equal(ctx.result.outcomes_count, 0);
	assert_int_equal(ctx.result.passes_count, 5);
	assert_string_equal(ctx.result.passes[0].name, "payload shell: exit code");
	ktstr_payload_metrics_deinit(&metrics);
	ktstr_assert_result_deinit(&ctx.result);
}

static void each_check_can_fail(void **state)
{
	struct ktstr_ctx ctx = { 0 };
	struct ktstr_payload_metrics metrics =
		run(&ctx, (struct ktstr_payload_run){
				  .args = SHELL("echo '{\"rate\":5,\"other\":2}'; exit 3"),
				  .checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_MIN("rate", 6), KTSTR_METRIC_MAX("other", 1),
								KTSTR_METRIC_RANGE("rate", 5.5, 6), KTSTR_METRIC_EXISTS("othr"),
								KTSTR_EXIT_CODE_EQ(0)) });

	(void)state;
	assert_int_equal(metrics.exit_code, 3);
	assert_int_equal(ctx.result.outcomes_count, 5);
	assert_string_equal(ctx.result.outcomes[0].detail.message, "payload shell: exit code was 3, expected 0");
	assert_int_equal(ctx.result.outcomes[0].detail.kind, KTSTR_DETAIL_PAYLOAD);
	expect_reason(&ctx, "metric rate was 5 op/s, expected at least 6");
	expect_reason(&ctx, "metric other was 2, expected at most 1");
	expect_reason(&ctx, "metric rate was 5 op/s, expected 5.5 to 6");
	expect_reason(&ctx, "metric othr is missing: its output gave 2 metrics; did you mean other?");
	ktstr_payload_metrics_deinit(&metrics);
	ktstr_assert_result_deinit(&ctx.result);
}

static void stderr_counts_when_stdout_gives_nothing(void **state)
{
	struct ktstr_ctx ctx = { 0 };
	struct ktstr_payload_metrics metrics =
		run(&ctx, (struct ktstr_payload_run){ .args = SHELL("echo banner; echo '{\"rate\":9}' >&2") });

	(void)state;
	assert_int_equal(metrics.metrics_count, 1);
	assert_int_equal(metrics.metrics[0].stream, KTSTR_STREAM_STDERR);
	ktstr_payload_metrics_deinit(&metrics);
	/* Halves of one object on two streams are never put together. */
	metrics = run(&ctx, (struct ktstr_payload_run){ .args = SHELL("printf '{\"a\":'; printf '1}' >&2") });
	assert_int_equal(metrics.metrics_count, 0);
	ktstr_payload_metrics_deinit(&metrics);
	ktstr_assert_result_deinit(&ctx.result);
}

static bool alive(const char *pid_file)
{
	_cleanup_free_ char *line = ktstr_read_line(pid_file);
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%s/stat", line);
	_cleanup_free_ char *stat = ktstr_read_line(path);

	assert_non_null(line);
	return stat && !strstr(stat, ") Z ");
}

static void the_time_limit_kills_the_whole_group(void **state)
{
	char pid_file[] = "/tmp/ktstr-test-payload-XXXXXX";
	_cleanup_close_ int fd = mkstemp(pid_file);
	_cleanup_free_ char *script =
		ktstr_xasprintf("sleep 1000 & echo $! >%s; echo '{\"rate\":1}'; wait", pid_file);
	struct ktstr_ctx ctx = { 0 };
	struct ktstr_payload_metrics metrics =
		run(&ctx, (struct ktstr_payload_run){ .args = SHELL(script), .timeout = KTSTR_MS(500),
						      .checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0)) });

	(void)state;
	assert_int_equal(metrics.exit_code, -1);
	assert_int_equal(metrics.metrics_count, 1);
	for (int i = 0; alive(pid_file) && i < 100; i++)
		ktstr_sleep_ns(KTSTR_MS(10));
	assert_false(alive(pid_file));
	expect_reason(&ctx, "exit code was -1 (killed), expected 0");
	ktstr_payload_metrics_deinit(&metrics);
	ktstr_assert_result_deinit(&ctx.result);
	remove(pid_file);
}

/* Without a group of its own only the program itself is killed, and its child is left in the test's. */
static void the_parents_group_is_spared(void **state)
{
	static const struct ktstr_payload guest = { .name = "guest", .binary = "sh", .uses_parent_pgrp = true };
	char pid_file[] = "/tmp/ktstr-test-payload-XXXXXX";
	_cleanup_close_ int fd = mkstemp(pid_file);
	_cleanup_free_ char *script = ktstr_xasprintf("sleep 1000 >&- 2>&- & echo $! >%s; wait", pid_file);
	struct ktstr_payload_run config = { .payload = &guest, .args = SHELL(script) };
	struct ktstr_payload_handle *handle;
	_cleanup_free_ char *line = NULL;
	struct ktstr_ctx ctx = { 0 };
	pid_t child;

	(void)state;
	assert_null(ktstr_payload_run_spawn(&ctx, &config, &handle));
	for (int i = 0; i < 1000 && (!line || !*line); i++) {
		ktstr_sleep_ns(KTSTR_MS(5));
		free(line);
		line = ktstr_read_line(pid_file);
	}
	assert_non_null(line);
	child = atoi(line);
	assert_true(child > 0);
	assert_null(ktstr_payload_handle_kill(handle, NULL));
	ktstr_payload_handle_destroy(handle);
	assert_true(alive(pid_file));
	assert_int_equal(getpgid(child), getpgrp());
	kill(child, SIGKILL);
	ktstr_assert_result_deinit(&ctx.result);
	remove(pid_file);
}

static void output_is_capped_and_read_on(void **state)
{
	struct payload_start config = {
		.argv = KTSTR_ARGS("sh", "-c", "head -c 20000000 /dev/zero; echo done >&2"), .cgroup = "", .own_group = true
	};
	struct payload_process *process;
	struct payload_end end;

	(void)state;
	assert_null(payload_process_start(&config, &process));
	assert_true(payload_process_join(process, true, &end));
	assert_int_equal(end.wait_status, 0);
	assert_int_equal(end.out.bytes, 20000000);
	assert_int_equal(end.out.kept.length, KTSTR_PAYLOAD_OUTPUT_CAP);
	assert_string_equal(end.err.kept.data, "done\n");
	payload_end_deinit(&end);
	payload_process_destroy(process);
}

static void background_runs_give_their_result_once(void **state)
{
	struct ktstr_payload_run config = { .payload = &shell, .args = SHELL("read x; exit 4") };
	struct ktstr_payload_handle *handle;
	struct ktstr_payload_metrics metrics;
	struct ktstr_ctx ctx = { 0 };
	struct ktstr_error *error;
	bool ended = false;

	(void)state;
	assert_null(ktstr_payload_run_spawn(&ctx, &config, &handle));
	assert_string_equal(ktstr_payload_handle_name(handle), "shell");
	assert_string_equal(ktstr_payload_handle_cgroup(handle), "");
	assert_true(ktstr_payload_handle_pid(handle) > 1);
	while (!ended)
		assert_null(ktstr_payload_handle_try_wait(handle, &ended, &metrics));
	assert_int_equal(metrics.exit_code, 4);
	ktstr_payload_metrics_deinit(&metrics);
	error = ktstr_payload_handle_wait(handle, NULL);
	assert_non_null(strstr(ktstr_error_message(error), "was given before"));
	ktstr_error_free(error);
	ktstr_payload_handle_destroy(handle);
	assert_int_equal(ctx.result.notes_count, 1); /* an exit code that nobody asks about */

	config.args = SHELL("echo '{\"rate\":2}'; exec sleep 1000");
	assert_null(ktstr_payload_run_spawn(&ctx, &config, &handle));
	assert_null(ktstr_payload_handle_try_wait(handle, &ended, &metrics));
	assert_false(ended);
	assert_null(ktstr_payload_handle_kill(handle, &metrics));
	assert_int_equal(metrics.exit_code, -1);
	ktstr_payload_metrics_deinit(&metrics);
	ktstr_payload_handle_destroy(handle);

	assert_null(ktstr_payload_run_spawn(&ctx, &config, &handle));
	ktstr_payload_handle_destroy(handle);
	assert_non_null(strstr(ctx.result.notes[ctx.result.notes_count - 1].message, "its metrics are lost"));
	ktstr_assert_result_deinit(&ctx.result);
}

static void expect_run_error(struct ktstr_payload_run config, const char *part)
{
	struct ktstr_ctx ctx = { 0 };
	_cleanup_error_ struct ktstr_error *error = ktstr_payload_run_foreground(&ctx, &config, NULL);

	if (!error || !strstr(ktstr_error_message(error), part))
		fail_msg("\"%s\" lacks \"%s\"", ktstr_error_message(error), part);
}

static const struct ktstr_payload missing = { .name = "m", .binary = "no-such-program-here" };
static const struct ktstr_payload strict = { .name = "s", .binary = "sh", .known_flags = KTSTR_ARGS("--a") };

static void what_cannot_run_is_an_error(void **state)
{
	(void)state;
	expect_run_error((struct ktstr_payload_run){ .payload = &missing }, "payload m: no \"no-such-program-here\" in .,");
	expect_run_error((struct ktstr_payload_run){ .payload = &KTSTR_PAYLOAD_KERNEL_DEFAULT },
			 "payload kernel_default: it is of kind SCHEDULER");
	expect_run_error((struct ktstr_payload_run){ .payload = &shell, .cgroup = "../up" }, "../up");
	expect_run_error((struct ktstr_payload_run){ .payload = &strict, .args = KTSTR_ARGS("--b=1") }, "unknown flag --b");
	expect_run_error((struct ktstr_payload_run){ .payload = &shell,
						     .checks = KTSTR_METRIC_CHECKS(KTSTR_METRIC_MIN("x", NAN)) },
			 ".checks: check 0: x: a bound is not a number");
}

static void records_from_a_guest_are_checked(void **state)
{
	struct ktstr_metric metric = { "m", 1.5, { KTSTR_POLARITY_TARGET_VALUE, 2 }, "s", KTSTR_STREAM_STDOUT };
	struct ktstr_payload_metrics metrics = { 0, &metric, 1, 0 };
	struct payload_end end = { .out.bytes = 3, .err.fd = -1 };
	json_t *json = payload_record_to_json(&(struct payload_record){ "p", "c", &metrics, &end }), *clean;
	struct ktstr_error *error;

	(void)state;
	json_object_set_new(json, "surprise", json_true());
	assert_null(ktstr_payload_record_clean(json, &clean));
	assert_null(json_object_get(clean, "surprise"));
	assert_true(json_number_value(json_object_get(json_array_get(json_object_get(clean, "metrics"), 0), "target")) == 2);
	json_decref(clean);
	json_object_set_new(json_array_get(json_object_get(json, "metrics"), 0), "value", json_string("many"));
	error = ktstr_payload_record_clean(json, &clean);
	assert_string_equal(ktstr_error_message(error), "metrics: metrics[0]: value: expected a number, got text");
	ktstr_error_free(error);
	json_decref(json);
}

static void includes_find_merge_and_collide(void **state)
{
	char dir[] = "/tmp/ktstr-test-includes-XXXXXX";
	_cleanup_free_ char *sub = NULL, *file = NULL, *same_name = NULL, *tree = NULL;
	struct ktstr_include_spec spec = { .spec = "sh", .owner = "payload a" };
	struct ktstr_includes includes = { 0 };
	struct ktstr_error *error;

	(void)state;
	assert_non_null(mkdtemp(dir));
	tree = ktstr_xasprintf("%s/tree/", dir);
	sub = ktstr_xasprintf("%s/tree/deep", dir);
	file = ktstr_xasprintf("%s/data", sub);
	same_name = ktstr_xasprintf("%s/sh", dir);
	assert_null(ktstr_make_dirs(sub));
	assert_null(ktstr_write_file_atomic(file, "x", 1));
	assert_null(ktstr_write_file_atomic(same_name, "x", 1));

	assert_null(ktstr_includes_add(&includes, &spec, NULL));
	assert_null(ktstr_includes_add(&includes, &spec, NULL));
	assert_int_equal(includes.count, 1);
	assert_string_equal(includes.items[0].guest_path, "/include-files/sh");
	spec = (struct ktstr_include_spec){ .spec = tree, .owner = "payload b" };
	assert_null(ktstr_includes_add(&includes, &spec, NULL));
	assert_string_equal(includes.items[1].guest_path, "/include-files/tree/deep/data");
	spec.spec = (char *)"sh";
	error = ktstr_includes_add(&includes, &spec, dir);
	assert_non_null(strstr(ktstr_error_message(error), "(payload a) and "));
	assert_non_null(strstr(ktstr_error_message(error), "(payload b) would both be /include-files/sh"));
	ktstr_error_free(error);
	spec = (struct ktstr_include_spec){ .spec = (char *)"no-such-program-here", .owner = (char *)"payload c",
					    .package = (char *)"such-programs" };
	error = ktstr_includes_add(&includes, &spec, NULL);
	assert_non_null(strstr(ktstr_error_message(error), "apt-get install such-programs"));
	ktstr_error_free(error);
	ktstr_includes_deinit(&includes);
	assert_null(ktstr_remove_tree(dir));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_get_the_names_of_their_paths),
		cmocka_unit_test(a_banner_is_skipped_and_what_follows_ignored),
		cmocka_unit_test(what_is_no_strict_json_gives_nothing),
		cmocka_unit_test(depth_is_capped_and_says_so),
		cmocka_unit_test(number_of_metrics_is_capped),
		cmocka_unit_test(exit_code_format_has_no_metrics),
		cmocka_unit_test(declarations_are_checked),
		cmocka_unit_test(only_long_flags_are_checked),
		cmocka_unit_test(metrics_are_hinted_and_checked),
		cmocka_unit_test(each_check_can_fail),
		cmocka_unit_test(stderr_counts_when_stdout_gives_nothing),
		cmocka_unit_test(the_time_limit_kills_the_whole_group),
		cmocka_unit_test(the_parents_group_is_spared),
		cmocka_unit_test(output_is_capped_and_read_on),
		cmocka_unit_test(background_runs_give_their_result_once),
		cmocka_unit_test(what_cannot_run_is_an_error),
		cmocka_unit_test(records_from_a_guest_are_checked),
		cmocka_unit_test(includes_find_merge_and_collide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
