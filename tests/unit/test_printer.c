// SPDX-License-Identifier: GPL-2.0-only
/*
 * What formats print for mixed results, on pipes and on a terminal, and the exit code of a whole
 * run.
 */
#include <pty.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "result/internal.h"
#include "result/printer.h"
#include "result_fixture.h"
#include "unit.h"

#define _cleanup_result_ _cleanup_(ktstr_test_result_deinit)

/* Streams of memory in place of stdout and stderr. */
struct capture {
	struct ktstr_printer_target target;
	char *out, *err;
	size_t out_length, err_length;
};

static void capture_init(struct capture *capture)
{
	*capture = (struct capture){ 0 };
	capture->target.out = open_memstream(&capture->out, &capture->out_length);
	capture->target.err = open_memstream(&capture->err, &capture->err_length);
}

static void capture_close(struct capture *capture)
{
	fclose(capture->target.out);
	fclose(capture->target.err);
}

static void capture_deinit(struct capture *capture)
{
	free(capture->out);
	free(capture->err);
}

static void finish(struct ktstr_printer *printer, size_t index, struct ktstr_test_result result,
		   const char *full_name)
{
	fixture_set(&result.full_name, full_name);
	ktstr_printer_started(printer, index, full_name, result.topology, result.scheduler);
	ktstr_printer_stage(printer, index, "booting");
	ktstr_printer_tick(printer);
	ktstr_printer_finished(printer, index, &result);
	ktstr_test_result_deinit(&result);
}

static int print_mixed(struct ktstr_printer *printer)
{
	finish(printer, 0, fixture_pass(), "ktstr/steady");
	finish(printer, 1, fixture_fail(), "ktstr/unfair");
	finish(printer, 2, fixture_skip(), "gauntlet/big#1/128cpu-8llc-smt");
	finish(printer, 3, fixture_inconclusive(), "ktstr/idle");
	return ktstr_printer_end(printer, "/runs/7.3-unknown", false);
}

static void formats_have_names(void **state)
{
	enum ktstr_format format;

	(void)state;
	assert_true(ktstr_format_from_name("human", &format) && format == KTSTR_FORMAT_HUMAN);
	assert_true(ktstr_format_from_name("ktap", &format) && format == KTSTR_FORMAT_KTAP);
	assert_true(ktstr_format_from_name("json", &format) && format == KTSTR_FORMAT_JSON);
	assert_false(ktstr_format_from_name("junit", &format));
}

static void ktap_of_mixed_results(void **state)
{
	struct capture capture;
	struct ktstr_printer *printer;

	(void)state;
	capture_init(&capture);
	printer = ktstr_printer_create_for(KTSTR_FORMAT_KTAP, 4, &capture.target);
	assert_int_equal(print_mixed(printer), KTSTR_EXIT_FAIL);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	assert_string_equal(
		capture.out,
		"KTAP version 1\n"
		"1..4\n"
		"ok 1 steady\n"
		"# cgroup spin: off-CPU spread 41.0% (12.0-53.0%), limit 15.0%\n"
		"# ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] failed:\n"
		"#   cgroup spin: off-CPU spread 41.0% (12.0-53.0%), limit 15.0%\n"
		"#   cgroup burst: tid 71 stuck 3204 ms on cpu1 at +812 ms, limit 2000 ms\n"
		"# --- stats ---\n"
		"#   total: workers=4 cpus=4 worst_spread=41.0% worst_gap=3204ms@cpu1 "
		"migrations=17 iter=90000\n"
		"#   cg0 spin: workers=3 cpus=4 spread=41.0% gap=120ms@cpu0 migrations=12 "
		"iter=60000\n"
		"#   cg1 burst: workers=1 cpus=1 spread=- gap=3204ms@cpu1 migrations=5 iter=30000\n"
		"# reproduce: ktstr test -E 'test(=ktstr/steady)'\n"
		"not ok 2 unfair\n"
		"ok 3 gauntlet/big_1/128cpu-8llc-smt # SKIP needs 64 CPUs, this host can show 4\n"
		"# inconclusive\n"
		"# no worker had CPU time: min_work_rate cannot be judged\n"
		"# ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] inconclusive:\n"
		"#   no worker had CPU time: min_work_rate cannot be judged\n"
		"# reproduce: ktstr test -E 'test(=ktstr/steady)'\n"
		"not ok 4 idle\n"
		"# passed: 1, failed: 1, inconclusive: 1, skipped: 1\n"
		"# results: /runs/7.3-unknown\n");
	assert_string_equal(capture.err, "");
	capture_deinit(&capture);
}

static void human_lines_are_aligned_and_plain(void **state)
{
	struct capture capture;
	struct ktstr_printer *printer;
	char *footer;

	(void)state;
	capture_init(&capture);
	printer = ktstr_printer_create_for(KTSTR_FORMAT_HUMAN, 4, &capture.target);
	print_mixed(printer);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	assert_true(ktstr_str_starts_with(
		capture.out, "PASS  steady                    1n2l2c1t  scx_simple  5.2s\n"
			     "FAIL  unfair                    1n2l2c1t  scx_simple  5.2s\n"
			     "      cgroup spin: off-CPU spread 41.0% (12.0-53.0%), limit 15.0%\n"
			     "SKIP  gauntlet/big#1/128cpu-8llc-smt  1n2l2c1t  scx_simple  5.2s\n"
			     "      needs 64 CPUs, this host can show 4\n"
			     "INCONCLUSIVE  idle                    1n2l2c1t  scx_simple  5.2s\n"));
	footer = strstr(capture.out, "\nnot passed:\n  unfair [scx_simple 1n2l2c1t]\n"
				     "    ktstr test -E 'test(=ktstr/steady)'\n  idle [");
	assert_non_null(footer);
	assert_non_null(strstr(footer, "\n1 passed, 1 failed, 1 inconclusive, 1 skipped in "));
	assert_true(ktstr_str_ends_with(capture.out, "\nresults: /runs/7.3-unknown\n"));
	/* Apart from stdout, a report and the reason of a skip stand for themselves. */
	assert_true(ktstr_str_starts_with(capture.err, "cgroup spin: off-CPU spread"));
	assert_non_null(strstr(capture.err, "\nktstr: SKIP: needs 64 CPUs, this host can show 4\n"));
	assert_null(strchr(capture.out, '\033'));
	assert_null(strchr(capture.err, '\033'));
	capture_deinit(&capture);
}

/* Several results of one name carry what tells them apart. */
static void ktap_names_are_of_one_result(void **state)
{
	static const char *const instances[] = { NULL, "1n2l2c1t", "1n1l2c1t seed 7" };
	struct capture capture;
	struct ktstr_printer *printer;

	(void)state;
	capture_init(&capture);
	printer = ktstr_printer_create_for(KTSTR_FORMAT_KTAP, 3, &capture.target);
	for (size_t i = 0; i < 3; i++) {
		struct ktstr_test_result result = fixture_pass();

		result.instance = instances[i] ? ktstr_xstrdup(instances[i]) : NULL;
		finish(printer, i, result, "ktstr/steady");
	}
	ktstr_printer_end(printer, NULL, false);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	assert_non_null(strstr(capture.out, "ok 1 steady\nok 2 steady [1n2l2c1t]\nok 3 steady [1n1l2c1t seed 7]\n"));
	capture_deinit(&capture);
}

static void cause_is_not_repeated_on_one_stream(void **state)
{
	struct capture capture;
	struct ktstr_printer *printer;

	(void)state;
	capture_init(&capture);
	capture.target.one_stream = true;
	printer = ktstr_printer_create_for(KTSTR_FORMAT_HUMAN, 2, &capture.target);
	finish(printer, 0, fixture_fail(), "ktstr/unfair");
	finish(printer, 1, fixture_skip(), "ktstr/big");
	ktstr_printer_end(printer, NULL, false);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	assert_true(ktstr_str_starts_with(capture.err, "ktstr_test 'steady'"));
	assert_null(strstr(capture.err, "SKIP"));
	capture_deinit(&capture);
}

static void json_lines_parse_and_carry_the_sidecar(void **state)
{
	struct capture capture;
	struct ktstr_printer *printer;
	json_t *lines[5], *summary;
	char *cursor;

	(void)state;
	capture_init(&capture);
	printer = ktstr_printer_create_for(KTSTR_FORMAT_JSON, 4, &capture.target);
	print_mixed(printer);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	assert_true(ktstr_str_starts_with(capture.out, "{\"type\":\"test\",\"schema_version\":1,"));
	cursor = capture.out;
	for (size_t i = 0; i < 5; i++) {
		lines[i] = json_loadb(cursor, strcspn(cursor, "\n"), 0, NULL);
		assert_non_null(lines[i]);
		cursor += strcspn(cursor, "\n") + 1;
	}
	assert_int_equal(*cursor, 0);
	assert_string_equal(json_string_value(json_object_get(lines[1], "outcome")), "fail");
	assert_string_equal(json_string_value(json_object_get(lines[1], "full_name")),
			    "ktstr/unfair");
	summary = lines[4];
	assert_string_equal(json_string_value(json_object_get(summary, "type")), "summary");
	assert_int_equal(json_integer_value(json_object_get(summary, "passed")), 1);
	assert_int_equal(json_integer_value(json_object_get(summary, "failed")), 1);
	assert_int_equal(json_integer_value(json_object_get(summary, "skipped")), 1);
	assert_int_equal(json_integer_value(json_object_get(summary, "inconclusive")), 1);
	assert_string_equal(json_string_value(json_object_get(summary, "run_dir")),
			    "/runs/7.3-unknown");
	for (size_t i = 0; i < 5; i++)
		json_decref(lines[i]);
	capture_deinit(&capture);
}

/* Two runs of seed 10 that fail, side by side with others: what is printed at the end. */
static char *print_exploration(enum ktstr_format format)
{
	static const struct {
		uint64_t seed;
		const char *digest;
		bool fails;
	} runs[] = { { 10, "aa", true }, { 9, "bb", true }, { 2, "aa", false }, { 10, "cc", true } };
	struct capture capture;
	struct ktstr_printer *printer;

	capture_init(&capture);
	printer = ktstr_printer_create_for(format, 4, &capture.target);
	for (size_t i = 0; i < 4; i++) {
		struct ktstr_test_result result = runs[i].fails ? fixture_fail() : fixture_pass();

		result.deterministic = true;
		result.seed = runs[i].seed;
		fixture_set(&result.digest, runs[i].digest);
		finish(printer, i, result, "ktstr/steady");
	}
	ktstr_printer_end(printer, NULL, false);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	free(capture.err);
	return capture.out;
}

static void failing_seeds_are_named_once_and_in_order(void **state)
{
	_cleanup_free_ char *human = print_exploration(KTSTR_FORMAT_HUMAN);
	_cleanup_free_ char *json = print_exploration(KTSTR_FORMAT_JSON);

	(void)state;
	assert_non_null(strstr(human, "\n4 deterministic runs, 3 distinct\nfailing seeds: 9 10\n"));
	assert_non_null(strstr(json, "\"distinct_digests\":3,\"failing_seeds\":[9,10],"));
}

/* Of 5 planned tests one ran before the budget was over. */
static void what_a_budget_leaves_out_is_told_and_fails_nothing(void **state)
{
	static const char *const told[] = {
		[KTSTR_FORMAT_HUMAN] = "\n1 passed, 0 failed, 0 skipped, 4 left out when the budget was over in ",
		[KTSTR_FORMAT_KTAP] = "ok 1 steady\n1..1\n# passed: 1, failed: 0, inconclusive: 0, skipped: 0\n"
				      "# left out when the budget was over: 4\n",
		[KTSTR_FORMAT_JSON] = "\"not_run\":0,\"left_out\":4,",
	};

	(void)state;
	for (enum ktstr_format format = KTSTR_FORMAT_HUMAN; format <= KTSTR_FORMAT_JSON; format++) {
		struct ktstr_printer *printer;
		struct capture capture;

		capture_init(&capture);
		printer = ktstr_printer_create_for(format, 0, &capture.target);
		finish(printer, 0, fixture_pass(), "ktstr/steady");
		ktstr_printer_limit(printer, 1, 4);
		assert_int_equal(ktstr_printer_end(printer, NULL, false), 0);
		ktstr_printer_destroy(printer);
		capture_close(&capture);
		assert_non_null(strstr(capture.out, told[format]));
		capture_deinit(&capture);
	}
}

typedef struct ktstr_test_result (*make_fn)(void);

static int exit_code_of(size_t planned, const make_fn *makers, size_t count, bool no_skip_mode)
{
	struct capture capture;
	struct ktstr_printer *printer;
	int code;

	capture_init(&capture);
	printer = ktstr_printer_create_for(KTSTR_FORMAT_KTAP, planned, &capture.target);
	for (size_t i = 0; i < count; i++)
		finish(printer, i, makers[i](), "ktstr/x");
	code = ktstr_printer_end(printer, NULL, no_skip_mode);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	capture_deinit(&capture);
	return code;
}

static void warnings_are_for_people(void **state)
{
	(void)state;
	for (enum ktstr_format format = KTSTR_FORMAT_HUMAN; format <= KTSTR_FORMAT_JSON; format++) {
		struct ktstr_printer *printer;
		struct capture capture;

		capture_init(&capture);
		printer = ktstr_printer_create_for(format, 1, &capture.target);
		ktstr_printer_warn(printer, "one\nline");
		ktstr_printer_end(printer, NULL, false);
		ktstr_printer_destroy(printer);
		capture_close(&capture);
		assert_string_equal(capture.err, format == KTSTR_FORMAT_HUMAN ? "ktstr: warning: one line\n" : "");
		assert_null(strstr(capture.out, "one"));
		capture_deinit(&capture);
	}
}

static void exit_code_follows_the_worst(void **state)
{
	const make_fn all[] = { fixture_pass, fixture_skip, fixture_inconclusive, fixture_fail };
	const make_fn silent[] = { fixture_never_booted };

	(void)state;
	assert_int_equal(exit_code_of(0, all, 0, false), 0);
	assert_int_equal(exit_code_of(1, all, 1, true), 0);
	assert_int_equal(exit_code_of(2, all, 2, false), 0);
	assert_int_equal(exit_code_of(2, all, 2, true), 1);
	assert_int_equal(exit_code_of(3, all, 3, false), 2);
	assert_int_equal(exit_code_of(3, all, 3, true), 1);
	assert_int_equal(exit_code_of(4, all, 4, false), 1);
	assert_int_equal(exit_code_of(1, silent, 1, false), 1);
	/* One planned test never came back. */
	assert_int_equal(exit_code_of(2, all, 1, false), 1);
}

/*
 * Runs the standard human printer in a child on a terminal of 40 columns, or on pipes; returns what
 * came out.
 */
static char *run_on(bool terminal, void (*scene)(void))
{
	struct winsize size = { .ws_col = 40, .ws_row = 10 };
	struct ktstr_str text = { 0 };
	char chunk[4096];
	int fd, fds[2];
	ssize_t got;
	pid_t pid;

	if (terminal) {
		pid = forkpty(&fd, NULL, NULL, &size);
	} else {
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		fd = fds[0];
	}
	if (pid == 0) {
		if (!terminal) {
			dup2(fds[1], 1);
			dup2(fds[1], 2);
			close(fds[1]);
		}
		scene();
		fflush(NULL);
		_exit(0);
	}
	if (!terminal)
		close(fds[1]);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		ktstr_str_add_bytes(&text, chunk, (size_t)got);
	close(fd);
	waitpid(pid, NULL, 0);
	return ktstr_str_take(&text);
}

static void mixed_scene(void)
{
	struct ktstr_printer *printer = ktstr_printer_create(KTSTR_FORMAT_HUMAN, 4);

	print_mixed(printer);
	ktstr_printer_destroy(printer);
}

/* Two tests run, one ends; then the other one is drawn once more before it ends too. */
static void live_scene(void)
{
	struct ktstr_printer *printer = ktstr_printer_create(KTSTR_FORMAT_HUMAN, 2);
	struct ktstr_test_result result = fixture_pass();

	ktstr_printer_started(printer, 0, "ktstr/steady", "1n2l2c1t", "scx_simple");
	ktstr_printer_started(printer, 1, "ktstr/other", "1n1l1c1t", "eevdf");
	ktstr_printer_stage(printer, 1, "booting");
	ktstr_printer_finished(printer, 0, &result);
	ktstr_printer_finished(printer, 1, &result);
	ktstr_printer_end(printer, NULL, false);
	ktstr_printer_destroy(printer);
	ktstr_test_result_deinit(&result);
}

static void many_scene(void)
{
	struct ktstr_printer *printer = ktstr_printer_create(KTSTR_FORMAT_HUMAN, 50);

	for (size_t i = 0; i < 50; i++)
		ktstr_printer_started(printer, i, "ktstr/x", "t", "s");
	ktstr_printer_destroy(printer);
}

static void pipe_gets_no_escape_codes(void **state)
{
	char *text;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	text = run_on(false, mixed_scene);
	assert_non_null(strstr(text, "PASS  steady"));
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "booting"));
	/* stdout and stderr are one pipe: the report stands right behind its line. */
	assert_non_null(strstr(text, "limit 15.0%\nktstr_test 'steady'"));
	/* One empty line behind a report, whatever comes next. */
	assert_null(strstr(text, "\n\n\n"));
	assert_non_null(strstr(text, "'\n\nnot passed:\n"));
	free(text);
}

static void note_scene(void)
{
	struct ktstr_printer *printer = ktstr_printer_create(KTSTR_FORMAT_HUMAN, 1);

	ktstr_printer_note(printer, "building template");
	ktstr_printer_destroy(printer);
}

static void json_note_scene(void)
{
	struct ktstr_printer *printer = ktstr_printer_create(KTSTR_FORMAT_JSON, 1);

	ktstr_printer_note(printer, "building template");
	ktstr_printer_destroy(printer);
}

static void notes_are_told_where_no_live_line_tells(void **state)
{
	static const struct {
		bool terminal, told;
		void (*scene)(void);
	} cases[] = { { false, true, note_scene }, { true, false, note_scene }, { true, true, json_note_scene } };

	(void)state;
	setenv("TERM", "xterm", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = run_on(cases[i].terminal, cases[i].scene);

		assert_int_equal(strstr(text, "ktstr: building template") != NULL, cases[i].told);
		free(text);
	}
}

static void terminal_gets_colour_unless_refused(void **state)
{
	char *text;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	text = run_on(true, mixed_scene);
	assert_non_null(strstr(text, "\033[32mPASS\033[0m"));
	assert_non_null(strstr(text, "\033[31mFAIL\033[0m"));
	assert_non_null(strstr(text, "\033[33mSKIP\033[0m"));
	free(text);
	setenv("NO_COLOR", "1", 1);
	text = run_on(true, mixed_scene);
	assert_null(strstr(text, "\033[32m"));
	assert_null(strstr(text, "\033[0m"));
	free(text);
	setenv("NO_COLOR", "", 1); /* empty = unset */
	text = run_on(true, mixed_scene);
	assert_non_null(strstr(text, "\033[32mPASS"));
	free(text);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	text = run_on(true, mixed_scene);
	assert_null(strchr(text, '\033'));
	free(text);
}

/* Replays cursor movements on a small screen; returns what is left on it, lines joined. */
static char *screen_after(const char *text)
{
	char lines[64][200] = { { 0 } };
	size_t row = 0, column = 0;
	struct ktstr_str out = { 0 };

	for (const char *c = text; *c; c++) {
		size_t count;
		int length = 0;

		if (sscanf(c, "\033[%zuA%n", &count, &length) == 1 && length) {
			row -= count < row ? count : row;
			c += length - 1;
		} else if (!strncmp(c, "\033[J", 3)) {
			memset(&lines[row][column], 0, sizeof(lines[row]) - column);
			memset(lines[row + 1], 0, sizeof(lines) - (row + 1) * sizeof(lines[0]));
			c += 2;
		} else if (*c == '\r') {
			column = 0;
		} else if (*c == '\n') {
			assert_true(++row < 63);
		} else {
			assert_true(column < 199);
			lines[row][column++] = *c;
		}
	}
	for (size_t i = 0; i < 64; i++)
		if (lines[i][0])
			ktstr_str_addf(&out, "%s\n", lines[i]);
	return ktstr_str_take(&out);
}

static void live_lines_leave_no_trace(void **state)
{
	char *text, *screen;

	(void)state;
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	text = run_on(true, live_scene);
	assert_non_null(strstr(text, "      other "));
	screen = screen_after(text);
	assert_true(ktstr_str_starts_with(
		screen, "PASS  steady                    1n2l2c1t  scx_simple  5.2s\n"
			"PASS  steady                    1n2l2c1t  scx_simple  5.2s\n"
			"2 passed, 0 failed, 0 skipped in "));
	assert_null(strstr(screen, "other"));
	free(screen);
	free(text);
}

static void live_lines_fit_the_terminal(void **state)
{
	char *text, *cursor;
	size_t most = 0, up;

	(void)state;
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	text = run_on(true, live_scene);
	/* The label is cut, not what the test does. */
	assert_non_null(strstr(text, "  booting 0s\r\n"));
	for (char *line = strtok_r(text, "\r\n", &cursor); line;
	     line = strtok_r(NULL, "\r\n", &cursor)) {
		if (strstr(line, "      other") || strstr(line, "      steady"))
			assert_true(strlen(strstr(line, "      ")) <= 39);
	}
	free(text);
	text = run_on(true, many_scene);
	assert_non_null(strstr(text, "      and 43 more"));
	for (char *c = strstr(text, "\033["); c; c = strstr(c + 1, "\033["))
		if (sscanf(c, "\033[%zuA", &up) == 1 && up > most)
			most = up;
	assert_true(most > 0 && most < 10);
	free(text);
}

static void redraws_are_limited(void **state)
{
	struct capture capture;
	struct ktstr_printer *printer;
	size_t before;

	(void)state;
	capture_init(&capture);
	capture.target.live = true;
	printer = ktstr_printer_create_for(KTSTR_FORMAT_HUMAN, 1, &capture.target);
	ktstr_printer_started(printer, 0, "ktstr/x", "t", "s");
	fflush(capture.target.out);
	before = capture.out_length;
	for (int i = 0; i < 1000; i++)
		ktstr_printer_tick(printer);
	fflush(capture.target.out);
	assert_true(capture.out_length - before < 500);
	ktstr_printer_destroy(printer);
	capture_close(&capture);
	capture_deinit(&capture);
}

static void durations_read_well(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(ktstr_format_short_duration(0, text), "0ms");
	assert_string_equal(ktstr_format_short_duration(250000000, text), "250ms");
	assert_string_equal(ktstr_format_short_duration(5200000000, text), "5.2s");
	assert_string_equal(ktstr_format_short_duration(59949000000, text), "59.9s");
	assert_string_equal(ktstr_format_short_duration(59990000000, text), "1m00s");
	assert_string_equal(ktstr_format_short_duration(184000000000, text), "3m04s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_have_names),
		cmocka_unit_test(ktap_of_mixed_results),
		cmocka_unit_test(human_lines_are_aligned_and_plain),
		cmocka_unit_test(ktap_names_are_of_one_result),
		cmocka_unit_test(cause_is_not_repeated_on_one_stream),
		cmocka_unit_test(json_lines_parse_and_carry_the_sidecar),
		cmocka_unit_test(warnings_are_for_people),
		cmocka_unit_test(failing_seeds_are_named_once_and_in_order),
		cmocka_unit_test(what_a_budget_leaves_out_is_told_and_fails_nothing),
		cmocka_unit_test(exit_code_follows_the_worst),
		cmocka_unit_test(pipe_gets_no_escape_codes),
		cmocka_unit_test(notes_are_told_where_no_live_line_tells),
		cmocka_unit_test(terminal_gets_colour_unless_refused),
		cmocka_unit_test(live_lines_leave_no_trace),
		cmocka_unit_test(live_lines_fit_the_terminal),
		cmocka_unit_test(redraws_are_limited),
		cmocka_unit_test(durations_read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
