// SPDX-License-Identifier: GPL-2.0-only
/* Plans on paper: every mistake that can be known before anything boots, and how plans are shown. */
#include "plan_fixture.h"

#include <ktstr.h>

#include "base/file.h"
#include "scenario/irq.h"
#include "wire/stimulus.h"

KTSTR_PAYLOAD(tool, .binary = "sh", .known_flags = KTSTR_ARGS("--posix"));
KTSTR_PAYLOAD(other_tool, .binary = "sh");
static const struct ktstr_scheduler sched = { .name = "sched", .binary = "scx_x" };
static const struct ktstr_test_entry declaring = { .name = "declaring", .payload = &tool };
static const struct ktstr_scheduler staged = { .name = "staged", .binary = "scx_y" };
static const struct ktstr_scheduler *const staged_schedulers[] = { &staged, NULL };
static const struct ktstr_test_entry under_sched = { .name = "under_sched", .scheduler = &sched, .payload = &tool,
						     .staged_schedulers = staged_schedulers };

/* The errors of a plan on a shape, one per line; heap. */
static char *errors_of(const char *shape, const struct ktstr_test_entry *test, const struct ktstr_plan *plan)
{
	_cleanup_strv_ struct ktstr_strv errors = { 0 };
	struct ktstr_str text = { 0 };
	struct machine machine;

	machine_init(&machine, shape);
	ktstr_plan_check(&machine.ctx, test, plan, &errors);
	for (size_t i = 0; i < errors.count; i++)
		ktstr_str_addf(&text, "%s\n", errors.items[i]);
	assert_int_equal(machine.ctx.result.outcomes_count, 0);
	machine_deinit(&machine);
	return ktstr_str_take(&text);
}

#define PLAN(...) (&(const struct ktstr_plan){ __VA_ARGS__ })
/* Two LLCs of two CPUs; 0-2 are for workloads. */
#define SHAPE "1n2l2c1t"

#define assert_refused_by(test, part, ...)                                                         \
	do {                                                                                       \
		_cleanup_free_ char *errors_ = errors_of(SHAPE, (test), PLAN(__VA_ARGS__));        \
		assert_has(errors_, part);                                                         \
	} while (0)
#define assert_refused(part, ...) assert_refused_by(&declaring, part, __VA_ARGS__)
#define assert_sound_for(test, ...)                                                                \
	do {                                                                                       \
		_cleanup_free_ char *errors_ = errors_of(SHAPE, (test), PLAN(__VA_ARGS__));        \
		assert_string_equal(errors_, "");                                                  \
	} while (0)
#define assert_sound(...) assert_sound_for(&declaring, __VA_ARGS__)

/* Ops of a first step, over a backdrop with the cgroup "back". */
#define BACK .backdrop = { KTSTR_DEFS({ .name = "back" }) }
#define OPS(...) BACK, KTSTR_STEPS({ KTSTR_OPS(__VA_ARGS__), .hold = ktstr_hold_fixed(0) })

static void test_holds(void **state)
{
	(void)state;
	assert_refused("step 0: hold of 0 of the duration", KTSTR_STEPS({ .hold = ktstr_hold_frac(0) }));
	assert_refused("step 1: hold of -1", KTSTR_STEPS({ .hold = ktstr_hold_fixed(0) }, { .hold = ktstr_hold_frac(-1) }));
	assert_refused("must be finite", KTSTR_STEPS({ .hold = ktstr_hold_frac(1.0 / 0.0) }));
	assert_refused("must be finite", KTSTR_STEPS({ .hold = ktstr_hold_frac(0.0 / 0.0) }));
	assert_refused("step 0: loop with an interval of 0", KTSTR_STEPS({ .hold = ktstr_hold_loop(0) }));
	assert_refused("no kind of hold 9", KTSTR_STEPS({ .hold = { .kind = (enum ktstr_hold_kind)9 } }));
	assert_sound(KTSTR_STEPS({ .hold = ktstr_hold_frac(2.5) }, { .hold = ktstr_hold_fixed(0) }, { .hold = ktstr_hold_full() },
				 { .hold = ktstr_hold_loop(KTSTR_MS(10)) }));
}

static void test_names(void **state)
{
	(void)state;
	assert_refused("step 0: op 0 (AddCgroup): cgroup \"back\" is one of the backdrop",
		       OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "back")));
	assert_refused("step 0: op 0 (AddCgroupDef): cgroup back: cgroup \"back\" is one of the backdrop",
		       OPS(KTSTR_OP(ADD_CGROUP_DEF, .def = { .name = "back" })));
	assert_refused("op 1 (AddCgroup): there is a cgroup \"a\" already",
		       OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a"), KTSTR_OP(ADD_CGROUP, .cgroup = "a")));
	assert_refused("step 0: cgroup back: cgroup \"back\" is one of the backdrop: a step cannot shadow it", BACK,
		       KTSTR_STEPS({ KTSTR_DEFS({ .name = "back" }) }));
	assert_refused("backdrop: cgroup a: there is a cgroup \"a\" already",
		       .backdrop = { KTSTR_DEFS({ .name = "a" }, { .name = "a" }) });
	assert_refused("cgroup name \"../a\"", OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "../a")));
	/* A cgroup of one step is gone in the next, and its name is free again. */
	assert_sound(KTSTR_STEPS({ KTSTR_DEFS({ .name = "a" }) }, { KTSTR_DEFS({ .name = "a" }) }));
	assert_refused("step 1: op 0 (StopCgroup): a cgroup name is empty", KTSTR_STEPS({ .hold = ktstr_hold_full() }, { KTSTR_OPS(KTSTR_OP(STOP_CGROUP)) }));
	/* Removing one of the backdrop frees its name. */
	assert_sound(OPS(KTSTR_OP(REMOVE_CGROUP, .cgroup = "back"), KTSTR_OP(ADD_CGROUP, .cgroup = "back")));
	/* An intermediate cgroup may be claimed by whoever needed it. */
	assert_sound(OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "p/q"), KTSTR_OP(ADD_CGROUP, .cgroup = "p")));
}

static void test_unknown_cgroups(void **state)
{
	(void)state;
	assert_refused("op 0 (SetCpuset): no cgroup \"bakc\" at this point; did you mean \"back\"?",
		       OPS(KTSTR_OP(SET_CPUSET, .cgroup = "bakc", .cpuset = ktstr_cpuset_llc(0))));
	assert_refused("op 0 (ClearCpuset): no cgroup \"x\"", OPS(KTSTR_OP(CLEAR_CPUSET, .cgroup = "x")));
	assert_refused("op 0 (SwapCpusets): no cgroup \"x\"", OPS(KTSTR_OP(SWAP_CPUSETS, .a = "back", .b = "x")));
	assert_refused("op 0 (Spawn): no cgroup \"x\"", OPS(ktstr_op_spawn_in_cgroup("x", KTSTR_WORK(MIXED))));
	assert_refused("op 0 (SetAffinity): no cgroup \"x\"",
		       OPS(KTSTR_OP(SET_AFFINITY, .cgroup = "x", .affinity = ktstr_affinity_single_cpu())));
	assert_refused("op 0 (MoveAllTasks): no cgroup \"x\"", OPS(KTSTR_OP(MOVE_ALL_TASKS, .from = "back", .to = "x")));
	assert_refused("op 0 (MoveAllTasks): no cgroup \"x\"", OPS(KTSTR_OP(MOVE_ALL_TASKS, .from = "x", .to = "back")));
	assert_refused("op 0 (FreezeCgroup): no cgroup \"x\"", OPS(KTSTR_OP(FREEZE_CGROUP, .cgroup = "x")));
	assert_refused("op 0 (UnfreezeCgroup): no cgroup \"x\"", OPS(KTSTR_OP(UNFREEZE_CGROUP, .cgroup = "x")));
	assert_refused("op 0 (CaptureCgroupProcs): no cgroup \"x\"",
		       OPS(KTSTR_OP(CAPTURE_CGROUP_PROCS, .tag = "t", .cgroup = "x")));
	assert_refused("op 0 (RunPayload): no cgroup \"x\"", OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool, .cgroup = "x")));
	/* These two do not mind; a typo shows at the next op that uses the name. */
	assert_sound(OPS(KTSTR_OP(REMOVE_CGROUP, .cgroup = "x"), KTSTR_OP(STOP_CGROUP, .cgroup = "x")));
	/* A removed one is unknown. */
	assert_refused("op 1 (FreezeCgroup): no cgroup \"back\"",
		       OPS(KTSTR_OP(REMOVE_CGROUP, .cgroup = "back"), KTSTR_OP(FREEZE_CGROUP, .cgroup = "back")));
}

static void test_cpusets(void **state)
{
	struct ktstr_cpus nowhere = ktstr_cpus_range(9, 1);

	(void)state;
	assert_refused("op 0 (SetCpuset): cpuset llc(2): this machine has 2",
		       OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_llc(2))));
	assert_refused("op 0 (SetCpuset): the cpuset for back is empty on this topology",
		       OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_range(0, .1))));
	assert_refused("cpuset exact(): CPUs 9 do not exist",
		       OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_exact(nowhere))));
	assert_refused(".cpuset is missing; CLEAR_CPUSET", OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back")));
	assert_refused("step 0: cgroup a: ", KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .cpuset = ktstr_cpuset_range(0, .1) }) }));
	assert_refused("step 0: cgroup a: ", KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .cpuset = ktstr_cpuset_exact(nowhere) }) }));
	assert_refused(".a and .b are both back", OPS(KTSTR_OP(SWAP_CPUSETS, .a = "back", .b = "back")));
	assert_sound(OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a"), KTSTR_OP(SET_CPUSET, .cgroup = "a", .cpuset = ktstr_cpuset_llc(1)),
			 KTSTR_OP(SWAP_CPUSETS, .a = "back", .b = "a"), KTSTR_OP(CLEAR_CPUSET, .cgroup = "back")));
}

static void test_workers(void **state)
{
	struct ktstr_cpus second = ktstr_cpus_range(2, 2);

	(void)state;
	assert_refused("step 0: cgroup a: ", KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .workers = 3, .work = KTSTR_WORK(PIPE_IO) }) }));
	assert_refused("requires num_workers divisible by 2, got 3",
		       OPS(ktstr_op_spawn_workers("back", { .type = KTSTR_WORK(PIPE_IO), .workers = 3 })));
	assert_refused("op 0 (Spawn): .pcomm \"host\"", OPS(ktstr_op_spawn_workers("back", { .pcomm = "host" })));
	assert_refused(".workers_pct is a share of a cgroup's CPUs", OPS(ktstr_op_spawn_host({ .workers_pct = .5 })));
	assert_refused("there is no placement 7",
		       OPS(KTSTR_OP(SPAWN, .placement = { .kind = (enum ktstr_spawn_placement_kind)7 })));
	assert_refused("op 0 (Spawn): ", OPS(ktstr_op_spawn_workers("back", { .workers = 1, .workers_pct = .5 })));
	assert_refused("op 1 (Spawn): ",
		       OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_llc(0)),
			   ktstr_op_spawn_workers("back", { .affinity = ktstr_affinity_exact(second) })));
	assert_refused("op 1 (SetAffinity): ",
		       OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_llc(0)),
			   KTSTR_OP(SET_AFFINITY, .cgroup = "back", .affinity = ktstr_affinity_exact(second))));
	assert_refused("op 0 (SetAffinity): ",
		       OPS(KTSTR_OP(SET_AFFINITY, .cgroup = "back", .affinity = ktstr_affinity_smt_sibling_pair())));
	assert_sound(OPS(ktstr_op_spawn_host({ .workers = 2 }), ktstr_op_spawn_workers("back", { .workers_pct = 1.5 })));
}

static void test_moves(void **state)
{
	(void)state;
	assert_refused(".from and .to are both back", OPS(KTSTR_OP(MOVE_ALL_TASKS, .from = "back", .to = "back")));
	assert_refused(".to is missing", OPS(KTSTR_OP(MOVE_ALL_TASKS, .from = "back")));
	assert_refused(".from is missing; \"\" means the runner's", OPS(KTSTR_OP(MOVE_ALL_TASKS, .to = "back")));
	assert_refused("the workers in back are of the backdrop, a is of this step",
		       OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a"), KTSTR_OP(MOVE_ALL_TASKS, .from = "back", .to = "a")));
	/* The backdrop's own setup may move them, step-local workers may go to the backdrop, and stay there. */
	assert_sound(.backdrop = { KTSTR_DEFS({ .name = "back" }),
				   KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "b2"),
					     KTSTR_OP(MOVE_ALL_TASKS, .from = "back", .to = "b2")) },
		     KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(ADD_CGROUP_DEF, .def = { .name = "a" }),
					     KTSTR_OP(MOVE_ALL_TASKS, .from = "a", .to = "back"),
					     ktstr_op_spawn_host({ .workers = 1 }),
					     KTSTR_OP(MOVE_ALL_TASKS, .from = "", .to = "back")) }));
	/* Once they belong to the backdrop no step may have them. */
	assert_refused("step 1: op 1 (MoveAllTasks): the workers in back are of the backdrop",
		       .backdrop = { KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "back")) },
		       KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(ADD_CGROUP_DEF, .def = { .name = "a" }),
					       KTSTR_OP(MOVE_ALL_TASKS, .from = "a", .to = "back")) },
				   { KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a"),
					       KTSTR_OP(MOVE_ALL_TASKS, .from = "back", .to = "a")) }));
}

static void test_payloads(void **state)
{
	(void)state;
	assert_refused("payload tool runs in the runner's cgroup already",
		       OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool), KTSTR_OP(RUN_PAYLOAD, .payload = &tool)));
	assert_refused("step 0: op 0 (RunPayload): payload tool runs in the runner's cgroup already",
		       .backdrop = { .payloads = KTSTR_WORKLOADS(&tool) },
		       KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool)) }));
	assert_refused("2 copies of payload tool run (the runner's cgroup, back): say which with .cgroup",
		       OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool), KTSTR_OP(RUN_PAYLOAD, .payload = &tool, .cgroup = "back"),
			   KTSTR_OP(KILL_PAYLOAD, .name = "tool")));
	assert_sound(OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool), KTSTR_OP(RUN_PAYLOAD, .payload = &tool, .cgroup = "back"),
			 KTSTR_OP(KILL_PAYLOAD, .name = "tool", .cgroup = ""), KTSTR_OP(WAIT_PAYLOAD, .name = "tool")));
	assert_refused("op 2 (WaitPayload): no payload tool runs: it was never started, or its result was taken",
		       OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool), KTSTR_OP(WAIT_PAYLOAD, .name = "tool"),
			   KTSTR_OP(WAIT_PAYLOAD, .name = "tool")));
	assert_refused("no payload tool runs in back",
		       OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool), KTSTR_OP(KILL_PAYLOAD, .name = "tool", .cgroup = "back")));
	assert_refused("op 0 (KillPayload): .name is missing", OPS(KTSTR_OP(KILL_PAYLOAD)));
	assert_refused("op 0 (RunPayload): .payload is missing", OPS(KTSTR_OP(RUN_PAYLOAD)));
	assert_refused("unknown flag --posixx; did you mean --posix?",
		       OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool, .args = KTSTR_ARGS("--posixx"))));
	assert_refused("is of kind SCHEDULER", OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &KTSTR_PAYLOAD_KERNEL_DEFAULT)));
	assert_refused("backdrop: payload kernel_default is of kind SCHEDULER",
		       .backdrop = { .payloads = KTSTR_WORKLOADS(&KTSTR_PAYLOAD_KERNEL_DEFAULT) });
	assert_refused("payload other_tool will not be in the guest", OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &other_tool)));
	assert_refused("op 2 (RunPayload): payload tool cannot start in a/b, which is frozen",
		       OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a/b"), KTSTR_OP(FREEZE_CGROUP, .cgroup = "a"),
			   KTSTR_OP(RUN_PAYLOAD, .payload = &tool, .cgroup = "a/b")));
	/* A step's payload ends with its step. */
	assert_refused("step 1: op 0 (WaitPayload): no payload tool runs",
		       KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &tool)) },
				   { KTSTR_OPS(KTSTR_OP(WAIT_PAYLOAD, .name = "tool")) }));
}

static void test_schedulers(void **state)
{
	const struct ktstr_scheduler none = { .name = "none" };

	(void)state;
	assert_refused("op 0 (AttachScheduler): .scheduler is missing", OPS(KTSTR_OP(ATTACH_SCHEDULER)));
	assert_refused("use DETACH_SCHEDULER", OPS(KTSTR_OP(ATTACH_SCHEDULER, .scheduler = &none)));
	assert_refused("op 0 (DetachScheduler): no scheduler is attached", OPS(KTSTR_OP(DETACH_SCHEDULER)));
	assert_refused("op 0 (ReplaceScheduler): no scheduler is attached",
		       OPS(KTSTR_OP(REPLACE_SCHEDULER, .scheduler = &sched)));
	assert_refused("no .scheduler to go back to", OPS(KTSTR_OP(RESTART_SCHEDULER)));
	assert_refused_by(&under_sched, "op 1 (DetachScheduler): no scheduler is attached",
			  OPS(KTSTR_OP(DETACH_SCHEDULER), KTSTR_OP(DETACH_SCHEDULER)));
	assert_refused_by(&under_sched, "op 0 (AttachScheduler): a scheduler is attached already",
			  OPS(KTSTR_OP(ATTACH_SCHEDULER, .scheduler = &staged)));
	assert_refused_by(&under_sched, "op 1 (AttachScheduler): scheduler sched will not be in the guest: name it in the test's "
					".staged_schedulers",
			  OPS(KTSTR_OP(DETACH_SCHEDULER), KTSTR_OP(ATTACH_SCHEDULER, .scheduler = &sched)));
	assert_sound_for(&under_sched, OPS(KTSTR_OP(REPLACE_SCHEDULER, .scheduler = &staged),
					   KTSTR_OP(DETACH_SCHEDULER), KTSTR_OP(RESTART_SCHEDULER),
					   KTSTR_OP(PIN_BPF_MAP, .map = "cpu_ctx_stor")));
	assert_refused("op 0 (PinBpfMap): .map is missing", OPS(KTSTR_OP(PIN_BPF_MAP)));
	assert_refused("longer than 15 characters", OPS(KTSTR_OP(PIN_BPF_MAP, .map = "a_name_of_16_chr")));
}

static void test_host_ops(void **state)
{
	const struct ktstr_kernel_target jiffies = KTSTR_KERNEL_SYMBOL("jiffies");

	(void)state;
	assert_refused("op 0 (CaptureSnapshot): .tag is missing", OPS(KTSTR_OP(CAPTURE_SNAPSHOT)));
	assert_refused("op 0 (WatchSnapshot): .symbol is missing", OPS(KTSTR_OP(WATCH_SNAPSHOT)));
	assert_refused("op 3 (WatchSnapshot): d would be watch number 4: a scenario has at most 3",
		       OPS(KTSTR_OP(WATCH_SNAPSHOT, .symbol = "a"), KTSTR_OP(WATCH_SNAPSHOT, .symbol = "b"),
			   KTSTR_OP(WATCH_SNAPSHOT, .symbol = "c"), KTSTR_OP(WATCH_SNAPSHOT, .symbol = "d")));
	assert_refused("a is watched already", OPS(KTSTR_OP(WATCH_SNAPSHOT, .symbol = "a"), KTSTR_OP(WATCH_SNAPSHOT, .symbol = "a")));
	assert_refused("op 0 (WriteKernelHot): nothing to write", OPS(KTSTR_OP(WRITE_KERNEL_HOT)));
	assert_refused("entry[1]: OR_U32",
		       OPS(KTSTR_OP(WRITE_KERNEL_HOT, KTSTR_KERNEL_ENTRIES({ jiffies, ktstr_kernel_value_u32(1) },
									   { jiffies, ktstr_kernel_value_or_u32(1) }))));
	assert_sound(OPS(KTSTR_OP(WRITE_KERNEL_COLD, KTSTR_KERNEL_ENTRIES({ jiffies, ktstr_kernel_value_or_u32(1) }))));
	assert_refused("entry[0]: address 0x1000 is in the user half",
		       OPS(KTSTR_OP(WRITE_KERNEL_COLD,
				    KTSTR_KERNEL_ENTRIES({ KTSTR_KERNEL_KVA(0x1000), ktstr_kernel_value_u64(1) }))));
	assert_refused(".tag is missing", OPS(KTSTR_OP(READ_KERNEL_HOT, .target = jiffies)));
	assert_refused("OR_U32 is for writes", OPS(KTSTR_OP(READ_KERNEL_COLD, .tag = "t", .target = jiffies,
							    .width = ktstr_kernel_value_or_u32(0))));
	assert_refused("field is missing", OPS(KTSTR_OP(READ_KERNEL_COLD, .tag = "t",
							.target = KTSTR_KERNEL_PER_CPU("runqueues", NULL, 0))));
	assert_refused("0 bytes: 1 to 4096", OPS(KTSTR_OP(READ_KERNEL_COLD, .tag = "t", .target = jiffies,
							  .width = ktstr_kernel_width_bytes(0))));
	assert_refused("op 0 (CaptureCgroupProcs): .tag is missing", OPS(KTSTR_OP(CAPTURE_CGROUP_PROCS, .cgroup = "back")));
	assert_refused("op 0 (SteerIrq): CPU 4 is not online; this machine has 0-3",
		       OPS(KTSTR_OP(STEER_IRQ, .irq = ktstr_irq_by_number(1), .cpu = 4)));
	assert_refused(".irq is missing", OPS(KTSTR_OP(STEER_IRQ)));
	assert_refused("op 0 (?): there is no kind of op 77", OPS({ .kind = (enum ktstr_op_kind)77 }));
}

/* One mistake does not hide the next; a loop does not repeat them. */
static void test_all_errors(void **state)
{
	_cleanup_free_ char *errors =
		errors_of(SHAPE, NULL,
			  PLAN(KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(FREEZE_CGROUP, .cgroup = "x"), KTSTR_OP(CLEAR_CPUSET, .cgroup = "y")),
					     KTSTR_DEFS({ .name = "" }), .hold = ktstr_hold_loop(KTSTR_MS(100)) },
					   { .hold = ktstr_hold_frac(-1) })));
	size_t lines = 0;

	(void)state;
	for (const char *c = errors; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 4);
	assert_has(errors, "step 0: op 0 (FreezeCgroup)");
	assert_has(errors, "step 0: op 1 (ClearCpuset)");
	assert_has(errors, "step 0: cgroup (unnamed): a cgroup name is empty");
	assert_has(errors, "step 1: hold of -1");
	/* What a loop undoes it can do again; what it does not, it cannot. */
	assert_sound(KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a"), KTSTR_OP(REMOVE_CGROUP, .cgroup = "a")),
				   .hold = ktstr_hold_loop(KTSTR_MS(100)) }));
	assert_refused("op 0 (AddCgroup): there is a cgroup \"a\" already",
		       KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(ADD_CGROUP, .cgroup = "a")), .hold = ktstr_hold_loop(KTSTR_MS(100)) }));
}

static void factory(const struct ktstr_ctx *ctx, struct ktstr_cgroup_defs *defs)
{
	for (unsigned int i = 0; i < ktstr_test_topology_num_llcs(ctx->topo); i++)
		ktstr_cgroup_defs_push(defs, (struct ktstr_cgroup_def){ .name = i ? "second" : "first",
									.cpuset = ktstr_cpuset_llc(i) });
}

KTSTR_PLAN(shown,
	.backdrop = { KTSTR_DEFS({ .name = "back", .work = KTSTR_WORK(BURSTY, .burst = KTSTR_MS(5)), .cpu = { .weight = 50 } }),
		      .payloads = KTSTR_WORKLOADS(&tool) },
	KTSTR_STEPS({ .setup = { .factory = factory },
		      KTSTR_OPS(KTSTR_OP(SET_CPUSET, .cgroup = "back", .cpuset = ktstr_cpuset_llc(1)),
				ktstr_op_spawn_host({ .workers = 3, .nice = KTSTR_SOME(5) }),
				KTSTR_OP(ADD_CGROUP_DEF, .def = { .name = "late" }),
				KTSTR_OP(STEER_IRQ, .irq = ktstr_irq_by_label("virtio0"), .cpu = 1),
				KTSTR_OP(DETACH_SCHEDULER)),
		      .hold = ktstr_hold_frac(.5) },
		    { .hold = ktstr_hold_loop(KTSTR_MS(20)) }))

static void test_shown(void **state)
{
	static const struct ktstr_test_entry entry = { .name = "shown", .plan = shown, .payload = &tool };
	const struct ktstr_plan_setting setting = { .topology = { .numa_nodes = 1, .llcs = 2, .cores_per_llc = 2,
								  .threads_per_core = 1 },
						    .duration_ns = KTSTR_SEC(4) };
	json_t *json = ktstr_test_plan_to_json(&entry, &setting), *step;
	_cleanup_free_ char *text = ktstr_plan_json_to_text(json);

	(void)state;
	assert_string_equal(text, "shown on 1n2l2c1t (4 CPUs), eevdf, 4s\n"
				  "backdrop\n"
				  "  cgroup back cpu_weight=50\n"
				  "    4 x Bursty (burst 5ms, sleep 100ms)\n"
				  "  payload tool\n"
				  "step 0: hold 2s (0.5 of the duration)\n"
				  "  SetCpuset cgroup=back cpuset=llc(1) cpus=2-3\n"
				  "  Spawn placement=\"runner's cgroup\" 3 x SpinWait nice=5\n"
				  "  AddCgroupDef\n"
				  "    cgroup late\n"
				  "      4 x SpinWait\n"
				  "  SteerIrq irq=virtio0 cpu=1\n"
				  "  DetachScheduler\n"
				  "  cgroup first cpuset=llc(0) cpus=0-1\n"
				  "    4 x SpinWait\n"
				  "  cgroup second cpuset=llc(1) cpus=2-3\n"
				  "    4 x SpinWait\n"
				  "step 1: ops every 20ms until the duration is over\n"
				  "error: step 0: op 4 (DetachScheduler): no scheduler is attached at this point\n");
	step = json_array_get(json_object_get(json, "steps"), 0);
	assert_int_equal(json_array_size(json_object_get(step, "ops")), 5);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(step, "hold"), "ns")), KTSTR_SEC(2));
	json_decref(json);
}

/* Nothing of ours is refused on any shape: it runs, or says why it does not. */
static void test_canned(void **state)
{
	static const struct {
		const char *name;
		ktstr_plan_fn plan;
		unsigned int least_cpus; /* below it is skipped */
	} canned[] = {
		{ "steady", ktstr_plan_steady, 1 },
		{ "steady_llc", ktstr_plan_steady_llc, 2 },
		{ "oversubscribed", ktstr_plan_oversubscribed, 1 },
		{ "cpuset_apply", ktstr_plan_cpuset_apply, 2 },
		{ "cpuset_clear", ktstr_plan_cpuset_clear, 2 },
		{ "cpuset_resize", ktstr_plan_cpuset_resize, 5 },
		{ "cgroup_add", ktstr_plan_cgroup_add, 4 },
		{ "cgroup_remove", ktstr_plan_cgroup_remove, 3 },
		{ "affinity_change", ktstr_plan_affinity_change, 1 },
		{ "affinity_pinned", ktstr_plan_affinity_pinned, 1 },
		{ "host_contention", ktstr_plan_host_contention, 1 },
		{ "mixed_workloads", ktstr_plan_mixed_workloads, 1 },
		{ "nested_steady", ktstr_plan_nested_steady, 1 },
		{ "nested_task_move", ktstr_plan_nested_task_move, 1 },
	};
	static const unsigned int llcs[] = { 1, 2, 3, 4, 5, 8, 16 };

	(void)state;
	for (size_t i = 0; i < sizeof(canned) / sizeof(canned[0]); i++) {
		for (size_t j = 0; j < sizeof(llcs) / sizeof(llcs[0]); j++) {
			const struct ktstr_test_entry entry = { .name = canned[i].name, .plan = canned[i].plan };
			const struct ktstr_plan_setting setting = {
				.topology = { .numa_nodes = 1, .llcs = llcs[j], .cores_per_llc = 1, .threads_per_core = 1 },
				.duration_ns = KTSTR_SEC(1),
			};
			json_t *json = ktstr_test_plan_to_json(&entry, &setting);
			_cleanup_free_ char *text = ktstr_plan_json_to_text(json);

			if (json_array_size(json_object_get(json, "errors")))
				fail_msg("%s", text);
			if (!json_object_get(json, "skip") != (llcs[j] >= canned[i].least_cpus))
				fail_msg("%u CPUs: %s", llcs[j], text);
			json_decref(json);
		}
	}
}

static void test_backdrop_pushes(void **state)
{
	const struct ktstr_cgroup_def defs[] = { { .name = "a" }, { .name = "b" } };
	struct ktstr_backdrop backdrop = ktstr_backdrop_from_cgroups(defs, 2);
	struct ktstr_step step = ktstr_step_new(NULL, 0, ktstr_hold_full());

	(void)state;
	ktstr_backdrop_push_cgroup(&backdrop, (struct ktstr_cgroup_def){ .name = "c" });
	ktstr_backdrop_push_op(&backdrop, ktstr_op_add_cgroup("d"));
	ktstr_backdrop_extend_ops(&backdrop, (const struct ktstr_op[]){ ktstr_op_freeze_cgroup("d") }, 1);
	ktstr_backdrop_push_payload(&backdrop, &tool);
	ktstr_backdrop_push_payload(&backdrop, &other_tool);
	assert_int_equal(backdrop.setup.defs_count, 3);
	assert_string_equal(backdrop.setup.defs[0].name, "a");
	assert_string_equal(backdrop.setup.defs[2].name, "c");
	assert_int_equal(backdrop.ops_count, 2);
	assert_int_equal(backdrop.ops[1].kind, KTSTR_OP_FREEZE_CGROUP);
	assert_ptr_equal(backdrop.payloads[1], &other_tool);
	assert_null(backdrop.payloads[2]);
	ktstr_backdrop_deinit(&backdrop);
	assert_null(backdrop.ops);
	ktstr_step_set_ops(&step, (const struct ktstr_op[]){ ktstr_op_detach_scheduler() }, 1);
	ktstr_step_set_hold(&step, ktstr_hold_fixed(7));
	assert_int_equal(step.ops_count, 1);
	assert_int_equal(step.hold.ns, 7);
}

static void test_ctx_helpers(void **state)
{
	struct machine machine;

	(void)state;
	machine_init(&machine, SHAPE);
	assert_int_equal(ktstr_ctx_cpuset_cpus(&machine.ctx, ktstr_cpuset_llc(1)), 2);
	assert_int_equal(ktstr_ctx_settled_hold(&machine.ctx, .5).ns, KTSTR_MS(600));
	assert_int_equal(ktstr_ctx_cgroup_def(&machine.ctx, "x").workers, 2);
	assert_int_equal(ktstr_dfl_wl(&machine.ctx).workers, 2);
	assert_ptr_equal(ktstr_ctx_payload(&machine.ctx, &tool).payload, &tool);
	machine_deinit(&machine);
}

/* Every kind has a name of its own and a bit. */
static void test_kinds(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KTSTR_OP_KINDS; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(ktstr_op_kind_name(i), ktstr_op_kind_name(j));
	assert_string_equal(ktstr_op_kind_name(KTSTR_OP_STEER_IRQ), "SteerIrq");
	assert_null(ktstr_op_kind_name(KTSTR_OP_KINDS));
	assert_int_equal(KTSTR_OP_BIT(KTSTR_OP_ADD_CGROUP), 1);
}

static void test_irqs(void **state)
{
	static const char interrupts[] = "           CPU0       CPU1\n"
					 "  9:          0          4  IO-APIC   9-fasteoi   acpi\n"
					 " 24:         12          0  PCI-MSIX-0000:00:03.0   0-edge      virtio0-config\n"
					 " 25:         12          0  PCI-MSIX-0000:00:03.0   1-edge      virtio0-input.0, shared\n"
					 " 26:         12          0  PCI-MSIX-0000:00:04.0   1-edge      shared\n"
					 "NMI:          0          0   Non-maskable interrupts\n";
	char path[] = "/tmp/ktstr-test-irq.XXXXXX";
	int fd = mkstemp(path);
	struct ktstr_error *error;
	unsigned int number = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_ok(ktstr_write_all(fd, interrupts, strlen(interrupts), path));
	close(fd);
	assert_ok(irq_find(path, "acpi", &number));
	assert_int_equal(number, 9);
	assert_ok(irq_find(path, "virtio0-input.0", &number));
	assert_int_equal(number, 25);
	error = irq_find(path, "shared", &number);
	assert_has(ktstr_error_message(error), "2 interrupts are called \"shared\" (25, 26)");
	ktstr_error_free(error);
	error = irq_find(path, "interrupts", &number);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	assert_has(ktstr_error_message(error), "acpi, virtio0-config, virtio0-input.0, shared");
	ktstr_error_free(error);
	error = irq_steer(4000000000u, 0);
	assert_has(ktstr_error_message(error), "there is no interrupt 4000000000");
	ktstr_error_free(error);
	unlink(path);
}

static void test_stimulus_layout(void **state)
{
	const struct ktstr_stimulus_record record = { 0x04030201, 0x0605, 0x0807, 0x0c0b0a09, 0x0e0d, 0x100f,
						      0x1817161514131211 };
	struct ktstr_stimulus_record back;
	uint8_t payload[KTSTR_STIMULUS_BYTES];

	(void)state;
	ktstr_stimulus_encode(&record, payload);
	for (unsigned int i = 0; i < KTSTR_STIMULUS_BYTES; i++)
		assert_int_equal(payload[i], i + 1);
	assert_true(ktstr_stimulus_decode(payload, sizeof(payload), &back));
	assert_memory_equal(&back, &record, sizeof(record));
	assert_false(ktstr_stimulus_decode(payload, sizeof(payload) - 1, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown_cgroups),
		cmocka_unit_test(test_cpusets),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_schedulers),
		cmocka_unit_test(test_host_ops),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_canned),
		cmocka_unit_test(test_backdrop_pushes),
		cmocka_unit_test(test_ctx_helpers),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_irqs),
		cmocka_unit_test(test_stimulus_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
