// SPDX-License-Identifier: GPL-2.0-only
/*
 * rt-app files: what is read into which program, what is refused with which words, and workers that carry programs out
 * on this machine: how often they pass, in which order they wake, and that the stop ends every wait.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rtapp/shared.h"
#include "unit.h"

static struct rtapp_program *parse(const char *text)
{
	struct rtapp_program *program = NULL;

	assert_ok(ktstr_rtapp_parse("f.json", text, &program));
	return program;
}

static void expect_refused(const char *text, const char *message)
{
	struct rtapp_program *program = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_rtapp_parse("f.json", text, &program);

	if (!error)
		fail_msg("accepted: %s", text);
	assert_string_equal(ktstr_error_message(error), message);
}

/* A task with these events in its only phase. */
#define TASK(events) "{\"tasks\":{\"t\":{" events "}}}"

/* The phase as "run 2000, lock 0, ..." */
static char *events_of(const struct rtapp_phase *phase)
{
	struct ktstr_str text = { 0 };

	for (size_t i = 0; i < phase->events_count; i++) {
		const struct rtapp_event *event = &phase->events[i];

		ktstr_str_addf(&text, "%s%s %llu", i ? ", " : "", rtapp_event_name(event->kind),
			       (unsigned long long)(event->amount ? event->amount : event->object));
	}
	return ktstr_str_take(&text);
}

static void expect_events(const char *text, const char *expected)
{
	struct rtapp_program *program = parse(text);
	_cleanup_free_ char *events = events_of(&program->tasks[0].phases[0]);

	assert_string_equal(events, expected);
	ktstr_rtapp_destroy(program);
}

static void json_as_rt_app_and_workgen_read_it(void **state)
{
	(void)state;
	expect_events("{ /* a\ncomment */ 'tasks' : // another\n { \"t\" : { \"loop\" : -1, \"run\" : 1, }, },\n"
		      "\"global\" : { \"gnuplot\" : True, \"frag\" : 1, \"logdir\" : \"/*no comment\" } }",
		      "run 1000");
	/* The same event again: by a number, or by its name, which workgen would number. */
	expect_events(TASK("\"run0\":1,\"sleep0\":2,\"run1\":3"), "run 1000, sleep 2000, run 3000");
	expect_events(TASK("\"run\":1,\"sleep\":2,\"run\":3,\"run\":4"), "run 1000, sleep 2000, run 3000, run 4000");
	/* The beginning counts. */
	expect_events(TASK("\"runtime_a\":1,\"run_a\":2,\"memcpy\":3,\"iorun1\":4"), "runtime 1000, run 2000, mem 3, iorun 4");
	/* A key alone, as workgen has it. */
	expect_events(TASK("\"suspend\",\"run\":1"), "suspend 0, run 1000");
	expect_refused("{ \"tasks\" : {\n\n \"t\" : { \"run\" : 1 2 } } }",
		       "f.json: line 3 is not JSON as rt-app reads it: '}' expected near '2'");
	expect_refused("{\n\"tasks", "f.json: line 2: a string has no end");
	expect_refused("{ ]", "f.json: line 1: a ']' closes nothing");
	expect_refused("", "f.json: line 1 is not JSON as rt-app reads it: '[' or '{' expected near end of file");
	expect_refused("[]", "f.json: the file is an array: give an object with \"tasks\" in it");
}

static void objects_are_shared_by_name(void **state)
{
	struct rtapp_program *program = parse(
		"{\"tasks\":{"
		"\"a\":{\"lock\":\"m\",\"wait\":{\"ref\":\"q\",\"mutex\":\"m\"},\"unlock\":\"m\",\"resume\":\"r\","
		"\"timer0\":{\"ref\":\"unique\",\"period\":5},\"timer1\":{\"ref\":\"tick\",\"period\":6,\"mode\":\"absolute\"}},"
		"\"b\":{\"instance\":3,\"signal\":\"q\",\"suspend\":\"r\",\"barrier\":\"x\",\"timer\":{\"ref\":\"tick\",\"period\":7}},"
		"\"c\":{\"barrier\":\"x\",\"sync\":{\"ref\":\"q\",\"mutex\":\"m\"}}}}");
	const struct rtapp_event *a = program->tasks[0].phases[0].events, *b = program->tasks[1].phases[0].events;

	(void)state;
	assert_int_equal(program->mutexes.count, 1);
	assert_int_equal(program->conditions.count, 2);
	assert_int_equal(program->timers.count, 1);
	assert_true(program->timers.items[0].absolute);
	assert_int_equal(program->tasks[0].timers.count, 1);
	assert_true(a[4].own_timer);
	assert_int_equal(a[1].object, b[0].object);
	assert_int_equal(a[3].object, b[1].object);
	assert_int_equal(program->barrier_users[0], 4);
	assert_true(program->tasks[2].phases[0].events[1].takes_mutex);
	assert_int_equal(rtapp_workers(program), 5);
	ktstr_rtapp_destroy(program);
}

static void attributes_of_tasks_and_phases(void **state)
{
	struct rtapp_program *program =
		parse("{\"global\":{\"duration\":3,\"default_policy\":\"SCHED_FIFO\",\"pi_enabled\":true,\"cumulative_slack\":true,"
		      "\"mem_buffer_size\":4096,\"io_device\":\"/tmp/x\"},\"tasks\":{"
		      "\"a\":{\"delay\":1500,\"cpus\":[0,2],\"taskgroup\":\"/g/h\",\"loop\":7,\"phases\":{"
		      "\"p\":{\"loop\":2,\"priority\":20,\"run\":1},\"q\":{\"cpus\":[1],\"policy\":\"SCHED_OTHER\",\"priority\":-3,\"run\":1},"
		      "\"r\":{\"run\":1},\"r\":{\"priority\":4,\"run\":1}}},"
		      "\"b\":{\"policy\":\"SCHED_DEADLINE\",\"dl-runtime\":100,\"dl-period\":2000,\"loop\":5,\"run\":1},"
		      "\"c\":{\"policy\":\"SCHED_IDLE\",\"run\":1}}}");
	const struct rtapp_task *a = &program->tasks[0], *b = &program->tasks[1], *c = &program->tasks[2];

	(void)state;
	assert_int_equal(program->duration_ns.value, KTSTR_SEC(3));
	assert_int_equal(program->lock_mode, KTSTR_LOCK_PI);
	assert_true(program->cumulative_slack);
	assert_int_equal(program->buffer_bytes, 4096);
	assert_string_equal(program->io_device, "/tmp/x");
	assert_int_equal(a->delay_ns, KTSTR_US(1500));
	assert_string_equal(a->cgroup, "g/h");
	assert_int_equal(a->loops, 7);
	assert_int_equal(a->sched.policy.priority, 10);
	assert_int_equal(a->phases_count, 4);
	assert_int_equal(a->phases[0].loops, 2);
	assert_int_equal(a->phases[0].sched.policy.kind, KTSTR_POLICY_FIFO);
	assert_int_equal(a->phases[0].sched.policy.priority, 20);
	assert_int_equal(a->phases[1].sched.nice, -3);
	assert_true(ktstr_cpus_has(&a->phases[1].cpus, 1));
	assert_false(a->phases[2].sched.set);
	assert_string_equal(a->phases[3].name, "r (no. 2)");
	assert_int_equal(a->phases[3].sched.policy.kind, KTSTR_POLICY_NORMAL);
	assert_int_equal(a->phases[3].sched.nice, 4);
	/* Without phases the loop is that of the only one. */
	assert_int_equal(b->loops, 1);
	assert_int_equal(b->phases[0].loops, 5);
	assert_int_equal(b->sched.policy.deadline, KTSTR_US(2000));
	assert_int_equal(c->sched.policy.kind, KTSTR_POLICY_IDLE);
	assert_int_equal(c->phases[0].loops, RTAPP_ENDLESS);
	assert_ok(ktstr_rtapp_check_cpus(program, 3));
	{
		_cleanup_error_ struct ktstr_error *error = ktstr_rtapp_check_cpus(program, 2);

		assert_string_equal(ktstr_error_message(error),
				    "f.json: task a: cpus names CPU 2, but the machine has 2: give a larger --topology");
	}
	ktstr_rtapp_destroy(program);
}

static void what_cannot_be_translated_is_named(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{}", "f.json: tasks is nothing: give an object of at least one task" },
		{ "{\"tasks\":{\"t\":{}}}", "f.json: task t: it has no events: give it at least one" },
		{ "{\"tasks\":{\"t\":{\"run\":1},\"t\":{\"run\":2}}}",
		  "f.json: two tasks are called \"t\": give each a name of its own" },
		{ TASK("\"run\":1.5"),
		  "f.json: task t: event run: its value is a fraction: give an integer of microseconds" },
		{ TASK("\"run\":1,\"run\":-2"),
		  "f.json: task t: event run (no. 2): its value is -2: give an integer of microseconds from 0 to 2147483647" },
		{ TASK("\"run\":1,\"prority\":2"),
		  "f.json: task t: the key \"prority\" means nothing to ktstr: correct or remove it; did you mean \"priority\"?" },
		{ TASK("\"run\":1,\"loop\":1,\"loop\":2"), "f.json: task t: \"loop\" is given twice: keep one" },
		{ TASK("\"run\":1,\"loop\":0"), "f.json: task t: loop is 0: give how often, or -1 for until the end" },
		{ TASK("\"run\":1,\"exec\":5"),
		  "f.json: task t: \"exec\" cannot be translated: it is of the grammar before rt-app 1.0: write events and phases" },
		{ TASK("\"run\":1,\"util_min\":5"),
		  "f.json: task t: \"util_min\" cannot be translated: workers have no utilization clamps: remove it" },
		{ TASK("\"run\":1,\"phases\":{\"p\":{\"run\":1}}"),
		  "f.json: task t: the event \"run\" is in no phase: move it into one" },
		{ TASK("\"phases\":{\"p\":{\"run\":1,\"taskgroup\":\"/a\"}}"),
		  "f.json: task t: phase p: \"taskgroup\" cannot be translated: a worker stays in its cgroup: say the taskgroup at the task" },
		{ TASK("\"run\":1,\"taskgroup\":\"a\""),
		  "f.json: task t: taskgroup \"a\" does not begin with '/': give \"/a\"" },
		{ TASK("\"run\":1,\"policy\":\"SCHED_BATCH\""),
		  "f.json: task t: policy is \"SCHED_BATCH\": give SCHED_OTHER, SCHED_IDLE, SCHED_FIFO, SCHED_RR or SCHED_DEADLINE" },
		{ TASK("\"run\":1,\"priority\":20"), "f.json: task t: priority is 20: give -20 to 19" },
		{ TASK("\"run\":1,\"cpus\":[]"), "f.json: task t: cpus is empty: give at least one CPU number" },
		{ TASK("\"run\":1,\"policy\":\"SCHED_DEADLINE\""),
		  "f.json: task t: SCHED_DEADLINE with dl-runtime 0, dl-deadline 0, dl-period 0 us: give a dl-runtime of at most the dl-deadline, and that at most the dl-period" },
		{ TASK("\"timer\":{\"ref\":\"unique\"}"),
		  "f.json: task t: event timer: it has no \"period\": give { \"ref\": NAME, \"period\": MICROSECONDS }" },
		{ TASK("\"timer\":{\"ref\":\"a\",\"period\":1,\"mod\":\"x\"}"),
		  "f.json: task t: event timer: the key \"mod\" means nothing to ktstr: correct or remove it; did you mean \"mode\"?" },
		{ TASK("\"wait\":\"q\""),
		  "f.json: task t: event wait: its value is a string: give { \"ref\": NAME, \"mutex\": NAME }" },
		{ TASK("\"wait\":{\"ref\":\"q\",\"mutex\":\"m\"}"),
		  "f.json: task t: event wait: the task waits with the mutex \"m\", which it does not hold: lock it before" },
		{ TASK("\"lock\":\"m\",\"lock2\":\"m\""),
		  "f.json: task t: event lock2: the task holds the mutex \"m\" already and would wait for itself: unlock it before" },
		{ TASK("\"unlock\":\"m\""),
		  "f.json: task t: event unlock: the task does not hold the mutex \"m\": lock it before" },
		{ TASK("\"lock\":\"m\""), "f.json: task t: it holds the mutex \"m\" at its end: unlock it in between" },
		{ TASK("\"phases\":{\"p\":{\"loop\":2,\"lock\":\"m\"},\"q\":{\"unlock\":\"m\"}}"),
		  "f.json: task t: phase p: it holds the mutex \"m\" at its end, other than at its start, and is repeated: unlock it in between" },
		{ TASK("\"barrier\":\"x\",\"run\":1,\"barrier2\":\"x\""),
		  "f.json: task t: event barrier2: the task uses the barrier \"x\" twice and would wait for itself: give each use a name of its own" },
		{ TASK("\"fork\":\"u\""), "f.json: task t: event fork: there is no task \"u\": name one of \"tasks\"" },
		{ TASK("\"loop\":2,\"fork\":\"t\""),
		  "f.json: task t: event fork: task t forks itself, in the end without end: break the circle" },
		{ "{\"tasks\":{\"t\":{\"fork\":\"u\"},\"u\":{\"run\":1}}}",
		  "f.json: task t: event fork: a fork without end cannot be translated, as workers are made before the run begins: give task and phase a loop of so many times" },
		{ "{\"tasks\":{\"t\":{\"loop\":2000,\"fork\":\"u\"},\"u\":{\"run\":1}}}",
		  "f.json: task t: event fork: it makes more than 1024 workers of task u, which are made before the run begins: give it a smaller loop" },
		{ "{\"tasks\":{\"t\":{\"loop\":2,\"fork\":\"u\"},\"u\":{\"barrier\":\"x\"}}}",
		  "f.json: task u: event barrier: the task is forked, so that nobody knows how many will come: leave the barrier out" },
		{ "{\"tasks\":{\"t\":{\"taskgroup\":\"/a\",\"run\":1},\"u\":{\"taskgroup\":\"/a/b\",\"run\":1}}}",
		  "f.json: task t: taskgroup \"/a\" cannot be translated, as task u is in \"/a/b\" below it and cgroup v2 keeps tasks in leaves: put it into a leaf" },
		{ TASK("\"instance\":0,\"run\":1"),
		  "f.json: it has 0 workers in all: give 1 to 1024, in \"instance\" and by forks" },
		{ "{\"global\":{\"duraton\":1},\"tasks\":{}}",
		  "f.json: global: the key \"duraton\" means nothing to ktstr: correct or remove it; did you mean \"duration\"?" },
		{ "{\"global\":{\"pi_enabled\":1},\"tasks\":{}}", "f.json: global: pi_enabled is an integer: give true or false" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refused(cases[i].text, cases[i].message);
}

static void forks_are_counted_through_generations(void **state)
{
	struct rtapp_program *program =
		parse("{\"tasks\":{\"c\":{\"instance\":0,\"loop\":1,\"run\":1},"
		      "\"b\":{\"instance\":0,\"loop\":2,\"fork\":\"c\",\"fork2\":\"c\"},"
		      "\"a\":{\"instance\":2,\"loop\":3,\"phases\":{\"p\":{\"loop\":2,\"fork\":\"b\"}}}}}");

	(void)state;
	assert_int_equal(program->tasks[1].forks, 2 * 3 * 2);
	assert_int_equal(program->tasks[0].forks, 12 * 2 * 2);
	ktstr_rtapp_destroy(program);
}

/* ---- programs that run ---- */

struct running {
	struct rtapp_run run;
	struct ktstr_work_spec specs[16];
	size_t count;
	struct ktstr_workload_handle *workload;
};

static void start(struct running *running, const char *text)
{
	struct ktstr_workload_config config = { .specs = running->specs };

	running->run.program = parse(text);
	running->count = 0;
	assert_ok(rtapp_run_map(&running->run));
	for (size_t i = 0; i < running->run.program->tasks_count; i++)
		for (int unborn = 0; unborn < 2; unborn++) {
			running->specs[running->count] = rtapp_work_spec(&running->run, i, unborn);
			running->count += running->specs[running->count].workers > 0;
		}
	config.specs_count = running->count;
	assert_ok(ktstr_workload_spawn(&config, &running->workload));
	assert_ok(ktstr_workload_start(running->workload));
}

static uint64_t passes(const struct running *running, size_t task_index)
{
	const struct rtapp_task *task = &running->run.program->tasks[task_index];
	uint64_t sum = 0;

	for (uint32_t i = 0; i < task->instances + task->forks; i++)
		sum += running->run.slots[running->run.first_slots[task_index] + i].stats.passes;
	return sum;
}

/* Until the task has passed so often; a machine that is too busy for that within a minute fails the test. */
static void await_passes(const struct running *running, size_t task_index, uint64_t wanted)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(60);

	while (passes(running, task_index) < wanted) {
		if (ktstr_now_ns() > deadline)
			fail_msg("task %zu passed %llu times, expected %llu", task_index,
				 (unsigned long long)passes(running, task_index), (unsigned long long)wanted);
		ktstr_sleep_ns(KTSTR_MS(1));
	}
}

static void stop(struct running *running)
{
	size_t count;
	const struct ktstr_worker_report *reports = ktstr_workload_stop_and_collect(running->workload, &count);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(reports[i].exit, KTSTR_WORKER_COMPLETED);
	for (size_t i = 0; i < RTAPP_FAILURES; i++)
		assert_int_equal(running->run.header->failures[i], 0);
	ktstr_workload_destroy(running->workload);
	ktstr_rtapp_destroy((struct rtapp_program *)running->run.program);
	rtapp_run_unmap(&running->run);
}

static void loops_end_by_themselves(void **state)
{
	struct running running;

	(void)state;
	start(&running, "{\"tasks\":{\"a\":{\"instance\":2,\"loop\":3,\"phases\":{\"p\":{\"loop\":4,\"yield\":\"\"},\"q\":{\"mem\":100,"
			"\"iorun\":5000}}},\"b\":{\"loop\":5,\"run\":10}},\"global\":{\"mem_buffer_size\":1000}}");
	await_passes(&running, 0, 2 * 3 * 5);
	await_passes(&running, 1, 5);
	stop(&running);
}

static void runs_and_runtimes_take_what_they_should(void **state)
{
	struct running running;
	const struct rtapp_stats *run, *runtime;

	(void)state;
	start(&running, "{\"tasks\":{\"a\":{\"loop\":10,\"run\":2000},\"b\":{\"loop\":10,\"runtime\":2000}}}");
	await_passes(&running, 0, 10);
	await_passes(&running, 1, 10);
	run = &running.run.slots[0].stats;
	runtime = &running.run.slots[1].stats;
	/* Never less than the time; a share of it for work measured at another speed of the CPU. */
	assert_true(runtime->run_ns >= 10 * KTSTR_MS(2));
	assert_true(run->run_ns >= 10 * KTSTR_MS(2) / 4);
	assert_true(run->period_ns >= run->run_ns);
	stop(&running);
}

static void a_timer_keeps_its_period(void **state)
{
	struct running running;
	const struct rtapp_stats *stats;
	uint64_t since;

	(void)state;
	since = ktstr_now_ns();
	start(&running, "{\"tasks\":{\"a\":{\"loop\":20,\"timer\":{\"ref\":\"unique\",\"period\":5000,\"mode\":\"absolute\"}}}}");
	await_passes(&running, 0, 20);
	/* The 20th expiry is 100 ms after the start, whoever was late in between. */
	assert_true(ktstr_now_ns() - since >= KTSTR_MS(100));
	stats = &running.run.slots[0].stats;
	assert_true(stats->has_slack);
	assert_true(stats->min_slack_ns <= (int64_t)KTSTR_MS(5));
	assert_true(stats->wakeup_us.samples <= 20);
	stop(&running);
}

static void a_missed_timer_counts_from_there(void **state)
{
	struct running running;

	(void)state;
	start(&running, "{\"tasks\":{\"a\":{\"loop\":4,\"runtime\":3000,\"timer\":{\"ref\":\"unique\",\"period\":1000}}}}");
	await_passes(&running, 0, 4);
	assert_int_equal(running.run.slots[0].stats.wakeup_us.samples, 0);
	/* Relative: 2 ms late each time, never more and more. An absolute one would be 8 ms late in the end. */
	assert_true(running.run.slots[0].stats.min_slack_ns <= -(int64_t)KTSTR_MS(2));
	stop(&running);
}

/* A producer's signals: none is lost while its consumer waits, none wakes two. */
static void signals_wake_one(void **state)
{
	struct running running;

	(void)state;
	start(&running,
	      "{\"tasks\":{\"consumer\":{\"instance\":3,\"lock\":\"m\",\"wait\":{\"ref\":\"q\",\"mutex\":\"m\"},\"unlock\":\"m\"},"
	      "\"producer\":{\"loop\":30,\"sleep\":2000,\"lock\":\"m\",\"signal\":\"q\",\"unlock\":\"m\"}}}");
	await_passes(&running, 1, 30);
	ktstr_sleep_ns(KTSTR_MS(50));
	/* Signals before the consumers came to wait are lost, as they are for pthread_cond_signal(). */
	assert_true(passes(&running, 0) <= 30);
	await_passes(&running, 0, 10);
	stop(&running);
}

static void barriers_and_syncs_keep_step(void **state)
{
	struct running running;
	uint64_t least, most;

	(void)state;
	start(&running, "{\"tasks\":{\"a\":{\"instance\":2,\"barrier\":\"x\",\"run\":10},\"b\":{\"loop\":50,\"barrier\":\"x\",\"sleep\":100}}}");
	await_passes(&running, 1, 50);
	stop(&running);
	start(&running, "{\"tasks\":{\"a\":{\"barrier\":\"x\",\"yield\":\"\"},\"b\":{\"barrier\":\"x\"}}}");
	await_passes(&running, 0, 100);
	least = passes(&running, 0);
	most = passes(&running, 1);
	assert_true(most + 1000 >= least);
	stop(&running);
	/* Each wakes the other and waits. */
	start(&running, "{\"tasks\":{\"a\":{\"instance\":2,\"sync\":{\"ref\":\"q\",\"mutex\":\"m\"}}}}");
	await_passes(&running, 0, 100);
	stop(&running);
}

static void the_suspended_are_resumed(void **state)
{
	struct running running;

	(void)state;
	start(&running, "{\"tasks\":{\"a\":{\"suspend\",\"run\":10},\"b\":{\"sleep\":500,\"resume\":\"a\"}}}");
	await_passes(&running, 0, 20);
	stop(&running);
}

static void locks_exclude(void **state)
{
	struct running running;

	(void)state;
	for (int pi = 0; pi < 2; pi++) {
		_cleanup_free_ char *text =
			ktstr_xasprintf("{\"tasks\":{\"a\":{\"instance\":4,\"loop\":25,\"lock\":\"m\",\"runtime\":100,\"unlock\":\"m\"}},"
					"\"global\":{\"pi_enabled\":%s}}", pi ? "true" : "false");

		start(&running, text);
		await_passes(&running, 0, 100);
		stop(&running);
	}
}

static void forks_let_workers_begin(void **state)
{
	struct running running;

	(void)state;
	start(&running, "{\"tasks\":{\"a\":{\"loop\":3,\"sleep\":1000,\"fork\":\"b\"},\"b\":{\"instance\":0,\"loop\":2,\"run\":10},"
			"\"c\":{\"loop\":1,\"suspend\":\"x\",\"fork\":\"d\"},\"d\":{\"instance\":0,\"run\":10}}}");
	await_passes(&running, 1, 6);
	assert_int_equal(passes(&running, 3), 0);
	stop(&running);
}

/* Whatever a task waits for, and whoever never comes. */
static void the_stop_ends_every_wait(void **state)
{
	struct running running;
	uint64_t since;

	(void)state;
	start(&running, "{\"tasks\":{\"a\":{\"lock\":\"m\",\"suspend\":\"never\",\"unlock\":\"m\"},\"b\":{\"lock\":\"m\",\"unlock\":\"m\"},"
			"\"c\":{\"instance\":2,\"barrier\":\"x\"},\"d\":{\"suspend\":\"x\",\"barrier\":\"x\"},"
			"\"e\":{\"sleep\":2000000000},\"f\":{\"timer\":{\"ref\":\"t\",\"period\":2000000000}},"
			"\"g\":{\"delay\":2000000000,\"run\":1},\"h\":{\"run\":2000000000},\"i\":{\"runtime\":2000000000},"
			"\"j\":{\"lock\":\"n\",\"wait\":{\"ref\":\"q\",\"mutex\":\"n\"},\"unlock\":\"n\"}}}");
	ktstr_sleep_ns(KTSTR_MS(100));
	since = ktstr_now_ns();
	stop(&running); /* all completed: none had to be killed */
	assert_true(ktstr_now_ns() - since < KTSTR_SEC(5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_as_rt_app_and_workgen_read_it),
		cmocka_unit_test(objects_are_shared_by_name),
		cmocka_unit_test(attributes_of_tasks_and_phases),
		cmocka_unit_test(what_cannot_be_translated_is_named),
		cmocka_unit_test(forks_are_counted_through_generations),
		cmocka_unit_test(loops_end_by_themselves),
		cmocka_unit_test(runs_and_runtimes_take_what_they_should),
		cmocka_unit_test(a_timer_keeps_its_period),
		cmocka_unit_test(a_missed_timer_counts_from_there),
		cmocka_unit_test(signals_wake_one),
		cmocka_unit_test(barriers_and_syncs_keep_step),
		cmocka_unit_test(the_suspended_are_resumed),
		cmocka_unit_test(locks_exclude),
		cmocka_unit_test(forks_let_workers_begin),
		cmocka_unit_test(the_stop_ends_every_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
