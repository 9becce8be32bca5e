// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every op on a real kernel, looked at from beside: a thread notes at each step what the kernel shows (cpuset.cpus,
 * cgroup.freeze, cgroup.procs, affinities), and the body compares. The failures of ops, one small plan each, in one VM. The
 * built-in scenarios, shortened, one after another in one VM.
 */
#include <ktstr.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");
KTSTR_SCHEDULER(slices, .binary = "scx_ktstr", .args = KTSTR_ARGS("--slice-us", "5000"));
KTSTR_PAYLOAD(sleeper, .binary = "busybox", .package = "busybox-static", .known_flags = KTSTR_ARGS("--help"),
	      .default_args = KTSTR_ARGS("sleep", "100"),
	      .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(-1))); /* killed */
KTSTR_PAYLOAD(truth, .binary = "true", .default_checks = KTSTR_METRIC_CHECKS(KTSTR_EXIT_CODE_EQ(0)));

/* --- the thread beside --- */

enum { STEPS = 16, TEXT = 64, DIFFERENT = 64 };

struct sight {
	char cpus_a[TEXT], cpus_b[TEXT]; /* cpuset.cpus */
	char frozen[TEXT]; /* "frozen N" of cgroup.events of a */
	int procs_a, procs_b, procs_back; /* lines of cgroup.procs; -1 = no such cgroup */
	char allowed[TEXT]; /* Cpus_allowed_list of a worker of b */
};

/* All that was seen during a step: its ops, its hold, its teardown. */
struct step_sights {
	struct sight sights[DIFFERENT];
	atomic_uint times[DIFFERENT];
};

/* What must be seen in step `step`: a number, or a text. */
struct expected {
	unsigned int step;
	const char *what;
	size_t offset; /* in struct sight */
	const char *text; /* NULL = the number */
	int number;
};

static struct {
	struct ktstr_ctx *ctx; /* NULL = nobody looks */
	pthread_t thread;
	atomic_bool stop;
	struct step_sights steps[STEPS];
	const struct expected *expected; /* of the plan that runs; ended by one without a name */
} beside;

#define TOP "/sys/fs/cgroup/ktstr/"

static void read_first(const char *path, const char *key, char text[TEXT])
{
	FILE *file = fopen(path, "re");
	char line[256] = "";

	while (file && fgets(line, sizeof(line), file) && strncmp(line, key, strlen(key)))
		line[0] = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	snprintf(text, TEXT, "%s", line + strlen(key) * (*line != 0));
}

static int count_procs(const char *path, int *first)
{
	FILE *file = fopen(path, "re");
	int count = 0, pid;

	if (!file)
		return -1;
	while (fscanf(file, "%d", &pid) == 1)
		if (!count++ && first)
			*first = pid;
	fclose(file);
	return count;
}

/* What has been counted stays as it is: it is read meanwhile. */
static void note(struct step_sights *step, const struct sight *sight)
{
	for (int i = 0; i < DIFFERENT; i++) {
		if (!atomic_load(&step->times[i]))
			step->sights[i] = *sight;
		else if (memcmp(&step->sights[i], sight, sizeof(*sight)))
			continue;
		atomic_fetch_add(&step->times[i], 1);
		return;
	}
}

static void *look(void *arg)
{
	(void)arg;
	while (!atomic_load(&beside.stop)) {
		unsigned int step = ktstr_current_step(beside.ctx);
		struct sight sight = { 0 };
		char path[64];
		int pid = 0;

		read_first(TOP "a/cpuset.cpus", "", sight.cpus_a);
		read_first(TOP "b/cpuset.cpus", "", sight.cpus_b);
		read_first(TOP "a/cgroup.events", "frozen ", sight.frozen);
		sight.procs_a = count_procs(TOP "a/cgroup.procs", NULL);
		sight.procs_b = count_procs(TOP "b/cgroup.procs", &pid);
		sight.procs_back = count_procs(TOP "back/cgroup.procs", NULL);
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		if (pid)
			read_first(path, "Cpus_allowed_list:\t", sight.allowed);
		/* Only what was seen within one step counts. */
		if (step < STEPS && step == ktstr_current_step(beside.ctx))
			note(&beside.steps[step], &sight);
		usleep(5000);
	}
	return NULL;
}

/*
 * Was it ever so in that step? A wrong op would never show it; an op that is slow to come shows something else first. On a
 * busy host there are few looks.
 */
static bool was_seen(const struct expected *expected)
{
	const struct step_sights *step = &beside.steps[expected->step + 1];
	const void *wanted = expected->text ? expected->text : (const void *)&expected->number;
	size_t bytes = expected->text ? strlen(expected->text) + 1 : sizeof(expected->number);

	for (int i = 0; i < DIFFERENT && atomic_load(&step->times[i]); i++)
		if (!memcmp((const char *)&step->sights[i] + expected->offset, wanted, bytes))
			return true;
	return false;
}

static bool all_seen(unsigned int step)
{
	for (const struct expected *expected = beside.expected; expected->what; expected++)
		if (expected->step == step && !was_seen(expected))
			return false;
	return true;
}

/*
 * As the setup of a step, which follows its ops: the step goes on until all of it has been seen, for half a minute if it is
 * never. On paper, and where nobody looks, there is nothing to wait for.
 */
static void until_seen(const struct ktstr_ctx *ctx, struct ktstr_cgroup_defs *defs)
{
	(void)defs;
	for (int i = 0; i < 3000 && beside.ctx == ctx && !all_seen(ktstr_current_step(ctx) - 1); i++)
		usleep(10000);
}

/* For the message: the different values there were. */
static void miss(struct ktstr_ctx *ctx, const struct expected *expected)
{
	const struct step_sights *step = &beside.steps[expected->step + 1];
	char seen[512] = "", number[16];

	for (int i = 0; i < DIFFERENT && step->times[i]; i++) {
		const char *place = (const char *)&step->sights[i] + expected->offset;
		size_t used = strlen(seen);

		if (expected->text)
			snprintf(seen + used, sizeof(seen) - used, " %ux\"%s\"", step->times[i], place);
		else
			snprintf(seen + used, sizeof(seen) - used, " %ux%d", step->times[i], *(const int *)place);
	}
	snprintf(number, sizeof(number), "%d", expected->number);
	ktstr_fail(ctx, "step %u: %s never was %s, but%s", expected->step, expected->what,
		   expected->text ? expected->text : number, seen);
}

#define SEEN_TEXT(k, member, value)   { (k), #member, offsetof(struct sight, member), (value), 0 }
#define SEEN_NUMBER(k, member, value) { (k), #member, offsetof(struct sight, member), NULL, (value) }

/* Runs the test's plan, and looks. */
static void run_looked_at(struct ktstr_ctx *ctx, const struct expected *expected)
{
	memset(&beside.steps, 0, sizeof(beside.steps));
	beside.expected = expected;
	beside.ctx = ctx;
	atomic_store(&beside.stop, false);
	if (pthread_create(&beside.thread, NULL, look, NULL)) {
		ktstr_fail(ctx, "no thread to look with");
		return;
	}
	ktstr_run_plan(ctx);
	atomic_store(&beside.stop, true);
	pthread_join(beside.thread, NULL);
	beside.ctx = NULL;
	/* Nothing of it is left. */
	if (!access(TOP "a", F_OK) || !access(TOP "b", F_OK) || !access(TOP "back", F_OK))
		ktstr_fail(ctx, "a cgroup of the scenario is still there");
	for (; expected->what; expected++)
		if (!was_seen(expected))
			miss(ctx, expected);
}

#define HOLD .hold = ktstr_hold_fixed(KTSTR_MS(300))
#define UNTIL_SEEN .setup = { .factory = until_seen }, .hold = ktstr_hold_fixed(KTSTR_MS(50))
#define CPUSET(name, spec) KTSTR_OP(SET_CPUSET, .cgroup = (name), .cpuset = (spec))

/* Four CPUs, 0-2 for workloads. */
KTSTR_PLAN(cgroup_ops_plan,
	.backdrop = { KTSTR_DEFS({ .name = "a", .workers = 2 }, { .name = "b", .workers = 1 }) },
	KTSTR_STEPS({ KTSTR_OPS(CPUSET("a", ktstr_cpuset_llc(0)), CPUSET("b", ktstr_cpuset_llc(1))),
		      .setup = { .factory = until_seen }, HOLD },
		    { KTSTR_OPS(ktstr_op_swap_cpusets("a", "b")), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_clear_cpuset("a"), ktstr_op_swap_cpusets("a", "b")), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_freeze_cgroup("a"), ktstr_op_freeze_cgroup("a")), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_unfreeze_cgroup("a"), ktstr_op_unfreeze_cgroup("a")), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_clear_cpuset("b"),
				ktstr_op_set_affinity("b", ktstr_affinity_exact(ktstr_cpus_range(2, 1)))), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_add_cgroup("back"), ktstr_op_spawn_workers("back", { .workers = 3 })), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_stop_cgroup("a")), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_remove_cgroup("a"), ktstr_op_remove_cgroup("a"),
				ktstr_op_add_cgroup_def({ .name = "a", .workers = 4, .cpuset = ktstr_cpuset_llc(1) })), UNTIL_SEEN }))

/* In step 2 a has none to give, and gets b's. */
static const struct expected cgroup_ops_sights[] = {
	SEEN_TEXT(0, cpus_a, "0-1"), SEEN_TEXT(0, cpus_b, "2-3"),
	SEEN_TEXT(1, cpus_a, "2-3"), SEEN_TEXT(1, cpus_b, "0-1"),
	SEEN_TEXT(2, cpus_a, "0-1"), SEEN_TEXT(2, cpus_b, "0-1"), SEEN_TEXT(2, frozen, "0"),
	SEEN_TEXT(3, frozen, "1"),
	SEEN_TEXT(4, frozen, "0"),
	SEEN_TEXT(5, allowed, "2"),
	SEEN_NUMBER(6, procs_back, 3), SEEN_NUMBER(6, procs_a, 2),
	SEEN_NUMBER(7, procs_back, -1), SEEN_NUMBER(7, procs_a, 0),
	SEEN_NUMBER(8, procs_a, 4), SEEN_TEXT(8, cpus_a, "2-3"),
	{ 0 },
};

KTSTR_TEST(cgroup_ops, .plan = cgroup_ops_plan, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(60),
	   .checks = { .isolation = KTSTR_ON })
{
	run_looked_at(ctx, cgroup_ops_sights);
	/* The worker of b went where its cpuset went. */
	KTSTR_CLAIM(ctx, ktstr_stats_cgroup(ktstr_stats(ctx), "b")->total_migrations, at_least, 2u);
	/* back, the old a, the new a, b: all were judged. */
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->cgroups_count, eq, 4u);
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, eq, 10u);
}

/* Workers of a step that went to the backdrop outlive it; those that it only spawned there do not. */
KTSTR_PLAN(moves_plan,
	.backdrop = { KTSTR_OPS(ktstr_op_add_cgroup("back")) },
	KTSTR_STEPS({ KTSTR_OPS(ktstr_op_add_cgroup_def({ .name = "a", .workers = 2 }),
				ktstr_op_spawn_workers("back", { .workers = 1 }), ktstr_op_spawn_host({ .workers = 1 }),
				ktstr_op_move_all_tasks("a", "back"), ktstr_op_move_all_tasks("", "back"),
				ktstr_op_add_cgroup_def({ .name = "b", .workers = 1 })), UNTIL_SEEN },
		    { KTSTR_OPS(ktstr_op_add_cgroup("a")), UNTIL_SEEN }))

/* All are put somewhere in step 0 (phase 1): two into a, three times one into back, one into b. */
static void expect_placements(struct ktstr_ctx *ctx)
{
	unsigned int phase, first, second, pairs = 0, lines = 0;
	FILE *log = fopen("/tmp/ktstr-placement.log", "re");
	char line[256], cgroup[TEXT];

	while (log && fgets(line, sizeof(line), log)) {
		int fields = sscanf(line, "%u %63s %u %u", &phase, cgroup, &first, &second);

		lines += fields >= 3 && phase == 1;
		pairs += fields == 4 && !strcmp(cgroup, "a");
	}
	if (log)
		fclose(log);
	KTSTR_CLAIM(ctx, pairs, eq, 1u);
	KTSTR_CLAIM(ctx, lines, eq, 5u);
}

static const struct expected moves_sights[] = {
	SEEN_NUMBER(0, procs_a, 0), SEEN_NUMBER(0, procs_b, 1), SEEN_NUMBER(0, procs_back, 4),
	SEEN_NUMBER(1, procs_back, 3), SEEN_NUMBER(1, procs_b, -1),
	{ 0 },
};

KTSTR_TEST(moves, .plan = moves_plan, .duration = KTSTR_SEC(60))
{
	run_looked_at(ctx, moves_sights);
	expect_placements(ctx);
}

/* The ops of a loop come again and again, its cgroup stays the same. */
KTSTR_TEST(loop, .duration = KTSTR_SEC(4), .topology = { .llcs = 2, .cores_per_llc = 2 })
{
	KTSTR_EXECUTE(ctx, KTSTR_STEPS({ KTSTR_DEFS({ .name = "a", .workers = 2 }),
					 KTSTR_OPS(ktstr_op_set_affinity("a", ktstr_affinity_exact(ktstr_cpus_range(0, 1))),
						   ktstr_op_set_affinity("a", ktstr_affinity_exact(ktstr_cpus_range(1, 1))),
						   ktstr_op_set_affinity("a", ktstr_affinity_random_subset(
								   ktstr_cpus_range(0, 3), 1))),
					 .hold = ktstr_hold_loop(KTSTR_MS(50)) }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->cgroups_count, eq, 1u);
	/* One round moves each worker at most three times; making the cgroup takes its part of the time. */
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_migrations, gt, 6u);
}

KTSTR_PLAN(payload_ops_plan,
	.backdrop = { KTSTR_OPS(ktstr_op_add_cgroup("a"), ktstr_op_add_cgroup("b")) },
	KTSTR_STEPS({ KTSTR_OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper, .cgroup = "a"),
				KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper, .cgroup = "b"),
				ktstr_op_run_payload(&truth), ktstr_op_wait_payload("truth")), UNTIL_SEEN },
		    { KTSTR_OPS(KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper, .cgroup = "b"),
				ktstr_op_kill_payload("sleeper")), UNTIL_SEEN },
		    ktstr_step_with_payload(&sleeper, ktstr_hold_fixed(0))))

static const struct expected payload_ops_sights[] = {
	SEEN_NUMBER(0, procs_a, 1), SEEN_NUMBER(0, procs_b, 1), SEEN_NUMBER(1, procs_b, 0), { 0 },
};

KTSTR_TEST(payload_ops, .plan = payload_ops_plan, .payload = &sleeper, .workloads = KTSTR_WORKLOADS(&truth),
	   .duration = KTSTR_SEC(60))
{
	run_looked_at(ctx, payload_ops_sights);
}

/* The same workers under the test's own scheduler, EEVDF, the test's own again, and another one. */
KTSTR_PLAN(scheduler_ops_plan,
	.backdrop = { KTSTR_DEFS({ .name = "a", .workers = 2 }) },
	KTSTR_STEPS({ KTSTR_OPS(ktstr_op_pin_bpf_map("task_states")), HOLD }, { KTSTR_OPS(ktstr_op_detach_scheduler()), HOLD },
		    { KTSTR_OPS(ktstr_op_restart_scheduler()), HOLD },
		    { KTSTR_OPS(ktstr_op_replace_scheduler(&slices)), HOLD },
		    { KTSTR_OPS(ktstr_op_detach_scheduler(), ktstr_op_attach_scheduler(&slices)), HOLD }))

KTSTR_PLAN_TEST(scheduler_ops, .plan = scheduler_ops_plan, .scheduler = &scx_ktstr,
		.staged_schedulers = KTSTR_SCHEDULERS(&slices), .duration = KTSTR_SEC(1), .checks = { .not_stuck = KTSTR_ON });

/* What the host does and keeps. panic_timeout is of no use to a guest that ends anyway; the body sees it in /proc. */
#define TIMEOUT KTSTR_KERNEL_SYMBOL("panic_timeout")

KTSTR_PLAN(host_ops_plan,
	.backdrop = { KTSTR_DEFS({ .name = "a", .workers = 2 }) },
	KTSTR_STEPS({ KTSTR_OPS(ktstr_op_write_kernel_cold({ TIMEOUT, ktstr_kernel_value_u32(4) }),
				ktstr_op_write_kernel_cold({ TIMEOUT, ktstr_kernel_value_or_u32(1) }),
				ktstr_op_read_kernel_cold("cold", TIMEOUT, ktstr_kernel_width_u32()),
				ktstr_op_write_kernel_hot({ TIMEOUT, ktstr_kernel_value_u32(77) }),
				ktstr_op_read_kernel_hot("hot", TIMEOUT, ktstr_kernel_width_u32()),
				ktstr_op_capture_cgroup_procs("procs", "a")), HOLD },
		    { KTSTR_OPS(ktstr_op_capture_snapshot("during")), HOLD }))

KTSTR_TEST(host_ops, .plan = host_ops_plan, .duration = KTSTR_SEC(1))
{
	char now[TEXT];

	ktstr_run_plan(ctx);
	read_first("/proc/sys/kernel/panic", "", now);
	KTSTR_CLAIM(ctx, atoi(now), eq, 77);
}

/* --- failures --- */

/* The verdict must be one failure with `part` in it; it is then taken back. */
static void expect_failure(struct ktstr_ctx *ctx, struct ktstr_assert_result *verdict, const char *part)
{
	struct ktstr_assert_result found = ctx->result;

	ctx->result = *verdict;
	if (found.outcomes_count != 1 || !strstr(found.outcomes[0].detail.message, part))
		ktstr_fail(ctx, "expected a failure with \"%s\", got %zu: %s", part, found.outcomes_count,
			   found.outcomes_count ? found.outcomes[0].detail.message : "");
	else
		ktstr_note(ctx, "as it must: %s", found.outcomes[0].detail.message);
	*verdict = ctx->result;
	memset(&ctx->result, 0, sizeof(ctx->result));
	ktstr_assert_result_deinit(&found);
}

#define FAILS(part, ...)                                                                           \
	do {                                                                                       \
		KTSTR_EXECUTE(ctx, .backdrop = { KTSTR_DEFS({ .name = "back", .workers = 1 }) },   \
			      KTSTR_STEPS({ .hold = ktstr_hold_fixed(0) },                         \
					  { KTSTR_OPS(__VA_ARGS__), .hold = ktstr_hold_fixed(0) })); \
		expect_failure(ctx, &verdict, "step 1 failed: " part);                             \
	} while (0)

KTSTR_TEST(failures, .duration = KTSTR_SEC(1), .payload = &sleeper)
{
	struct ktstr_assert_result verdict = { 0 };

	FAILS("op 0 (AddCgroup): cgroup \"back\" is one of the backdrop", ktstr_op_add_cgroup("back"));
	FAILS("op 1 (AddCgroupDef): cgroup a: there is a cgroup \"a\" already", ktstr_op_add_cgroup("a"),
	      ktstr_op_add_cgroup_def({ .name = "a" }));
	FAILS("op 0 (SetCpuset): cpuset llc(7)", CPUSET("back", ktstr_cpuset_llc(7)));
	FAILS("op 0 (SetCpuset): the cpuset for back is empty", CPUSET("back", ktstr_cpuset_range(0, .1)));
	FAILS("op 0 (ClearCpuset): no cgroup \"x\"", ktstr_op_clear_cpuset("x"));
	FAILS("op 0 (SwapCpusets): no cgroup \"x\"", ktstr_op_swap_cpusets("back", "x"));
	FAILS("op 0 (Spawn): no cgroup \"x\"", ktstr_op_spawn_in_cgroup("x", KTSTR_WORK(SPIN_WAIT)));
	FAILS("op 0 (Spawn): .pcomm", ktstr_op_spawn_workers("back", { .pcomm = "p" }));
	FAILS("op 0 (SetAffinity): ", ktstr_op_set_affinity("back", ktstr_affinity_exact(ktstr_cpus_range(900, 1))));
	FAILS("op 0 (MoveAllTasks): .from and .to are both back", ktstr_op_move_all_tasks("back", "back"));
	FAILS("op 1 (MoveAllTasks): the workers in back are of the backdrop", ktstr_op_add_cgroup("a"),
	      ktstr_op_move_all_tasks("back", "a"));
	FAILS("op 0 (FreezeCgroup): no cgroup \"x\"", ktstr_op_freeze_cgroup("x"));
	FAILS("op 1 (RunPayload): payload sleeper runs in back already",
	      KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper, .cgroup = "back"),
	      KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper, .cgroup = "back"));
	FAILS("op 0 (RunPayload): payload sleeper: unknown flag --helpp",
	      KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper, .args = KTSTR_ARGS("--helpp")));
	FAILS("op 0 (RunPayload): payload truth: /include-files/true was not brought into the guest", KTSTR_OP(RUN_PAYLOAD, .payload = &truth));
	FAILS("op 2 (KillPayload): 2 copies of payload sleeper run",
	      KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper, .cgroup = "back"),
	      KTSTR_OP(RUN_PAYLOAD, .payload = &sleeper),
	      ktstr_op_kill_payload("sleeper"));
	FAILS("op 0 (WaitPayload): no payload sleeper runs", ktstr_op_wait_payload("sleeper"));
	FAILS("op 0 (DetachScheduler): ", ktstr_op_detach_scheduler());
	FAILS("op 0 (AttachScheduler): ", ktstr_op_attach_scheduler(&slices));
	FAILS("op 0 (ReplaceScheduler): ", ktstr_op_replace_scheduler(&slices));
	FAILS("op 0 (RestartScheduler): ", ktstr_op_restart_scheduler());
	FAILS("op 0 (PinBpfMap): ", ktstr_op_pin_bpf_map("no_such_map"));
	FAILS("op 0 (WatchSnapshot): ", ktstr_op_watch_snapshot("no_such_symbol"));
	FAILS("op 0 (WriteKernelHot): ", ktstr_op_write_kernel_hot({ KTSTR_KERNEL_SYMBOL("no_such_symbol"),
								     ktstr_kernel_value_u32(1) }));
	FAILS("op 0 (ReadKernelCold): ", ktstr_op_read_kernel_cold("t", KTSTR_KERNEL_SYMBOL("no_such_symbol"),
								   ktstr_kernel_width_u32()));
	FAILS("op 0 (CaptureCgroupProcs): no cgroup \"x\"", ktstr_op_capture_cgroup_procs("t", "x"));
	FAILS("op 0 (SteerIrq): CPU 900 is not online", ktstr_op_steer_irq(ktstr_irq_by_number(1), 900));
	FAILS("op 0 (SteerIrq): no interrupt is called \"nothing\"", ktstr_op_steer_irq(ktstr_irq_by_label("nothing"), 0));
	FAILS("op 0 (SteerIrq): there is no interrupt 4000", ktstr_op_steer_irq(ktstr_irq_by_number(4000), 0));
	ctx->result = verdict;
}

/* --- interrupts --- */

/* The line of an interrupt that can be steered: the serial console's, or that of any virtio queue. */
static bool find_label(char label[TEXT], unsigned int *number)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *action = strrchr(line, ' ');
		unsigned int n;

		line[strcspn(line, "\n")] = '\0';
		if (!action || sscanf(line, " %u:", &n) != 1 || strncmp(action + 1, "virtio", 6))
			continue;
		snprintf(label, TEXT, "%s", action + 1);
		*number = n;
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

KTSTR_TEST(steer_irq, .duration = KTSTR_SEC(1))
{
	char label[TEXT], path[64], now[TEXT];
	unsigned int number = 0;

	if (!find_label(label, &number)) {
		ktstr_skip(ctx, "this machine has no virtio interrupt");
		return;
	}
	snprintf(path, sizeof(path), "/proc/irq/%u/smp_affinity_list", number);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		KTSTR_EXECUTE(ctx, KTSTR_STEPS({ KTSTR_OPS(cpu ? ktstr_op_steer_irq(ktstr_irq_by_label(label), cpu) :
							   ktstr_op_steer_irq(ktstr_irq_by_number(number), cpu)),
						 .hold = ktstr_hold_fixed(0) }));
		read_first(path, "", now);
		KTSTR_CLAIM(ctx, atoi(now), eq, (int)cpu);
	}
}

/* --- the built-in scenarios, shortened --- */

static void (*const scenarios[])(struct ktstr_ctx *ctx) = {
	ktstr_scenario_steady,		ktstr_scenario_steady_llc,	 ktstr_scenario_oversubscribed,
	ktstr_scenario_cpuset_apply,	ktstr_scenario_cpuset_clear,	 ktstr_scenario_cpuset_resize,
	ktstr_scenario_cgroup_add,	ktstr_scenario_cgroup_remove,	 ktstr_scenario_affinity_change,
	ktstr_scenario_affinity_pinned, ktstr_scenario_host_contention, ktstr_scenario_mixed_workloads,
	ktstr_scenario_nested_steady,	ktstr_scenario_nested_task_move,
};

static void run_all(struct ktstr_ctx *ctx)
{
	ctx->workers_per_cgroup = 2;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		size_t before = ctx->result.stats.cgroups_count;

		scenarios[i](ctx);
		if (ctx->result.stats.cgroups_count == before)
			ktstr_fail(ctx, "scenario %zu had no cgroups", i);
		if (!access(TOP "cg_0", F_OK) || !access(TOP "cg_1", F_OK))
			ktstr_fail(ctx, "scenario %zu left a cgroup behind", i);
	}
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_iterations, gt, 0u);
}

#define ALL .topology = { .llcs = 2, .cores_per_llc = 3 }, .duration = KTSTR_MS(300), .checks = { .isolation = KTSTR_ON }

KTSTR_TEST(all_scenarios_eevdf, ALL)
{
	run_all(ctx);
}

KTSTR_TEST(all_scenarios_scx, ALL, .scheduler = &scx_ktstr)
{
	run_all(ctx);
}

/* Virtual time: two runs of a plan with ops in it are the same. */
KTSTR_TEST(repeatable, .plan = cgroup_ops_plan, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_MS(200),
	   .deterministic = true, .ignore = true)
{
	ktstr_run_plan(ctx);
}
