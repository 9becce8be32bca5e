// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine in a world that writes down what is done to it: order, ownership, teardown after errors, records. The last tests
 * run small scenarios on this machine, where it has a cgroup2 tree and the user may write to it.
 */
#include "plan_fixture.h"

#include <ktstr.h>

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "wire/frame.h"
#include "wire/stimulus.h"

KTSTR_PAYLOAD(tool, .binary = "sh");

/* Over paper: what is written down, what fails, and when the scheduler dies. */
static struct diary {
	struct machine machine;
	struct paper_world paper;
	struct world_ops ops;
	const struct world_ops *below; /* paper's own */
	struct ktstr_str text;
	const char *fail_at; /* an entry that begins so is an error */
	uint64_t dies_at_ns; /* 0 = never */
	struct ktstr_stimulus_record stimuli[16];
	bool ends[16];
	size_t stimuli_count, steps_told;
	struct ktstr_worker_report reports[8];
} diary;

static struct ktstr_error *enter(const char *fmt, ...) KTSTR_PRINTF(1, 2);
static struct ktstr_error *enter(const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str entry = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&entry, fmt, args);
	va_end(args);
	ktstr_str_addf(&diary.text, "%s\n", ktstr_str_text(&entry));
	if (diary.fail_at && ktstr_str_starts_with(ktstr_str_text(&entry), diary.fail_at))
		return ktstr_error_new(KTSTR_ERR_SYSTEM, "no luck");
	return NULL;
}

#define NOTE(...) ktstr_error_free(enter(__VA_ARGS__))

static void d_sleep(struct world *world, uint64_t ns)
{
	NOTE("sleep %u", (unsigned int)(ns / KTSTR_MS(1)));
	diary.below->sleep_ns(world, ns);
}

static bool d_alive(struct world *world)
{
	return !diary.dies_at_ns || diary.below->now_ns(world) < diary.dies_at_ns;
}

static void d_frame(struct world *world, uint32_t type, const void *payload, size_t length)
{
	char name[12];

	(void)world;
	if (type == KTSTR_FRAME_STEP) { /* told before the ops, each time */
		assert_int_equal(length, 2);
		diary.steps_told++;
		return;
	}
	NOTE("%s", ktstr_frame_type_name(type, name));
	if (type != KTSTR_FRAME_STIMULUS && type != KTSTR_FRAME_STEP_END)
		return;
	diary.ends[diary.stimuli_count] = type == KTSTR_FRAME_STEP_END;
	assert_true(ktstr_stimulus_decode(payload, length, &diary.stimuli[diary.stimuli_count++]));
}

static struct ktstr_error *d_await(struct world *world)
{
	(void)world;
	return enter("await");
}

static struct ktstr_error *d_create(struct world *world, const char *name)
{
	KTSTR_TRY(enter("create %s", name));
	return diary.below->cgroup_create(world, name);
}

static struct ktstr_error *d_apply(struct world *world, const struct ktstr_cgroup_def *def)
{
	KTSTR_TRY(enter("apply %s", def->name));
	return diary.below->cgroup_apply(world, def);
}

static struct ktstr_error *d_remove(struct world *world, const char *name)
{
	KTSTR_TRY(enter("remove %s", name));
	return diary.below->cgroup_remove(world, name);
}

static struct ktstr_error *d_set_cpuset(struct world *world, const char *name, const struct ktstr_cpus *cpus)
{
	_cleanup_free_ char *list = ktstr_cpus_to_text(cpus);

	KTSTR_TRY(enter("cpuset %s %s", name, list));
	return diary.below->cgroup_set_cpuset(world, name, cpus);
}

static struct ktstr_error *d_freeze(struct world *world, const char *name, bool freeze)
{
	(void)world;
	return enter("%s %s", freeze ? "freeze" : "thaw", name);
}

static struct ktstr_error *d_open(struct world *world, const char *name)
{
	(void)world;
	return enter("open %s", name);
}

static struct ktstr_error *d_spawn(struct world *world, const struct ktstr_workload_config *config, void **workload)
{
	_cleanup_free_ char *cpus = ktstr_cpus_to_text(&config->cpus);
	size_t workers;

	KTSTR_TRY(diary.below->workload_spawn(world, config, workload));
	workers = diary.below->workload_count(world, *workload);
	return enter("spawn %zu %s in %s on %s", workers, ktstr_work_type_name(config->specs[0].type.kind), config->label, cpus);
}

static struct ktstr_error *d_move(struct world *world, void *workload, const char *cgroup)
{
	(void)world;
	(void)workload;
	return enter("move %s", cgroup);
}

static struct ktstr_error *d_start(struct world *world, void *workload)
{
	(void)world;
	(void)workload;
	return enter("start");
}

static struct ktstr_error *d_affinity(struct world *world, void *workload, const struct ktstr_resolved_affinity *affinity)
{
	_cleanup_free_ char *cpus = ktstr_cpus_to_text(&affinity->cpus);

	(void)world;
	(void)workload;
	return enter("affinity %s", cpus);
}

static void d_phase(struct world *world, void *workload, uint32_t epoch)
{
	(void)world;
	(void)workload;
	NOTE("phase %d", (int)epoch);
}

static uint64_t d_iterations(struct world *world, const void *workload)
{
	(void)world;
	(void)workload;
	return 10;
}

/* Every worker has done 100 iterations on CPU 0. */
static const struct ktstr_worker_report *d_collect(struct world *world, void *workload, size_t *count)
{
	*count = diary.below->workload_count(world, workload);
	NOTE("collect %zu", *count);
	for (size_t i = 0; i < *count; i++) {
		diary.reports[i] = (struct ktstr_worker_report){ .index = (unsigned int)i, .iterations = 100, .work_units = 100,
								 .wall_time_ns = KTSTR_SEC(1), .cpu_time_ns = KTSTR_SEC(1) };
		ktstr_cpus_add(&diary.reports[i].cpus_used, 0);
	}
	return diary.reports;
}

static struct ktstr_error *d_payload_start(struct world *world, const struct ktstr_payload_run *run, void **payload)
{
	(void)world;
	*payload = NULL;
	return enter("run %s", run->payload->name);
}

static struct ktstr_error *d_payload_end(struct world *world, void *payload, bool kill)
{
	(void)world;
	(void)payload;
	return enter(kill ? "kill" : "wait");
}

static struct ktstr_error *d_kernel_write(struct world *world, bool cold, const struct ktstr_kernel_op_entry *entries,
					  size_t count)
{
	(void)world;
	(void)entries;
	return enter("write %s %zu", cold ? "cold" : "hot", count);
}

static struct ktstr_error *d_kernel_read(struct world *world, bool cold, const char *tag,
					 const struct ktstr_kernel_op_entry *entry)
{
	(void)world;
	(void)entry;
	return enter("read %s %s", cold ? "cold" : "hot", tag);
}

static int open_diary(void **state)
{
	(void)state;
	memset(&diary, 0, sizeof(diary));
	machine_init(&diary.machine, "1n2l2c1t");
	paper_world_init(&diary.paper, &diary.machine.ctx, NULL);
	diary.below = diary.paper.world.ops;
	diary.ops = *diary.below;
	diary.ops.sleep_ns = d_sleep;
	diary.ops.send_frame = d_frame;
	diary.ops.await_map_write = d_await;
	diary.ops.cgroup_create = d_create;
	diary.ops.cgroup_apply = d_apply;
	diary.ops.cgroup_remove = d_remove;
	diary.ops.cgroup_set_cpuset = d_set_cpuset;
	diary.ops.cgroup_freeze = d_freeze;
	diary.ops.cgroup_open = d_open;
	diary.ops.workload_spawn = d_spawn;
	diary.ops.workload_move = d_move;
	diary.ops.workload_start = d_start;
	diary.ops.workload_affinity = d_affinity;
	diary.ops.workload_phase = d_phase;
	diary.ops.workload_iterations = d_iterations;
	diary.ops.workload_collect = d_collect;
	diary.ops.payload_start = d_payload_start;
	diary.ops.payload_end = d_payload_end;
	diary.ops.kernel_write = d_kernel_write;
	diary.ops.kernel_read = d_kernel_read;
	diary.paper.world.ops = &diary.ops;
	return 0;
}

static int close_diary(void **state)
{
	(void)state;
	paper_world_deinit(&diary.paper);
	machine_deinit(&diary.machine);
	ktstr_str_deinit(&diary.text);
	return 0;
}

static void run(const struct ktstr_plan *plan)
{
	run_scenario(&diary.paper.world, NULL, &plan->backdrop, plan->steps, plan->steps_count, NULL);
	/* Whatever happened, nothing is left. */
	assert_int_equal(diary.paper.cgroups_count, 0);
	assert_int_equal(ktstr_current_step(&diary.machine.ctx), 0);
}

#define RUN(...) run(&(const struct ktstr_plan){ __VA_ARGS__ })

static void assert_diary(const char *expected)
{
	assert_string_equal(ktstr_str_text(&diary.text), expected);
}

static void assert_verdict(const char *only)
{
	const struct ktstr_assert_result *result = &diary.machine.ctx.result;

	assert_int_equal(result->outcomes_count, only ? 1 : 0);
	if (only)
		assert_has(result->outcomes[0].detail.message, only);
}

static void test_order(void **state)
{
	(void)state;
	RUN(.backdrop = { KTSTR_DEFS({ .name = "back", .workers = 1 }), KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "place")),
			  .payloads = KTSTR_WORKLOADS(&tool) },
	    KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_llc(0))),
			  KTSTR_DEFS({ .name = "a", .workers = 2, .work = KTSTR_WORK(MIXED), .workload = &tool },
				     { .name = "b", .cpuset = ktstr_cpuset_llc(1) }) },
			{ .hold = ktstr_hold_fixed(KTSTR_MS(7)) }));
	assert_diary("SCST\n"
		     "apply back\nspawn 1 SpinWait in back on 0-3\nmove back\nstart\ncreate place\nrun tool\n"
		     /* ops, then cgroups that begin together, then their payloads, then the record, then the hold */
		     "cpuset back 0-1\n"
		     "apply a\nspawn 2 Mixed in a on 0-3\nmove a\napply b\nspawn 2 SpinWait in b on 2-3\nmove b\n"
		     "start\nstart\nrun tool\n"
		     "phase 1\nSTIM\nsleep 1000\nSTEN\nphase -1\n"
		     "kill\ncollect 2\ncollect 2\nremove b\nremove a\n"
		     "phase 2\nSTIM\nsleep 7\nSTEN\nphase -1\n"
		     "SCEN\n"
		     "kill\ncollect 1\nremove place\nremove back\n");
	assert_verdict(NULL);
}

static void test_stimuli(void **state)
{
	(void)state;
	RUN(.backdrop = { KTSTR_DEFS({ .name = "back", .workers = 1 }) },
	    KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .workers = 2 }), .hold = ktstr_hold_frac(.25) },
			{ KTSTR_OPS(KTSTR_OP(FREEZE_CGROUP, .cgroup = "back"), KTSTR_OP(UNFREEZE_CGROUP, .cgroup = "back")),
			  .hold = ktstr_hold_frac(.5) }));
	assert_int_equal(diary.stimuli_count, 4);
	assert_int_equal(diary.steps_told, 2);
	assert_false(diary.ends[0]);
	assert_true(diary.ends[1]);
	assert_int_equal(diary.stimuli[0].elapsed_ms, 0);
	assert_int_equal(diary.stimuli[0].step_index, 0);
	assert_int_equal(diary.stimuli[0].cgroup_count, 2);
	assert_int_equal(diary.stimuli[0].worker_count, 3);
	assert_int_equal(diary.stimuli[0].total_iterations, 20);
	assert_int_equal(diary.stimuli[1].elapsed_ms, 250);
	assert_int_equal(diary.stimuli[2].step_index, 1);
	assert_int_equal(diary.stimuli[2].op_count, 2);
	assert_int_equal(diary.stimuli[2].op_kinds,
			 KTSTR_OP_BIT(KTSTR_OP_FREEZE_CGROUP) | KTSTR_OP_BIT(KTSTR_OP_UNFREEZE_CGROUP));
	assert_int_equal(diary.stimuli[2].worker_count, 1);
	assert_int_equal(diary.stimuli[2].total_iterations, 210); /* those that are gone count on */
	assert_int_equal(diary.stimuli[3].elapsed_ms, 750);
}

static void test_loop(void **state)
{
	(void)state;
	RUN(KTSTR_STEPS({ .hold = ktstr_hold_fixed(KTSTR_MS(400)) },
			{ KTSTR_DEFS({ .name = "a", .workers = 1 }),
			  KTSTR_OPS(KTSTR_OP(SET_CPUSET, .cgroup = "a", .cpuset = ktstr_cpuset_llc(0)),
				    KTSTR_OP(SET_CPUSET, .cgroup = "a", .cpuset = ktstr_cpuset_llc(1))),
			  .hold = ktstr_hold_loop(KTSTR_MS(250)) },
			/* Nothing of the duration is left: no round. */
			{ KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "never")), .hold = ktstr_hold_loop(KTSTR_MS(1)) }));
	assert_diary("SCST\nSTIM\nsleep 400\nSTEN\n"
		     "apply a\nspawn 1 SpinWait in a on 0-3\nmove a\nstart\nSTIM\n"
		     "cpuset a 0-1\ncpuset a 2-3\nsleep 250\ncpuset a 0-1\ncpuset a 2-3\nsleep 250\ncpuset a 0-1\ncpuset a 2-3\n"
		     "sleep 100\nSTEN\ncollect 1\nremove a\n"
		     "STIM\nSTEN\nSCEN\n");
	assert_int_equal(diary.stimuli[2].op_count, 2);
	assert_int_equal(diary.stimuli[3].op_count, 6);
}

static void test_invalid_hold_runs_nothing(void **state)
{
	(void)state;
	RUN(KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a")) }, { .hold = ktstr_hold_frac(0) }));
	assert_diary("");
	assert_verdict("step 1 hold validation: hold of 0");
}

static void test_scheduler_payload_runs_nothing(void **state)
{
	(void)state;
	RUN(.backdrop = { KTSTR_DEFS({ .name = "a" }), .payloads = KTSTR_WORKLOADS(&KTSTR_PAYLOAD_KERNEL_DEFAULT) });
	assert_diary("");
	assert_verdict("payload kernel_default is of kind SCHEDULER");
}

static void test_failed_op(void **state)
{
	(void)state;
	diary.fail_at = "cpuset back";
	RUN(.backdrop = { KTSTR_DEFS({ .name = "back", .workers = 1 }) },
	    KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .workers = 1 }), .hold = ktstr_hold_fixed(0) },
			{ KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "b"),
				    KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_llc(0))),
			  KTSTR_DEFS({ .name = "c" }) },
			{ KTSTR_DEFS({ .name = "d" }) }));
	/* What the step had made is gone, what came before is kept, the third step never began. */
	assert_diary("SCST\napply back\nspawn 1 SpinWait in back on 0-3\nmove back\nstart\n"
		     "apply a\nspawn 1 SpinWait in a on 0-3\nmove a\nstart\nphase 1\nSTIM\nSTEN\nphase -1\ncollect 1\nremove a\n"
		     "create b\ncpuset back 0-1\nremove b\n"
		     "SCEN\ncollect 1\nremove back\n");
	assert_verdict("step 1 failed: op 1 (SetCpuset): no luck");
	assert_int_equal(diary.machine.ctx.result.stats.cgroups_count, 2);
}

static void test_failed_setup(void **state)
{
	(void)state;
	diary.fail_at = "move b";
	RUN(KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .workers = 1 }, { .name = "b", .workers = 1 }) }));
	assert_diary("SCST\napply a\nspawn 1 SpinWait in a on 0-3\nmove a\napply b\nspawn 1 SpinWait in b on 0-3\nmove b\n"
		     "collect 1\nremove b\nremove a\nSCEN\n");
	assert_verdict("step 0 failed: cgroup b: no luck");
}

static void test_failed_backdrop(void **state)
{
	(void)state;
	diary.fail_at = "apply b";
	RUN(.backdrop = { KTSTR_DEFS({ .name = "a", .workers = 1 }, { .name = "b" }) }, KTSTR_STEPS(ktstr_step_hold(ktstr_hold_full())));
	assert_diary("SCST\napply a\nspawn 1 SpinWait in a on 0-3\nmove a\napply b\nSCEN\ncollect 1\nremove b\nremove a\n");
	assert_verdict("Backdrop setup failed: cgroup b: no luck");
}

static void test_scheduler_death(void **state)
{
	const struct ktstr_assert_result *result = &diary.machine.ctx.result;

	(void)state;
	diary.ops.scheduler_alive = d_alive;
	diary.dies_at_ns = KTSTR_MS(120);
	RUN(KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .workers = 1 }) }, { KTSTR_DEFS({ .name = "b" }) }));
	/* Looked at every 50 ms; the second step never begins. */
	assert_diary("SCST\napply a\nspawn 1 SpinWait in a on 0-3\nmove a\nstart\nSTIM\nsleep 50\nsleep 50\nsleep 50\n"
		     "STEN\ncollect 1\nremove a\nSCEN\n");
	assert_verdict("scheduler eevdf went away after step 1 of 2, 0.1 s into the scenario");
	assert_int_equal(result->outcomes[0].detail.kind, KTSTR_DETAIL_SCHEDULER_DIED_UNKNOWN_REASON);
}

static void test_death_during_the_last_step(void **state)
{
	(void)state;
	diary.ops.scheduler_alive = d_alive;
	diary.dies_at_ns = KTSTR_MS(1000);
	RUN(KTSTR_STEPS(ktstr_step_hold(ktstr_hold_full())));
	assert_verdict("went away after all 1 steps, 1.0 s into the scenario");
}

static void test_moves(void **state)
{
	(void)state;
	RUN(.backdrop = { KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "back")) },
	    KTSTR_STEPS({ KTSTR_OPS(ktstr_op_spawn_workers("back", { .workers = 1 }),
				    KTSTR_OP(ADD_CGROUP_DEF, .def = { .name = "a", .workers = 2 }),
				    KTSTR_OP(MOVE_ALL_TASKS, .from = "a", .to = "back")),
			  .hold = ktstr_hold_fixed(0) },
			{ .hold = ktstr_hold_fixed(0) }));
	/* The two that came go on in the next step; the one that the step had spawned there ends with it. */
	assert_diary("SCST\ncreate back\n"
		     "spawn 1 SpinWait in back on 0-3\nmove back\nstart\n"
		     "apply a\nspawn 2 SpinWait in a on 0-3\nmove a\nstart\nopen back\nmove back\nphase 0\n"
		     "phase 1\nSTIM\nSTEN\nphase -1\ncollect 1\nremove a\n"
		     "phase 2\nSTIM\nSTEN\nphase -1\nSCEN\ncollect 2\nremove back\n");
	assert_verdict(NULL);
}

/* Nobody belongs to a new place before all have arrived. */
static void test_failed_move(void **state)
{
	(void)state;
	diary.fail_at = "move b";
	RUN(KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(ADD_CGROUP_DEF, .def = { .name = "a", .workers = 1 }),
				    KTSTR_OP(ADD_CGROUP, .cgroup = "b"), KTSTR_OP(MOVE_ALL_TASKS, .from = "a", .to = "b")) }));
	assert_verdict("step 0 failed: op 2 (MoveAllTasks): no luck");
	assert_int_equal(diary.machine.ctx.result.stats.cgroups_count, 1);
	assert_string_equal(diary.machine.ctx.result.stats.cgroups[0].cgroup_name, "a");
}

static void test_removal(void **state)
{
	(void)state;
	RUN(.backdrop = { KTSTR_DEFS({ .name = "back", .workers = 1 }) },
	    KTSTR_STEPS({ KTSTR_OPS(ktstr_op_spawn_workers("back", { .workers = 2 }),
				    KTSTR_OP(RUN_PAYLOAD, .payload = &tool, .cgroup = "back"),
				    KTSTR_OP(REMOVE_CGROUP, .cgroup = "back"), KTSTR_OP(REMOVE_CGROUP, .cgroup = "typo"),
				    KTSTR_OP(ADD_CGROUP, .cgroup = "back"), KTSTR_OP(STOP_CGROUP, .cgroup = "back")),
			  .hold = ktstr_hold_fixed(0) }));
	assert_diary("SCST\napply back\nspawn 1 SpinWait in back on 0-3\nmove back\nstart\n"
		     "spawn 2 SpinWait in back on 0-3\nmove back\nstart\nrun tool\n"
		     "kill\ncollect 2\ncollect 1\nremove back\nremove typo\ncreate back\n"
		     "STIM\nSTEN\nremove back\nSCEN\n");
	assert_verdict(NULL);
}

static void test_removal_that_fails_is_noted(void **state)
{
	(void)state;
	diary.fail_at = "remove typo";
	RUN(KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(REMOVE_CGROUP, .cgroup = "typo")), .hold = ktstr_hold_fixed(0) }));
	assert_verdict(NULL);
	assert_int_equal(diary.machine.ctx.result.notes_count, 1);
	assert_has(diary.machine.ctx.result.notes[0].message, "RemoveCgroup typo: no luck");
}

static void test_freezing(void **state)
{
	(void)state;
	RUN(.backdrop = { KTSTR_DEFS({ .name = "p/back", .workers = 1 }) },
	    KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(FREEZE_CGROUP, .cgroup = "p"), KTSTR_OP(FREEZE_CGROUP, .cgroup = "p")),
			  .hold = ktstr_hold_fixed(0) }));
	/* Thawed before its workers are asked to stop; the intermediate cgroup goes, too. */
	assert_diary("SCST\napply p/back\nspawn 1 SpinWait in p/back on 0-3\nmove p/back\nstart\n"
		     "freeze p\nfreeze p\nphase 1\nSTIM\nSTEN\nphase -1\nSCEN\n"
		     "thaw p\ncollect 1\nremove p/back\nremove p\n");
}

static void test_swap(void **state)
{
	(void)state;
	RUN(KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a"), KTSTR_OP(ADD_CGROUP, .cgroup = "b"),
				    KTSTR_OP(SET_CPUSET, .cgroup = "a", .cpuset = ktstr_cpuset_llc(0)),
				    KTSTR_OP(SWAP_CPUSETS, .a = "a", .b = "b"),
				    KTSTR_OP(SET_CPUSET, .cgroup = "a", .cpuset = ktstr_cpuset_llc(1)),
				    KTSTR_OP(SWAP_CPUSETS, .a = "a", .b = "b"),
				    ktstr_op_spawn_workers("b", { .workers_pct = 1.0 }),
				    KTSTR_OP(SET_AFFINITY, .cgroup = "b", .affinity = ktstr_affinity_single_cpu())),
			  .hold = ktstr_hold_fixed(0) }));
	/* An empty side is not copied; what was swapped counts for workers and affinities. */
	assert_diary("SCST\ncreate a\ncreate b\ncpuset a 0-1\ncpuset b 0-1\ncpuset a 2-3\ncpuset a 0-1\ncpuset b 2-3\n"
		     "spawn 2 SpinWait in b on 2-3\nmove b\nstart\naffinity 2\n"
		     "STIM\nSTEN\ncollect 2\nremove b\nremove a\nSCEN\n");
}

static void test_kernel_ops_merge_when_cold(void **state)
{
	const struct ktstr_kernel_target x = KTSTR_KERNEL_SYMBOL("x");
	const struct ktstr_kernel_value one = ktstr_kernel_value_u32(1);
	const struct ktstr_kernel_value_width width = ktstr_kernel_width_u32();

	(void)state;
	RUN(KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(WRITE_KERNEL_COLD, KTSTR_KERNEL_ENTRIES({ x, one })),
				    KTSTR_OP(WRITE_KERNEL_COLD, KTSTR_KERNEL_ENTRIES({ x, one }, { x, one })),
				    KTSTR_OP(READ_KERNEL_COLD, .tag = "t1", .target = x, .width = width),
				    KTSTR_OP(READ_KERNEL_COLD, .tag = "t2", .target = x, .width = width),
				    KTSTR_OP(WRITE_KERNEL_COLD, KTSTR_KERNEL_ENTRIES({ x, one })),
				    KTSTR_OP(WRITE_KERNEL_HOT, KTSTR_KERNEL_ENTRIES({ x, one })),
				    KTSTR_OP(WRITE_KERNEL_HOT, KTSTR_KERNEL_ENTRIES({ x, one }))),
			  .hold = ktstr_hold_fixed(0) }));
	assert_diary("SCST\nwrite cold 3\nread cold t1\nread cold t2\nwrite cold 1\nwrite hot 1\nwrite hot 1\nSTIM\nSTEN\nSCEN\n");
}

static void test_override(void **state)
{
	static const struct ktstr_work_type pipes = KTSTR_WORK(PIPE_IO);

	(void)state;
	diary.machine.ctx.work_type_override = &pipes;
	RUN(KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .workers = 2, .swappable = true }, { .name = "b", .workers = 2 },
				     { .name = "c", .workers = 3, .swappable = true }),
			  KTSTR_OPS(ktstr_op_spawn_host({ .workers = 1 })), .hold = ktstr_hold_fixed(0) }));
	assert_has(ktstr_str_text(&diary.text), "spawn 2 PipeIo in a");
	assert_has(ktstr_str_text(&diary.text), "spawn 2 SpinWait in b");
	assert_has(ktstr_str_text(&diary.text), "spawn 3 SpinWait in c"); /* three are no pairs */
	assert_has(ktstr_str_text(&diary.text), "spawn 1 SpinWait in runner");
}

static void test_map_write(void **state)
{
	(void)state;
	diary.machine.ctx.wait_for_map_write = true;
	diary.fail_at = "await";
	RUN(KTSTR_STEPS({ .hold = ktstr_hold_fixed(0) }));
	assert_diary("SCST\nawait\nSTIM\nSTEN\nSCEN\n");
	assert_verdict(NULL); /* it goes on, with a note */
	assert_has(diary.machine.ctx.result.notes[0].message, "went on without the host's write to a BPF map: no luck");
}

/* Workers that were only ever allowed LLC 0 and 1 in turn may have been on both, not elsewhere. */
static void test_isolation_over_changing_cpusets(void **state)
{
	(void)state;
	diary.machine.ctx.assert.isolation = KTSTR_ON;
	RUN(.backdrop = { KTSTR_DEFS({ .name = "free", .workers = 1 },
				     { .name = "kept", .workers = 1, .cpuset = ktstr_cpuset_llc(0) },
				     { .name = "strayed", .workers = 1, .cpuset = ktstr_cpuset_llc(1) }) },
	    KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(SET_CPUSET, .cgroup = "free", .cpuset = ktstr_cpuset_llc(1)),
				    KTSTR_OP(SET_CPUSET, .cgroup = "kept", .cpuset = ktstr_cpuset_llc(1))),
			  .hold = ktstr_hold_fixed(0) }));
	/* All ran on CPU 0: only the one that was never allowed there is wrong. */
	assert_verdict("strayed");
}

/* --- on this machine --- */

static struct ktstr_cgroup_manager *own_cgroups(void)
{
	static const char *const controllers[] = { "cpuset", "cpu" };
	struct ktstr_cgroup_manager *manager = NULL;
	_cleanup_free_ char *parent = ktstr_xasprintf("/sys/fs/cgroup/ktstr-test-%d", getpid());
	struct ktstr_error *error = geteuid() ? ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "not root") :
						ktstr_cgroup_manager_create(parent, &manager);

	if (!error)
		error = ktstr_cgroup_setup(manager, controllers, 2);
	if (error) {
		print_message("no cgroups here: %s\n", ktstr_error_message(error));
		ktstr_error_free(error);
		ktstr_cgroup_manager_destroy(manager);
		return NULL;
	}
	return manager;
}

static void with_own_cgroups(void (*body)(struct ktstr_ctx *ctx))
{
	struct ktstr_ctx ctx = {
		.test_name = "live", .scheduler = "eevdf", .duration_ns = KTSTR_MS(100), .workers_per_cgroup = 1,
		.limits = ktstr_default_limits(false), .cgroups = own_cgroups(),
	};
	struct ktstr_test_topology *topology;
	struct ktstr_error *error;
	char *left;

	if (!ctx.cgroups)
		skip();
	assert_ok(ktstr_test_topology_from_system(NULL, &topology));
	ctx.topo = topology;
	body(&ctx);
	if (ctx.result.outcomes_count)
		fail_msg("%s", ctx.result.outcomes[0].detail.message);
	left = ktstr_cgroup_exists(ctx.cgroups, "a") ? "a" : ktstr_cgroup_exists(ctx.cgroups, "p") ? "p" :
	       ktstr_cgroup_exists(ctx.cgroups, "cg_0") ? "cg_0" : NULL;
	assert_null(left);
	ktstr_assert_result_deinit(&ctx.result);
	error = ktstr_cgroup_cleanup_all(ctx.cgroups);
	assert_ok(error);
	ktstr_cgroup_manager_destroy(ctx.cgroups);
	ktstr_test_topology_destroy(topology);
}

static void live_plan(struct ktstr_ctx *ctx)
{
	KTSTR_EXECUTE(ctx, .backdrop = { KTSTR_DEFS({ .name = "p/q" }), KTSTR_OPS(ktstr_op_add_cgroup("p")) },
		      KTSTR_STEPS({ KTSTR_OPS(ktstr_op_spawn_host({ .workers = 1 }), ktstr_op_freeze_cgroup("p/q")),
				    KTSTR_DEFS({ .name = "a" }), .hold = ktstr_hold_frac(.5) },
				  { KTSTR_OPS(ktstr_op_unfreeze_cgroup("p/q"), ktstr_op_move_all_tasks("p/q", "p")) }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->cgroups_count, eq, 3u);
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, eq, 3u);
	KTSTR_CLAIM(ctx, ktstr_stats_cgroup(ktstr_stats(ctx), "p")->total_iterations, gt, 0u);
	KTSTR_CLAIM(ctx, ktstr_stats_cgroup(ktstr_stats(ctx), "runner")->total_iterations, gt, 0u);
}

static void test_live_plan(void **state)
{
	(void)state;
	with_own_cgroups(live_plan);
}

static void live_helpers(struct ktstr_ctx *ctx)
{
	const char *const names[] = { "cg_0", "cg_1" };
	const struct ktstr_work_spec work = ktstr_dfl_wl(ctx);
	struct ktstr_workloads *workloads = NULL, *diverse = NULL;

	if (ktstr_fail_error(ctx, ktstr_setup_cgroups(ctx, 2, &work, &workloads)))
		return;
	ktstr_fail_error(ctx, ktstr_spawn_diverse(ctx, names, 2, &diverse));
	ktstr_sleep_ns(KTSTR_MS(50));
	ktstr_collect_all(ctx, diverse, NULL);
	ktstr_collect_all(ctx, workloads, NULL);
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, eq, 4u);
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->cgroups_count, eq, 4u);
}

static void test_live_helpers(void **state)
{
	(void)state;
	with_own_cgroups(live_helpers);
}

int main(void)
{
#define IN_DIARY(test) cmocka_unit_test_setup_teardown(test, open_diary, close_diary)
	const struct CMUnitTest tests[] = {
		IN_DIARY(test_order),
		IN_DIARY(test_stimuli),
		IN_DIARY(test_loop),
		IN_DIARY(test_invalid_hold_runs_nothing),
		IN_DIARY(test_scheduler_payload_runs_nothing),
		IN_DIARY(test_failed_op),
		IN_DIARY(test_failed_setup),
		IN_DIARY(test_failed_backdrop),
		IN_DIARY(test_scheduler_death),
		IN_DIARY(test_death_during_the_last_step),
		IN_DIARY(test_moves),
		IN_DIARY(test_failed_move),
		IN_DIARY(test_removal),
		IN_DIARY(test_removal_that_fails_is_noted),
		IN_DIARY(test_freezing),
		IN_DIARY(test_swap),
		IN_DIARY(test_kernel_ops_merge_when_cold),
		IN_DIARY(test_override),
		IN_DIARY(test_map_write),
		IN_DIARY(test_isolation_over_changing_cpusets),
		cmocka_unit_test(test_live_plan),
		cmocka_unit_test(test_live_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
