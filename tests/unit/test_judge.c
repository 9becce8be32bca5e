// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verdicts from frames and endings that are made up here: each way a run can go wrong must end in a failure whose
 * cause says just that, and only a run that is whole may pass.
 */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "check/result_json.h"
#include "runner/expect.h"
#include "runner/judge.h"
#include "unit.h"
#include "wire/stimulus.h"

#define EXITED(code) ((code) << 8) /* wait statuses as the kernel makes them */
#define KILLED(sig)  (sig)

/* The whole text of a verdict with one failure of that kind, or with none; heap. */
static char *verdict_with(enum ktstr_detail_kind kind, const char *message)
{
	struct ktstr_assert_result verdict = { 0 };
	json_t *json;
	char *text;

	if (message) {
		ktstr_assert_record(&verdict, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "skipped a part");
		ktstr_assert_record(&verdict, KTSTR_OUTCOME_FAIL, kind, "%s", message);
	}
	json = json_pack("{so}", "verdict", ktstr_assert_result_to_json(&verdict));
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	ktstr_assert_result_deinit(&verdict);
	return text;
}

struct run {
	struct ktstr_observation observation;
	struct ktstr_test_result result;
};

static struct run scx_run(void)
{
	return (struct run){ .result = { .test_name = ktstr_xstrdup("steady"),
					 .full_name = ktstr_xstrdup("ktstr/steady"),
					 .scheduler = ktstr_xstrdup("scx_foo"),
					 .scheduler_binary = ktstr_xstrdup("/bin/scx_foo"),
					 .kernel_version = ktstr_xstrdup("7.3.4"),
					 .guest_exit_code = -1 } };
}

static struct run eevdf_run(void)
{
	struct run run = scx_run();

	free(run.result.scheduler_binary);
	run.result.scheduler_binary = NULL;
	return run;
}

static void run_deinit(struct run *run)
{
	ktstr_observation_deinit(&run->observation);
	ktstr_test_result_deinit(&run->result);
}
#define _cleanup_run_ _cleanup_(run_deinit)

static void send(struct run *run, uint32_t type, const void *payload, size_t length)
{
	struct ktstr_frame frame = { .type = type, .length = (uint32_t)length, .payload = payload,
				     .crc_ok = true };

	ktstr_observe_frame(&run->observation, &frame, &run->result);
}

static void send_text(struct run *run, uint32_t type, const char *text)
{
	send(run, type, text, strlen(text));
}

static void send_status(struct run *run, uint32_t type, int32_t status)
{
	send(run, type, &status, sizeof(status));
}

static void send_life(struct run *run, enum ktstr_lifecycle stage, const char *text)
{
	_cleanup_free_ char *payload = ktstr_xasprintf("%c%s", (char)stage, text);

	send(run, KTSTR_FRAME_LIFECYCLE, payload, strlen(payload));
}

/* As far as the workload under an attached scheduler. */
static void reach_workload(struct run *run)
{
	send_text(run, KTSTR_FRAME_READY, "7.3.4");
	send_life(run, KTSTR_LIFE_SCHED_ATTACHED, "foo");
	send_life(run, KTSTR_LIFE_PAYLOAD_STARTING, "");
	send_life(run, KTSTR_LIFE_WORKLOAD_DISPATCHED, "enabled foo");
}

static void die(struct run *run, int status)
{
	send_status(run, KTSTR_FRAME_SCHED_EXIT, status);
	send_life(run, KTSTR_LIFE_SCHED_DIED, "");
}

/* The program's end; verdict is a text of verdict_with() or a wrong one, NULL = it sent none. */
static void end(struct run *run, const char *verdict, int status)
{
	if (verdict)
		send_text(run, KTSTR_FRAME_RESULT, verdict);
	send_status(run, KTSTR_FRAME_EXIT, status);
}

static void end_well(struct run *run)
{
	_cleanup_free_ char *verdict = verdict_with(KTSTR_DETAIL_OTHER, NULL);

	end(run, verdict, EXITED(0));
}

static void set_console(struct run *run, const char *text)
{
	run->result.console = ktstr_xstrdup(text);
	run->result.console_length = strlen(text);
}

static void judge(struct run *run, const char *end_error)
{
	_cleanup_error_ struct ktstr_error *error =
		end_error ? ktstr_error_new(KTSTR_ERR_GUEST, "%s", end_error) : NULL;

	ktstr_judge(&run->observation, error, &run->result);
}

static void expect(const struct run *run, enum ktstr_outcome_kind kind, const char *const *parts)
{
	assert_int_equal(ktstr_test_result_kind(&run->result), kind);
	if (kind == KTSTR_OUTCOME_PASS) {
		assert_null(run->result.cause);
		return;
	}
	assert_non_null(run->result.cause);
	for (; *parts; parts++)
		if (!strstr(run->result.cause, *parts))
			fail_msg("\"%s\" lacks \"%s\"", run->result.cause, *parts);
}
#define EXPECT_FAIL(run, ...) expect(run, KTSTR_OUTCOME_FAIL, (const char *const[]){ __VA_ARGS__, NULL })

static void expect_kind(const struct run *run, enum ktstr_detail_kind kind)
{
	assert_true(run->result.verdict.outcomes_count > 0);
	assert_string_equal(ktstr_detail_kind_name(run->result.verdict.outcomes[0].detail.kind),
			    ktstr_detail_kind_name(kind));
}

static void whole_runs_pass(void **state)
{
	_cleanup_run_ struct run scx = scx_run(), eevdf = eevdf_run();

	(void)state;
	reach_workload(&scx);
	end_well(&scx);
	/* The agent ends the scheduler after the program: that is no death. */
	judge(&scx, NULL);
	expect(&scx, KTSTR_OUTCOME_PASS, NULL);
	assert_int_equal(scx.result.active_schedulers.count, 1);
	assert_string_equal(scx.result.active_schedulers.items[0], "enabled foo");
	assert_int_equal(scx.result.guest_exit_code, 0);
	send_life(&eevdf, KTSTR_LIFE_WORKLOAD_DISPATCHED, "disabled");
	end_well(&eevdf);
	judge(&eevdf, NULL);
	expect(&eevdf, KTSTR_OUTCOME_PASS, NULL);
}

static void guest_failures_are_the_cause(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();
	_cleanup_free_ char *verdict = verdict_with(KTSTR_DETAIL_STUCK, "worker 3 was stuck");

	(void)state;
	end(&run, verdict, EXITED(0));
	judge(&run, NULL);
	EXPECT_FAIL(&run, "worker 3 was stuck");
}

static void exit_before_attach(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	send_text(&run, KTSTR_FRAME_SCHED_LOG, "starting\nno such option: --frobnicate\n");
	die(&run, EXITED(3));
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "scx_foo exited before it attached", "exit code 3", "no such option: --frobnicate");
	expect_kind(&run, KTSTR_DETAIL_SCHEDULER_CRASHED);
}

static void rejected_by_the_verifier(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	send_text(&run, KTSTR_FRAME_SCHED_LOG,
		  "libbpf: prog 'foo_enqueue': -- BEGIN PROG LOAD LOG --\nR1 !read_ok\n-- END PROG LOAD LOG --\n");
	die(&run, EXITED(1));
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "scx_foo was rejected by the BPF verifier", "exit code 1");
}

static void never_attached(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_SCHED_NOT_ATTACHED, "timeout");
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "scx_foo never attached");
}

static void kernel_without_sched_ext(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_SCHED_NOT_ATTACHED, "sched_ext sysfs absent");
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "kernel 7.3.4 has no sched_ext", "scx_foo");
}

static void died_with_the_kernels_reason(void **state)
{
	_cleanup_run_ struct run run = scx_run();
	_cleanup_free_ char *verdict = verdict_with(KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON, "went away");

	(void)state;
	reach_workload(&run);
	set_console(&run, "[    5.1] sched_ext: BPF scheduler \"foo\" enabled\r\n"
			  "[    9.2] sched_ext: BPF scheduler \"foo\" disabled (runnable task stall)\r\n"
			  "[    9.2] sched_ext: foo: cg_0/1[77] failed to run for 3.004s\r\n"
			  "[    9.3] something else: later\r\n");
	die(&run, EXITED(1));
	end(&run, verdict, EXITED(0));
	judge(&run, NULL);
	EXPECT_FAIL(&run, "scx_foo died", "into the workload", "exit code 1", "runnable task stall",
		    "cg_0/1[77] failed to run for 3.004s");
	assert_null(strstr(run.result.cause, "later"));
	expect_kind(&run, KTSTR_DETAIL_SCHEDULER_CRASHED);
	/* The guest's guess is replaced by what the host knows. */
	for (size_t i = 0; i < run.result.verdict.outcomes_count; i++)
		assert_int_not_equal(run.result.verdict.outcomes[i].detail.kind,
				     KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON);
}

static void killed_by_a_signal(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	reach_workload(&run);
	die(&run, KILLED(SIGSEGV));
	end_well(&run);
	judge(&run, NULL);
	EXPECT_FAIL(&run, "scx_foo died", "signal 11");
}

static void exited_cleanly_in_the_middle(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	reach_workload(&run);
	die(&run, EXITED(0));
	end_well(&run);
	judge(&run, NULL);
	EXPECT_FAIL(&run, "scx_foo exited by itself", "exit code 0");
	expect_kind(&run, KTSTR_DETAIL_SCHEDULER_EXITED_CLEANLY);
}

static void unloaded_while_its_process_lives(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	reach_workload(&run);
	send_life(&run, KTSTR_LIFE_SCHED_DETACHED, "disabled");
	end_well(&run);
	judge(&run, NULL);
	EXPECT_FAIL(&run, "scx_foo was unloaded by the kernel", "its process still runs");
}

static void other_scheduler_ran_the_workload(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_SCHED_ATTACHED, "foo");
	send_life(&run, KTSTR_LIFE_WORKLOAD_DISPATCHED, "disabled");
	end_well(&run);
	judge(&run, NULL);
	EXPECT_FAIL(&run, "sched_ext was not active", "disabled");
}

static void panics(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_PAYLOAD_STARTING, "");
	set_console(&run, "[    7.5] sysrq: Trigger a crash\r\n"
			  "[    7.5] Kernel panic - not syncing: sysrq triggered crash\r\n"
			  "[    7.5] CPU: 0 UID: 0 PID: 80 Comm: test\r\n"
			  "[    7.6] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---\r\n");
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "the guest kernel crashed", "sysrq triggered crash");
	assert_non_null(run.result.crash_message);
}

/* A scheduler that takes the kernel down is told as the crash, not as its own end. */
static void panic_outweighs_a_lost_scheduler(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	reach_workload(&run);
	send_life(&run, KTSTR_LIFE_SCHED_DETACHED, "disabled");
	set_console(&run, "[    7.5] Kernel panic - not syncing: hung_task\r\n");
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "the guest kernel crashed", "hung_task");
}

static void program_ended_without_a_verdict(void **state)
{
	_cleanup_run_ struct run killed = eevdf_run(), exited = eevdf_run();

	(void)state;
	send_text(&killed, KTSTR_FRAME_STDERR, "about to crash\n");
	end(&killed, NULL, KILLED(SIGSEGV));
	judge(&killed, NULL);
	EXPECT_FAIL(&killed, "ended without a verdict", "signal 11");
	assert_string_equal(killed.result.output, "about to crash\n");
	end(&exited, NULL, EXITED(0));
	judge(&exited, NULL);
	EXPECT_FAIL(&exited, "ended without a verdict", "exit code 0");
}

static void timeouts_and_silence(void **state)
{
	_cleanup_run_ struct run overran = eevdf_run(), silent = eevdf_run();

	(void)state;
	send_life(&overran, KTSTR_LIFE_PAYLOAD_STARTING, "");
	judge(&overran, "the test overran: no verdict within 61s");
	EXPECT_FAIL(&overran, "the test overran", "61s");
	judge(&silent, NULL);
	EXPECT_FAIL(&silent, "without a verdict");
}

static void agent_errors(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_AGENT_ERROR, "the job in the mailbox is damaged");
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "agent failed", "the job in the mailbox is damaged");
}

static void verdicts_that_cannot_be_read(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{}", "{\"verdict\":7}",
					     "{\"verdict\":{\"outcomes\":[{\"kind\":\"great\"}]}}",
					     "{\"verdict\":{\"outcomes\":{},\"passes\":[],\"notes\":[]}}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_run_ struct run run = eevdf_run();

		end(&run, texts[i], EXITED(0));
		judge(&run, NULL);
		if (ktstr_test_result_kind(&run.result) != KTSTR_OUTCOME_FAIL)
			fail_msg("verdict \"%s\" is no failure", texts[i]);
		assert_non_null(run.result.cause);
	}
}

/* A damaged frame is counted elsewhere; here it must change nothing, above all not the verdict. */
static void damaged_frames_change_nothing(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();
	_cleanup_free_ char *verdict = verdict_with(KTSTR_DETAIL_OTHER, NULL);
	struct ktstr_frame frame = { .type = KTSTR_FRAME_RESULT, .length = (uint32_t)strlen(verdict),
				     .payload = (const uint8_t *)verdict, .crc_ok = false };

	(void)state;
	ktstr_observe_frame(&run.observation, &frame, &run.result);
	end(&run, NULL, EXITED(0));
	judge(&run, NULL);
	EXPECT_FAIL(&run, "ended without a verdict");
}

static void short_payloads_are_harmless(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();

	(void)state;
	send(&run, KTSTR_FRAME_LIFECYCLE, "", 0);
	send(&run, KTSTR_FRAME_LIFECYCLE, "\xff", 1);
	send(&run, KTSTR_FRAME_EXIT, "ab", 2);
	assert_false(run.observation.exited);
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "powered off");
}

static const char *instance_text(const struct run *run, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(run->result.scheduler_instances, i), key));
}

static void each_scheduler_has_its_log_and_end(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_WORKLOAD_DISPATCHED, "disabled");
	send_life(&run, KTSTR_LIFE_SCHED_STARTED, "a");
	send_text(&run, KTSTR_FRAME_SCHED_LOG, "a says\n");
	send_life(&run, KTSTR_LIFE_SCHED_ATTACHED, "ops_a");
	send_life(&run, KTSTR_LIFE_WORKLOAD_DISPATCHED, "enabled ops_a");
	send_life(&run, KTSTR_LIFE_SCHED_STOPPED, "detached");
	send_life(&run, KTSTR_LIFE_WORKLOAD_DISPATCHED, "disabled");
	send_life(&run, KTSTR_LIFE_SCHED_STARTED, "b");
	send_text(&run, KTSTR_FRAME_SCHED_LOG, "b \033says");
	send_life(&run, KTSTR_LIFE_SCHED_ATTACHED, "ops_b");
	end_well(&run);
	judge(&run, NULL);
	expect(&run, KTSTR_OUTCOME_PASS, NULL);
	assert_int_equal(json_array_size(run.result.scheduler_instances), 2);
	assert_string_equal(instance_text(&run, 0, "name"), "a");
	assert_string_equal(instance_text(&run, 0, "ops"), "ops_a");
	assert_string_equal(instance_text(&run, 0, "end"), "detached");
	assert_string_equal(instance_text(&run, 0, "log"), "a says\n");
	assert_null(instance_text(&run, 1, "end"));
	assert_null(strchr(instance_text(&run, 1, "log"), '\033'));
	assert_non_null(strstr(run.result.scheduler_log, "=== scheduler 1: a ===\na says\n=== scheduler 2: b ===\nb "));
}

static void a_workload_without_the_scheduler_that_should_be_there(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_SCHED_STARTED, "a");
	send_life(&run, KTSTR_LIFE_SCHED_ATTACHED, "ops_a");
	send_life(&run, KTSTR_LIFE_WORKLOAD_DISPATCHED, "disabled");
	end_well(&run);
	judge(&run, NULL);
	EXPECT_FAIL(&run, "sched_ext was not active", "disabled");
}

static void the_scheduler_that_is_lost_is_named(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_SCHED_STARTED, "scx_foo");
	send_life(&run, KTSTR_LIFE_SCHED_ATTACHED, "foo");
	send_life(&run, KTSTR_LIFE_SCHED_STOPPED, "replaced by other");
	send_life(&run, KTSTR_LIFE_SCHED_STARTED, "other");
	send_life(&run, KTSTR_LIFE_SCHED_ATTACHED, "other");
	die(&run, EXITED(2));
	end_well(&run);
	judge(&run, NULL);
	EXPECT_FAIL(&run, "scheduler other died", "exit code 2");
}

static void one_that_cannot_be_started(void **state)
{
	_cleanup_run_ struct run run = eevdf_run();

	(void)state;
	send_life(&run, KTSTR_LIFE_SCHED_NOT_ATTACHED, ".enable: \"x\" ended with exit code 3");
	judge(&run, "the guest powered off in the middle of the test");
	EXPECT_FAIL(&run, "scheduler scx_foo could not be started", "exit code 3");
}

/* A run that lost its scheduler with these words, under an expectation. */
static void expect_words(const char *contains, const char *matches, enum ktstr_outcome_kind kind, const char *part)
{
	struct ktstr_expectation wanted = { true, (char *)contains, (char *)matches, false };
	_cleanup_run_ struct run run = scx_run();

	reach_workload(&run);
	send_text(&run, KTSTR_FRAME_SCHED_LOG, "ejected: my reason\n");
	die(&run, EXITED(1));
	end_well(&run);
	set_console(&run, "[1.0] other: words\n[1.0] sched_ext: BPF scheduler \"foo\" disabled (runtime error)\n[1.0] sched_ext: foo: stalled 7\n");
	judge(&run, NULL);
	ktstr_expect_apply(&wanted, &run.result);
	expect(&run, kind, (const char *const[]){ part, NULL });
	assert_int_equal(run.result.expected_failure, kind == KTSTR_OUTCOME_PASS);
	if (kind == KTSTR_OUTCOME_PASS)
		assert_non_null(strstr(run.result.verdict.notes[0].message, "as expected: scheduler scx_foo died"));
}

static void expected_failures(void **state)
{
	(void)state;
	expect_words(NULL, NULL, KTSTR_OUTCOME_PASS, NULL);
	expect_words("my reason", NULL, KTSTR_OUTCOME_PASS, NULL);
	expect_words("my reason", "stalled [0-9]$", KTSTR_OUTCOME_PASS, NULL);
	expect_words("another reason", NULL, KTSTR_OUTCOME_FAIL, "has \"another reason\"");
	expect_words("my reason", "stalled [a-z]", KTSTR_OUTCOME_FAIL, "matches \"stalled [a-z]\"");
	/* The kernel says much on its console: only its words on sched_ext count. */
	expect_words("other: words", NULL, KTSTR_OUTCOME_FAIL, "has \"other: words\"");
}

static void expected_failures_that_do_not_come(void **state)
{
	static const struct ktstr_expectation failure = { .failure = true, .allow_inconclusive = true };
	_cleanup_run_ struct run passes = eevdf_run(), skips = eevdf_run(), undecided = eevdf_run();

	(void)state;
	end_well(&passes);
	judge(&passes, NULL);
	ktstr_expect_apply(&failure, &passes.result);
	EXPECT_FAIL(&passes, "must fail (.expect_err), but it passed");
	end_well(&undecided);
	judge(&undecided, NULL);
	ktstr_assert_record(&undecided.result.verdict, KTSTR_OUTCOME_INCONCLUSIVE, KTSTR_DETAIL_OTHER, "no samples");
	ktstr_expect_apply(&failure, &undecided.result);
	EXPECT_FAIL(&undecided, "was inconclusive");
	assert_false(undecided.result.allow_inconclusive);
	ktstr_assert_record(&skips.result.verdict, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "no LLCs");
	ktstr_expect_apply(&failure, &skips.result);
	assert_int_equal(ktstr_test_result_kind(&skips.result), KTSTR_OUTCOME_SKIP);
}

static void send_step(struct run *run, uint32_t type, uint16_t index)
{
	const struct ktstr_stimulus_record record = { .step_index = index };
	uint8_t payload[KTSTR_STIMULUS_BYTES];

	ktstr_stimulus_encode(&record, payload);
	send(run, type, payload, sizeof(payload));
}

/* A hold of a step; what happens in it comes between the two. */
static void begin_hold(struct run *run, uint16_t index, const char *active)
{
	send_step(run, KTSTR_FRAME_STIMULUS, index);
	send_life(run, KTSTR_LIFE_WORKLOAD_DISPATCHED, active);
}

static void end_storm(struct run *run)
{
	end_well(run);
	judge(run, NULL);
	ktstr_survival_judge(&run->observation.survival, &run->result);
}

static void survives_storm_passes_when_every_hold_is_survived(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	reach_workload(&run);
	for (uint16_t i = 0; i < 3; i++) {
		begin_hold(&run, i, "enabled foo");
		send_step(&run, KTSTR_FRAME_STEP_END, i);
	}
	/* Between holds a test may do with its schedulers what it likes. */
	send_life(&run, KTSTR_LIFE_SCHED_STOPPED, "detached as asked");
	end_storm(&run);
	expect(&run, KTSTR_OUTCOME_PASS, NULL);
	assert_int_equal(run.observation.survival.survived, 3);
}

static void survives_storm_fails_when_a_hold_loses_its_scheduler(void **state)
{
	static const struct {
		enum ktstr_lifecycle event;
		const char *part;
	} losses[] = { { KTSTR_LIFE_SCHED_DIED, "in that of step 1 its process ended" },
		       { KTSTR_LIFE_SCHED_DETACHED, "in that of step 1 the kernel unloaded it" },
		       /* Planned, and yet the hold was not under it. */
		       { KTSTR_LIFE_SCHED_STOPPED, "in that of step 1 it was stopped" } };

	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		_cleanup_run_ struct run run = scx_run();
		const struct ktstr_assert_result *verdict = &run.result.verdict;

		reach_workload(&run);
		begin_hold(&run, 0, "enabled foo");
		send_step(&run, KTSTR_FRAME_STEP_END, 0);
		begin_hold(&run, 1, "enabled foo");
		send_life(&run, losses[i].event, "");
		send_step(&run, KTSTR_FRAME_STEP_END, 1);
		end_storm(&run);
		assert_int_equal(ktstr_test_result_kind(&run.result), KTSTR_OUTCOME_FAIL);
		assert_non_null(run.result.cause);
		assert_non_null(strstr(verdict->outcomes[verdict->outcomes_count - 1].detail.message, losses[i].part));
	}
}

static void survives_storm_fails_under_another_scheduler(void **state)
{
	_cleanup_run_ struct run run = scx_run();

	(void)state;
	reach_workload(&run);
	begin_hold(&run, 0, "disabled");
	send_step(&run, KTSTR_FRAME_STEP_END, 0);
	end_storm(&run);
	assert_int_equal(ktstr_test_result_kind(&run.result), KTSTR_OUTCOME_FAIL);
	assert_int_equal(run.observation.survival.survived, 0);
}

static void survives_storm_without_a_hold_is_inconclusive(void **state)
{
	_cleanup_run_ struct run run = scx_run(), cut_short = scx_run(), skipped = scx_run();
	const char *const parts[] = { "no step held", NULL };

	(void)state;
	reach_workload(&run);
	end_storm(&run);
	expect(&run, KTSTR_OUTCOME_INCONCLUSIVE, parts);
	/* A hold that did not end was not survived. */
	reach_workload(&cut_short);
	begin_hold(&cut_short, 0, "enabled foo");
	end_storm(&cut_short);
	expect(&cut_short, KTSTR_OUTCOME_INCONCLUSIVE, parts);
	ktstr_assert_record(&skipped.result.verdict, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "no LLCs");
	ktstr_survival_judge(&skipped.observation.survival, &skipped.result);
	assert_int_equal(ktstr_test_result_kind(&skipped.result), KTSTR_OUTCOME_SKIP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_runs_pass),
		cmocka_unit_test(guest_failures_are_the_cause),
		cmocka_unit_test(exit_before_attach),
		cmocka_unit_test(rejected_by_the_verifier),
		cmocka_unit_test(never_attached),
		cmocka_unit_test(kernel_without_sched_ext),
		cmocka_unit_test(died_with_the_kernels_reason),
		cmocka_unit_test(killed_by_a_signal),
		cmocka_unit_test(exited_cleanly_in_the_middle),
		cmocka_unit_test(unloaded_while_its_process_lives),
		cmocka_unit_test(other_scheduler_ran_the_workload),
		cmocka_unit_test(panics),
		cmocka_unit_test(panic_outweighs_a_lost_scheduler),
		cmocka_unit_test(program_ended_without_a_verdict),
		cmocka_unit_test(timeouts_and_silence),
		cmocka_unit_test(agent_errors),
		cmocka_unit_test(verdicts_that_cannot_be_read),
		cmocka_unit_test(damaged_frames_change_nothing),
		cmocka_unit_test(short_payloads_are_harmless),
		cmocka_unit_test(each_scheduler_has_its_log_and_end),
		cmocka_unit_test(a_workload_without_the_scheduler_that_should_be_there),
		cmocka_unit_test(the_scheduler_that_is_lost_is_named),
		cmocka_unit_test(one_that_cannot_be_started),
		cmocka_unit_test(expected_failures),
		cmocka_unit_test(expected_failures_that_do_not_come),
		cmocka_unit_test(survives_storm_passes_when_every_hold_is_survived),
		cmocka_unit_test(survives_storm_fails_when_a_hold_loses_its_scheduler),
		cmocka_unit_test(survives_storm_fails_under_another_scheduler),
		cmocka_unit_test(survives_storm_without_a_hold_is_inconclusive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
