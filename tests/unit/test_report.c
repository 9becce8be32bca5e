// SPDX-License-Identifier: GPL-2.0-only
/*
 * The failure report: golden texts per way to fail, order of sections, trimmed logs, hostile text,
 * quoting.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "result/internal.h"
#include "result_fixture.h"
#include "unit.h"

#define _cleanup_result_ _cleanup_(ktstr_test_result_deinit)

static void assert_report(const struct ktstr_test_result *result, const char *expected)
{
	_cleanup_free_ char *report = ktstr_result_report(result, false);

	assert_string_equal(report, expected);
}

static void pass_is_one_line(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();

	(void)state;
	assert_report(&result, "ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] passed\n");
}

static void skip_is_one_line_with_its_reason(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_skip();

	(void)state;
	assert_report(&result, "ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] skipped: "
			       "needs 64 CPUs, this host can show 4\n");
}

static void violation_report(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();

	(void)state;
	result.sidecar_path = ktstr_xstrdup("/runs/steady-1.ktstr.json");
	result.console_path = ktstr_xstrdup("/runs/steady-1.console.log");
	fixture_text(&result.console, &result.console_length, "not shown: the guest did report\n");
	fixture_text(&result.output, &result.output_length, "hello from the body\n");
	ktstr_assert_note(&result.verdict, "warm start");
	assert_report(
		&result,
		"cgroup spin: off-CPU spread 41.0% (12.0-53.0%), limit 15.0%\n"
		"ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] failed:\n"
		"  cgroup spin: off-CPU spread 41.0% (12.0-53.0%), limit 15.0%\n"
		"  cgroup burst: tid 71 stuck 3204 ms on cpu1 at +812 ms, limit 2000 ms\n"
		"  note: warm start\n"
		"--- stats ---\n"
		"  total: workers=4 cpus=4 worst_spread=41.0% worst_gap=3204ms@cpu1 migrations=17 "
		"iter=90000\n"
		"  cg0 spin: workers=3 cpus=4 spread=41.0% gap=120ms@cpu0 migrations=12 "
		"iter=60000\n"
		"  cg1 burst: workers=1 cpus=1 spread=- gap=3204ms@cpu1 migrations=5 iter=30000\n"
		"--- test output ---\n"
		"  hello from the body\n"
		"reproduce: ktstr test -E 'test(=ktstr/steady)'\n"
		"files: /runs/steady-1.ktstr.json\n"
		"       /runs/steady-1.console.log\n");
}

static void eevdf_has_no_sched_in_the_header(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	_cleanup_free_ char *report = NULL;

	(void)state;
	fixture_set(&result.scheduler, "eevdf");
	report = ktstr_result_report(&result, false);
	assert_non_null(strstr(report, "\nktstr_test 'steady' [topo=1n2l2c1t] failed:\n"));
}

static struct ktstr_test_result crashed(void)
{
	struct ktstr_test_result result = fixture_pass();

	result.guest_result_received = false;
	result.final_phase = KTSTR_PHASE_BODY;
	result.guest_exit_code = -1;
	result.cause =
		ktstr_xstrdup("guest kernel crashed: Kernel panic - not syncing: Fatal exception");
	result.crash_message =
		ktstr_xstrdup("Kernel panic - not syncing: Fatal exception\nRIP: 0010:foo");
	fixture_text(&result.console, &result.console_length, "noise\n");
	ktstr_strv_add(&result.active_schedulers, "simple_ops");
	return result;
}

static void crash_report_shows_the_panic(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = crashed();

	(void)state;
	assert_report(&result,
		      "guest kernel crashed: Kernel panic - not syncing: Fatal exception\n"
		      "ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] failed:\n"
		      "  no result from the guest: the guest kernel crashed (phase: body)\n"
		      "--- diagnostics ---\n"
		      "  final phase: body\n"
		      "  ended: the guest kernel crashed\n"
		      "  guest exit code: -\n"
		      "  active scheduler: simple_ops\n"
		      "  machine: kernel 7.3.0-amd64, 4 CPUs, 1024 MiB, qemu 7.2.0, tcg (no KVM)\n"
		      "  panic:\n"
		      "    Kernel panic - not syncing: Fatal exception\n"
		      "    RIP: 0010:foo\n"
		      "reproduce: ktstr test -E 'test(=ktstr/steady)'\n");
}

static void timeout_without_result_shows_the_console(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();

	(void)state;
	result.guest_result_received = false;
	result.timed_out = true;
	result.final_phase = KTSTR_PHASE_ATTACH;
	result.guest_exit_code = -1;
	result.duration_ns = 30000000000;
	fixture_text(&result.console, &result.console_length,
		     "[ 1.0] ktstr-init: ready\r\n[ 2.0] hm");
	assert_report(&result,
		      "timed out after 30s\n"
		      "ktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] failed:\n"
		      "  no result from the guest: timed out after 30s (phase: attach)\n"
		      "--- diagnostics ---\n"
		      "  final phase: attach\n"
		      "  ended: timed out after 30s\n"
		      "  guest exit code: -\n"
		      "  machine: kernel 7.3.0-amd64, 4 CPUs, 1024 MiB, qemu 7.2.0, tcg (no KVM)\n"
		      "  console:\n"
		      "    [ 1.0] ktstr-init: ready\n"
		      "    [ 2.0] hm\n"
		      "reproduce: ktstr test -E 'test(=ktstr/steady)'\n");
}

static void program_that_ends_without_result_names_its_exit_code(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();
	_cleanup_free_ char *report = NULL;

	(void)state;
	result.guest_result_received = false;
	result.final_phase = KTSTR_PHASE_BODY;
	result.guest_exit_code = 139;
	report = ktstr_result_report(&result, false);
	assert_true(ktstr_str_starts_with(
		report, "the test program ended with exit code 139 and no result\n"));
	assert_non_null(strstr(report, "  guest exit code: 139\n"));
}

static void scheduler_death_brings_diagnostics_and_log(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();
	_cleanup_free_ char *report = NULL;
	const char *stats, *diagnostics, *log;

	(void)state;
	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_SCHEDULER_CRASHED,
			    "scheduler scx_simple crashed: signal 11");
	fixture_add_cgroup(&result, "cg0", (struct ktstr_cgroup_stats){ 0 });
	fixture_text(&result.scheduler_log, &result.scheduler_log_length,
		     "start\ntick\ntick\ntick\nend\n");
	report = ktstr_result_report(&result, false);
	assert_true(ktstr_str_starts_with(report, "scheduler scx_simple crashed: signal 11\n"));
	stats = strstr(report, "--- stats ---\n");
	diagnostics = strstr(report, "--- diagnostics ---\n");
	log = strstr(report, "--- scheduler log ---\n  start\n  tick (repeated 3 times)\n  end\n");
	assert_true(stats && diagnostics && log && stats < diagnostics && diagnostics < log);
	/* A cgroup that is called as its row is not named twice; nothing measured is not zero. */
	assert_non_null(strstr(report, "\n  cg0: workers=0 cpus=0 spread=- gap=- "));
}

/* A dump with one scheduler and many queues, in a file of its own. */
static char *write_dump(void)
{
	char *path = ktstr_xstrdup("/tmp/ktstr-report-XXXXXX");
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	assert_non_null(file);
	fprintf(file, "{\"schema\":\"single\",\"scx_sched_state\":{\"ops_name\":\"simple\",\"exit_kind\":1026,"
		      "\"bypass_depth\":0},\"dsq_states\":[");
	for (int i = 1; i <= 40; i++)
		fprintf(file, "%s{\"id\":%d,\"origin\":\"user\",\"nr\":2,\"seq\":0}", i > 1 ? "," : "", i);
	fprintf(file, "]}");
	fclose(file);
	return path;
}

static void add_course(struct ktstr_test_result *result)
{
	struct ktstr_phase_buckets *phases = &result->verdict.stats.phases;

	phases->items = ktstr_xcalloc(1, sizeof(*phases->items));
	phases->count = 1;
	phases->items[0] = (struct ktstr_phase_bucket){ .step_index = 1, .label = ktstr_xstrdup("Step[0]"), .start_ms = 100,
							.end_ms = 1100 };
	ktstr_metric_set_put(&phases->items[0].metrics, "iteration_rate", 500);
	ktstr_metric_set_put(&phases->items[0].metrics, "max_imbalance_ratio", 2);
	ktstr_metric_set_put(&phases->items[0].metrics, "total_fallback", 7);
	phases->items[0].per_cgroup = ktstr_xcalloc(1, sizeof(*phases->items[0].per_cgroup));
	phases->items[0].per_cgroup_count = 1;
	phases->items[0].per_cgroup[0] = (struct ktstr_phase_cgroup_stats){
		.cgroup_name = ktstr_xstrdup("spin"), .num_workers = 2, .total_iterations = 500, .max_gap_ms = 12, .max_gap_cpu = 1
	};
}

static void failure_sections_are_in_the_documented_order(void **state)
{
	static const char *const order[] = {
		"cgroup spin: off-CPU spread", /* the cause, by itself */
		"\nktstr_test 'steady' [sched=scx_simple] [topo=1n2l2c1t] failed:\n",
		"\n  cgroup burst: tid 71 stuck",
		"\n--- stats ---\n",
		"\n--- diagnostics ---\n",
		"\n--- timeline ---\n  Step[0]: 0.1-1.1s iter/s=500 imbalance=2x fallback=7\n    spin: iter=500 gap=12ms@cpu1\n",
		"\n--- test output ---\n",
		"\n--- scheduler log ---\n",
		"\n--- monitor ---\n",
		"\n--- sched_ext dump ---\n  scheduler simple: exit_kind ERROR_STALL (1026)",
		"\n  ... (11 more lines)\n  all of it: ktstr show /tmp/ktstr-report-",
		"\nreproduce: ktstr test ",
		"\nfiles: ",
	};
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	_cleanup_free_ char *report = NULL;
	const char *at;

	(void)state;
	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_SCHEDULER_CRASHED, "gone");
	fixture_text(&result.output, &result.output_length, "hello\n");
	fixture_text(&result.scheduler_log, &result.scheduler_log_length, "bye\n");
	add_course(&result);
	result.monitor = json_pack("{si}", "total_samples", 20);
	result.failure_dump_path = write_dump();
	report = ktstr_result_report(&result, false);
	at = report;
	unlink(result.failure_dump_path);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const char *found = strstr(at, order[i]);

		if (!found)
			fail_msg("\"%s\" is not, or too early, in:\n%s", order[i], report);
		at = found + 1;
	}
}

static void course_without_phases_shows_its_last_events(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = crashed();
	_cleanup_free_ char *report = NULL;

	(void)state;
	result.stimulus_events = ktstr_xcalloc(1, sizeof(*result.stimulus_events));
	result.stimulus_events_count = 1;
	result.stimulus_events[0] = (struct ktstr_stimulus_event){ .elapsed_ms = 2500, .label = ktstr_xstrdup("StepStart[3]"),
								   .op_kind = ktstr_xstrdup("ops=2") };
	report = ktstr_result_report(&result, false);
	assert_non_null(strstr(report, "--- timeline ---\n  2.5s StepStart[3] ops=2\n"));
}

static void a_dump_that_is_none_is_only_named(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	_cleanup_free_ char *report = NULL;

	(void)state;
	result.failure_dump_path = ktstr_xstrdup("/nowhere/x.failure-dump.json");
	report = ktstr_result_report(&result, false);
	assert_null(strstr(report, "sched_ext dump"));
	assert_non_null(strstr(report, "files: /nowhere/x.failure-dump.json\n"));
}

static void inconclusive_report_says_so(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_inconclusive();
	_cleanup_free_ char *report = ktstr_result_report(&result, false);

	(void)state;
	assert_non_null(strstr(report, " inconclusive:\n  no worker had CPU time"));
	assert_null(strstr(report, "diagnostics"));
}

static void a_busy_host_is_told_a_quiet_one_is_not(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	_cleanup_free_ char *quiet = NULL;
	_cleanup_free_ char *busy = NULL;

	(void)state;
	result.host_dilation = (struct ktstr_opt_f64)KTSTR_SOME(1.1);
	quiet = ktstr_result_report(&result, false);
	assert_null(strstr(quiet, "host: "));
	result.host_dilation = (struct ktstr_opt_f64)KTSTR_SOME(6.5);
	busy = ktstr_result_report(&result, false);
	assert_non_null(strstr(busy, "\n  host: it was busy: for each second that vCPUs ran they waited 5.5 s for a CPU; "));
}

static void lesser_outcomes_in_a_failure_are_marked(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_inconclusive();
	_cleanup_free_ char *report = NULL;

	(void)state;
	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "real one");
	report = ktstr_result_report(&result, false);
	assert_true(ktstr_str_starts_with(report, "real one\n"));
	assert_non_null(strstr(report, "\n  (inconclusive) no worker had CPU time"));
	assert_non_null(strstr(report, "\n  real one\n"));
}

static void thousands_of_violations_are_cut(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_pass();
	_cleanup_free_ char *report = NULL;

	(void)state;
	for (int i = 0; i < 5000; i++)
		ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "no %d", i);
	report = ktstr_result_report(&result, false);
	assert_non_null(strstr(report, "\n  no 99\n  ... and 4900 more\n"));
}

static void text_of_the_guest_cannot_drive_the_terminal(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = crashed();
	_cleanup_free_ char *report = NULL;

	(void)state;
	result.crash_message[0] = '\033';
	fixture_set(&result.cause, "two\nlines \033]0;title\007");
	fixture_text(&result.output, &result.output_length, "\033[2J\b\b");
	fixture_text(&result.scheduler_log, &result.scheduler_log_length, "\033[1;1H\n");
	ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
			    "a\n--- stats ---\n\033[31m");
	ktstr_assert_note(&result.verdict, "\033c");
	ktstr_strv_add(&result.active_schedulers, "\033evil");
	report = ktstr_result_report(&result, false);
	assert_null(strchr(report, '\033'));
	assert_null(strchr(report, '\b'));
	assert_true(ktstr_str_starts_with(report, "two lines \\x1b]0;title\\x07\n"));
	/* A message cannot pretend to be a section. */
	assert_non_null(strstr(report, "\n  a --- stats --- \\x1b[31m\n"));
	assert_null(strstr(report, "\n--- stats"));
}

static void colour_only_when_asked(void **state)
{
	_cleanup_result_ struct ktstr_test_result result = fixture_fail();
	_cleanup_free_ char *plain = ktstr_result_report(&result, false);
	_cleanup_free_ char *coloured = ktstr_result_report(&result, true);

	(void)state;
	assert_null(strchr(plain, '\033'));
	assert_true(ktstr_str_starts_with(coloured, "\033[31mcgroup spin"));
}

static char *shown_log(const char *log)
{
	struct ktstr_str out = { 0 };

	ktstr_add_scheduler_log(&out, "", log, strlen(log), 40);
	return ktstr_str_take(&out);
}

static void long_scheduler_log_shows_its_end(void **state)
{
	_cleanup_str_ struct ktstr_str log = { 0 };
	_cleanup_free_ char *shown = NULL;

	(void)state;
	for (int i = 1; i <= 100; i++)
		ktstr_str_addf(&log, "line %d\n", i);
	shown = shown_log(log.data);
	assert_true(ktstr_str_starts_with(shown, "... (60 earlier lines left out)\nline 61\n"));
	assert_true(ktstr_str_ends_with(shown, "line 99\nline 100\n"));
}

static void repeats_count_as_one_line(void **state)
{
	_cleanup_str_ struct ktstr_str log = { 0 };
	_cleanup_free_ char *shown = NULL;

	(void)state;
	ktstr_str_add(&log, "first\n");
	for (int i = 0; i < 1000; i++)
		ktstr_str_add(&log, "stall\n");
	ktstr_str_add(&log, "last");
	shown = shown_log(log.data);
	assert_string_equal(shown, "first\nstall (repeated 1000 times)\nlast\n");
}

static void add_verifier_log(struct ktstr_str *log, int lines, bool ended)
{
	ktstr_str_add(log, "libbpf: prog 'simple_enqueue': -- BEGIN PROG LOAD LOG --\n");
	for (int i = 1; i <= lines; i++)
		ktstr_str_addf(log, "%d: insn\n", i);
	if (ended)
		ktstr_str_add(log, "-- END PROG LOAD LOG --\n");
}

static void verifier_log_keeps_header_and_reason(void **state)
{
	_cleanup_str_ struct ktstr_str log = { 0 };
	_cleanup_free_ char *shown = NULL;

	(void)state;
	ktstr_str_add(&log, "loading\n");
	add_verifier_log(&log, 500, true);
	ktstr_str_add(&log, "libbpf: failed to load object\n");
	shown = shown_log(log.data);
	assert_true(ktstr_str_starts_with(
		shown, "loading\nlibbpf: prog 'simple_enqueue': -- BEGIN PROG LOAD LOG --\n"
		       "... (475 lines left out)\n476: insn\n"));
	assert_true(ktstr_str_ends_with(shown, "500: insn\n-- END PROG LOAD LOG --\n"
					       "libbpf: failed to load object\n"));
}

static void short_verifier_log_stays_whole(void **state)
{
	_cleanup_str_ struct ktstr_str log = { 0 };
	_cleanup_free_ char *shown = NULL;

	(void)state;
	add_verifier_log(&log, 25, true);
	shown = shown_log(log.data);
	assert_string_equal(shown, log.data);
}

static void cut_verifier_log_keeps_its_header(void **state)
{
	_cleanup_str_ struct ktstr_str log = { 0 };
	_cleanup_free_ char *shown = NULL;

	(void)state;
	add_verifier_log(&log, 500, true);
	for (int i = 0; i < 30; i++)
		ktstr_str_addf(&log, "after %d\n", i);
	shown = shown_log(log.data);
	assert_true(ktstr_str_starts_with(
		shown, "libbpf: prog 'simple_enqueue': -- BEGIN PROG LOAD LOG --\n"
		       "... (491 earlier lines left out)\n492: insn\n"));
}

static void verifier_logs_without_end_are_trimmed_each(void **state)
{
	_cleanup_str_ struct ktstr_str log = { 0 };
	_cleanup_free_ char *shown = NULL;

	(void)state;
	add_verifier_log(&log, 500, false);
	add_verifier_log(&log, 3, false);
	shown = shown_log(log.data);
	assert_non_null(strstr(shown, "(474 lines left out)\n475: insn\n"));
	assert_true(ktstr_str_ends_with(shown,
					"500: insn\nlibbpf: prog 'simple_enqueue': "
					"-- BEGIN PROG LOAD LOG --\n1: insn\n2: insn\n3: insn\n"));
}

static void reproduce_command_is_quoted_for_a_shell(void **state)
{
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	_cleanup_str_ struct ktstr_str line = { 0 };

	(void)state;
	ktstr_strv_add(&argv, "./my_tests");
	ktstr_strv_add(&argv, "");
	ktstr_strv_add(&argv, "it's $HOME");
	ktstr_strv_add(&argv, "--kernel=7.3");
	ktstr_strv_add(&argv, "~/x");
	ktstr_add_shell_quoted(&line, &argv);
	assert_string_equal(line.data, "./my_tests '' 'it'\\''s $HOME' --kernel=7.3 '~/x'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pass_is_one_line),
		cmocka_unit_test(skip_is_one_line_with_its_reason),
		cmocka_unit_test(violation_report),
		cmocka_unit_test(eevdf_has_no_sched_in_the_header),
		cmocka_unit_test(crash_report_shows_the_panic),
		cmocka_unit_test(timeout_without_result_shows_the_console),
		cmocka_unit_test(program_that_ends_without_result_names_its_exit_code),
		cmocka_unit_test(scheduler_death_brings_diagnostics_and_log),
		cmocka_unit_test(failure_sections_are_in_the_documented_order),
		cmocka_unit_test(course_without_phases_shows_its_last_events),
		cmocka_unit_test(a_dump_that_is_none_is_only_named),
		cmocka_unit_test(inconclusive_report_says_so),
		cmocka_unit_test(a_busy_host_is_told_a_quiet_one_is_not),
		cmocka_unit_test(lesser_outcomes_in_a_failure_are_marked),
		cmocka_unit_test(thousands_of_violations_are_cut),
		cmocka_unit_test(text_of_the_guest_cannot_drive_the_terminal),
		cmocka_unit_test(colour_only_when_asked),
		cmocka_unit_test(long_scheduler_log_shows_its_end),
		cmocka_unit_test(repeats_count_as_one_line),
		cmocka_unit_test(verifier_log_keeps_header_and_reason),
		cmocka_unit_test(short_verifier_log_stays_whole),
		cmocka_unit_test(cut_verifier_log_keeps_its_header),
		cmocka_unit_test(verifier_logs_without_end_are_trimmed_each),
		cmocka_unit_test(reproduce_command_is_quoted_for_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
