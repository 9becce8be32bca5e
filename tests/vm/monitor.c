// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host looks at a running kernel, and reaches into it: what it reads and writes is compared here with what the guest
 * itself sees. vm/monitor.bats looks at what came of it in the results.
 */
#include <fcntl.h>
#include <ktstr.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "wire/host_request.h"

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");
KTSTR_SCHEDULER(patient, .binary = "scx_ktstr", .args = KTSTR_ARGS("--watchdog-ms=30000"));
/* The kernel looks at intervals of half its own limit: a longer one would only take longer. */
KTSTR_SCHEDULER(stalls, .binary = "scx_ktstr", .args = KTSTR_ARGS("--watchdog-ms=8000", "--since=cg_0", "--stall-after-ms=500"));

/* A kernel variable that /proc shows: its own width, and harmless. */
#define PANIC_VARIABLE "panic_timeout"
#define PANIC_FILE     "/proc/sys/kernel/panic"

static long in_proc(const char *path)
{
	char *line = ktstr_read_line(path);
	long value = line ? strtol(line, NULL, 10) : -1;

	free(line);
	return value;
}

static void expect_error(struct ktstr_ctx *ctx, struct ktstr_error *error, const char *part)
{
	if (!error)
		ktstr_fail(ctx, "this should have been refused: %s", part);
	else if (!strstr(ktstr_error_message(error), part))
		ktstr_fail(ctx, "\"%s\" lacks \"%s\"", ktstr_error_message(error), part);
	ktstr_error_free(error);
}

static uint64_t read_u64(struct ktstr_ctx *ctx, bool cold, const char *tag, struct ktstr_kernel_target target,
			 struct ktstr_kernel_value_width width)
{
	struct ktstr_kernel_op_entry entry = { target, width };
	struct ktstr_kernel_op_reply reply;
	uint64_t number;

	if (ktstr_fail_error(ctx, ktstr_host_kernel_read(cold, tag, &entry, 1, &reply)))
		return 0;
	number = reply.read_values[0].number;
	ktstr_kernel_op_reply_deinit(&reply);
	return number;
}

static void write_u32(struct ktstr_ctx *ctx, bool cold, struct ktstr_kernel_value value)
{
	struct ktstr_kernel_op_entry entry = { KTSTR_KERNEL_SYMBOL(PANIC_VARIABLE), value };

	ktstr_fail_error(ctx, ktstr_host_kernel_write(cold, &entry, 1));
}

static void variables(struct ktstr_ctx *ctx)
{
	struct ktstr_kernel_target symbol = KTSTR_KERNEL_SYMBOL(PANIC_VARIABLE);
	uint64_t jiffies = read_u64(ctx, false, "jiffies", KTSTR_KERNEL_SYMBOL("jiffies_64"), ktstr_kernel_width_u64());

	write_u32(ctx, false, ktstr_kernel_value_u32(40));
	KTSTR_CLAIM(ctx, in_proc(PANIC_FILE), eq, 40L);
	write_u32(ctx, true, ktstr_kernel_value_or_u32(3));
	KTSTR_CLAIM(ctx, in_proc(PANIC_FILE), eq, 43L);
	ktstr_fail_error(ctx, ktstr_write_value(PANIC_FILE, "7"));
	KTSTR_CLAIM(ctx, read_u64(ctx, true, "panic", symbol, ktstr_kernel_width_u32()), eq, UINT64_C(7));
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		KTSTR_CLAIM(ctx, read_u64(ctx, false, "cpu", KTSTR_KERNEL_PER_CPU("runqueues", "cpu", cpu),
					  ktstr_kernel_width_u32()), eq, (uint64_t)cpu);
	KTSTR_CLAIM(ctx, read_u64(ctx, false, "jiffies", KTSTR_KERNEL_SYMBOL("jiffies_64"), ktstr_kernel_width_u64()),
		    gt, jiffies);
}

static uint64_t kallsyms(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long address, found = 0;
	char line[512], symbol[256], type;

	while (file && !found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %c %255s", &address, &type, symbol) == 3 && !strcmp(symbol, name))
			found = address;
	if (file)
		fclose(file);
	return found;
}

/* The same bytes by an address in the kernel image, by page tables, and from /proc. */
static void addresses(struct ktstr_ctx *ctx)
{
	struct ktstr_kernel_op_entry entries[] = {
		{ KTSTR_KERNEL_DIRECT(kallsyms("linux_banner")), ktstr_kernel_width_bytes(14) },
		{ KTSTR_KERNEL_KVA(kallsyms("linux_banner")), ktstr_kernel_width_bytes(14) },
	};
	struct ktstr_kernel_op_entry user = { KTSTR_KERNEL_KVA((uint64_t)(uintptr_t)&user), ktstr_kernel_width_u32() };
	struct ktstr_kernel_op_entry nowhere = { KTSTR_KERNEL_KVA(0xffffffffffffe000), ktstr_kernel_width_u32() };
	struct ktstr_kernel_op_entry modules = { KTSTR_KERNEL_DIRECT(0xffffc90000000000), ktstr_kernel_width_u32() };
	struct ktstr_kernel_op_reply reply;

	if (ktstr_fail_error(ctx, ktstr_host_kernel_read(true, "banner", entries, 2, &reply)))
		return;
	for (size_t i = 0; i < 2; i++)
		if (memcmp(reply.read_values[i].bytes, "Linux version ", 14))
			ktstr_fail(ctx, "entry %zu is not the kernel's banner", i);
	ktstr_kernel_op_reply_deinit(&reply);
	expect_error(ctx, ktstr_host_kernel_read(false, "user", &user, 1, NULL), "is no kernel address");
	expect_error(ctx, ktstr_host_kernel_read(false, "nowhere", &nowhere, 1, NULL), "entry[0]: 4 bytes at");
	expect_error(ctx, ktstr_host_kernel_read(false, "vmalloc", &modules, 1, NULL), "not in the direct map");
}

/* The start time of a task in ns is known to the kernel only; the refusal of a wrong one tells it. */
static uint64_t start_time_of(struct ktstr_ctx *ctx, pid_t pid)
{
	struct ktstr_kernel_op_entry entry = { KTSTR_KERNEL_TASK(pid, 1, "comm"), ktstr_kernel_width_bytes(16) };
	struct ktstr_error *error = ktstr_host_kernel_read(true, "task", &entry, 1, NULL);
	const char *at = strstr(ktstr_error_message(error), "started at ");
	uint64_t start = at ? strtoull(at + strlen("started at "), NULL, 10) : 0;

	if (!at)
		ktstr_fail(ctx, "a wrong start time is accepted, or not told: %s", ktstr_error_message(error));
	ktstr_error_free(error);
	return start;
}

/* How often it has given up its CPU: a task that is called asleep may still be on its way there. */
static bool has_slept(pid_t pid)
{
	char path[64], line[128];
	unsigned long times = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "voluntary_ctxt_switches: %lu", &times);
	if (file)
		fclose(file);
	return times > 0;
}

static pid_t start_child(bool spins)
{
	pid_t child = fork();

	while (!child)
		if (!spins)
			pause();
	while (!spins && !has_slept(child))
		ktstr_sleep_ns(KTSTR_MS(10));
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* Another task's name, written into its task_struct while it sleeps, as /proc shows it. */
static void sleeping_task(struct ktstr_ctx *ctx)
{
	static const char renamed[16] = "renamed";
	struct ktstr_kernel_op_entry entry = { .value = ktstr_kernel_value_bytes(renamed, sizeof(renamed)) };
	pid_t child = start_child(false);
	char path[64], *comm;

	entry.target = KTSTR_KERNEL_TASK(child, start_time_of(ctx, child), "comm");
	ktstr_fail_error(ctx, ktstr_host_kernel_write(true, &entry, 1));
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)child);
	comm = ktstr_read_line(path);
	if (!comm || strcmp(comm, renamed))
		ktstr_fail(ctx, "the task is called \"%s\"", comm ? comm : "");
	free(comm);
	entry.target.field = "no_such_member";
	expect_error(ctx, ktstr_host_kernel_write(true, &entry, 1), "no member no_such_member");
	end_child(child);
	entry.target.field = "comm";
	expect_error(ctx, ktstr_host_kernel_write(true, &entry, 1), "has no task with pid");
}

static void running_task(struct ktstr_ctx *ctx)
{
	pid_t child = start_child(true);
	struct ktstr_kernel_op_entry entry = { KTSTR_KERNEL_TASK(child, start_time_of(ctx, child), "prio"),
					       ktstr_kernel_width_u32() };

	expect_error(ctx, ktstr_host_kernel_read(true, "running", &entry, 1, NULL), "is on a runqueue");
	end_child(child);
}

KTSTR_TEST(kernel_operations, .topology = { .llcs = 1, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1))
{
	variables(ctx);
	addresses(ctx);
	sleeping_task(ctx);
	running_task(ctx);
}

/* Three writes, three captures; the guest goes on after each. */
KTSTR_TEST(watches, .topology = { .llcs = 1, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1))
{
	expect_error(ctx, ktstr_host_watch("no_such_symbol"), "no symbol no_such_symbol");
	ktstr_fail_error(ctx, ktstr_host_watch(PANIC_VARIABLE));
	ktstr_fail_error(ctx, ktstr_host_watch("sysctl_hung_task_timeout_secs"));
	ktstr_fail_error(ctx, ktstr_host_watch("sysctl_sched_rt_runtime"));
	expect_error(ctx, ktstr_host_watch("panic_on_oops"), "at most 3 watches");
	for (int i = 1; i <= 3; i++) {
		char value[16];

		snprintf(value, sizeof(value), "%d", i);
		ktstr_fail_error(ctx, ktstr_write_value(PANIC_FILE, value));
		KTSTR_CLAIM(ctx, in_proc(PANIC_FILE), eq, (long)i);
	}
}

/* When the cgroups are there, and their workers have run for a while. */
static void *capture_in_the_middle(void *arg)
{
	struct ktstr_error **error = arg;

	for (int i = 0; i < 1000 && access(KTSTR_CGROUP_DEFAULT_PARENT "/cg_1", F_OK); i++)
		ktstr_sleep_ns(KTSTR_MS(10));
	ktstr_sleep_ns(KTSTR_SEC(1));
	*error = ktstr_host_capture("in the middle");
	return NULL;
}

/* Captures while workers run; the guest must get on with them as if nothing had been. */
static void run_captured(struct ktstr_ctx *ctx)
{
	struct ktstr_error *error = NULL;
	pthread_t thread;

	pthread_create(&thread, NULL, capture_in_the_middle, &error);
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }, { .name = "cg_1" }));
	pthread_join(thread, NULL);
	ktstr_fail_error(ctx, error);
}

static bool used_ns(const struct ktstr_per_cpu_time_stats *time, void *context, uint64_t *value)
{
	(void)context;
	*value = time->cpustat_user_ns + time->cpustat_system_ns;
	return true;
}

static const struct ktstr_snapshot_error *stalled_us(const struct ktstr_snapshot *snapshot, void *context, uint64_t *value)
{
	static const struct ktstr_snapshot_error none = { .kind = KTSTR_SNAPSHOT_NO_MATCH };
	const struct ktstr_cgroup_psi *psi = ktstr_snapshot_cgroup_psi_of(snapshot, "cg_1");

	(void)context;
	if (!psi || !psi->cpu_some)
		return &none;
	*value = psi->cpu_some->total_us;
	return NULL;
}

/* Due in the one step that there is, or before it when a slow guest took long to set it up. */
static void phases_by_steps(struct ktstr_vm_result *vm, struct ktstr_sample_series *series)
{
	KTSTR_CLAIM(vm, vm->step_starts_count, eq, (size_t)1);
	ktstr_sample_series_by_stimulus_phase(series, vm->step_starts, vm->step_starts_count);
	for (size_t i = 0; i < ktstr_sample_series_len(series); i++) {
		uint64_t due_ms = ktstr_sample_series_at(series, i)->boundary_offset_ms.value;

		KTSTR_CLAIM(vm, ktstr_sample_series_phase(series, i).value, eq,
			    due_ms >= vm->step_starts[0].elapsed_ms ? 1u : 0u);
	}
}

/* On the host, afterwards: the scheduler's counters only grow, and what was set is what the kernel had. */
static void look_back(struct ktstr_vm_result *vm)
{
	struct ktstr_sample_series *series = ktstr_vm_result_periodic_series(vm);
	struct ktstr_series_u64 enqueues, used, stalled;

	phases_by_steps(vm, series);
	ktstr_sample_series_bpf_live_u64(series, "nr_enqueues", &enqueues);
	KTSTR_CLAIM_SERIES(vm, &enqueues, strictly_increasing);
	ktstr_series_u64_deinit(&enqueues);
	ktstr_sample_series_host_u64(series, "CPU 1: time used", 1, used_ns, NULL, &used);
	KTSTR_CLAIM_SERIES(vm, &used, strictly_increasing);
	ktstr_series_u64_deinit(&used);
	ktstr_sample_series_bpf_u64(series, "cg_1: stalled for a CPU", stalled_us, NULL, &stalled);
	KTSTR_CLAIM_SERIES(vm, &stalled, nondecreasing);
	ktstr_series_u64_deinit(&stalled);
	KTSTR_CLAIM(vm, ktstr_sample_series_monitor(series) == &vm->monitor, eq, true);
	ktstr_sample_series_destroy(series);
	KTSTR_CLAIM(vm, vm->periodic_real, eq, 3u);
	KTSTR_CLAIM(vm, vm->success, eq, true);
	KTSTR_CLAIM(vm, vm->monitor.total_samples, at_least, (uint64_t)10);
	KTSTR_CLAIM(vm, vm->watchdog.expected_jiffies, eq, vm->watchdog.observed_jiffies);
}

KTSTR_TEST(captures, .scheduler = &scx_ktstr, .topology = { .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(4),
	   .num_snapshots = 3, .checks = { .not_stuck = KTSTR_ON }, .post_vm = look_back,
	   .watch_bpf_maps = KTSTR_WATCH_BPF_MAPS({ ".bss", "nr_enqueues", KTSTR_MAP_SCALAR_COUNTER, "enqueues" },
						  { "stats", "", KTSTR_MAP_PER_CPU_COUNTER, "select_cpu" },
						  { ".bss", "cpu_states[1].vtime", KTSTR_MAP_SCALAR, "vtime" },
						  { ".bss", "no_such_variable", KTSTR_MAP_SCALAR, "absent" }))
{
	run_captured(ctx);
}

/* The same as ops of a scenario. */
KTSTR_PLAN(watched_steps, .backdrop = { KTSTR_DEFS({ .name = "cg_0", .workers = 2 }) },
	   KTSTR_STEPS({ .hold = ktstr_hold_fixed(KTSTR_MS(500)) },
		       { KTSTR_OPS(KTSTR_OP(WATCH_SNAPSHOT, .symbol = PANIC_VARIABLE),
				   KTSTR_OP(CAPTURE_SNAPSHOT, .tag = "step two"),
				   KTSTR_OP(CAPTURE_CGROUP_PROCS, .tag = "procs", .cgroup = "cg_0"),
				   KTSTR_OP(WRITE_KERNEL_COLD, KTSTR_KERNEL_ENTRIES({ KTSTR_KERNEL_SYMBOL(PANIC_VARIABLE),
										      ktstr_kernel_value_u32(99) })),
				   KTSTR_OP(READ_KERNEL_HOT, .tag = "panic", .target = KTSTR_KERNEL_SYMBOL(PANIC_VARIABLE),
					    .width = ktstr_kernel_width_u32())),
			 .hold = ktstr_hold_fixed(KTSTR_MS(500)) }));

KTSTR_TEST(ops, .topology = { .llcs = 1, .cores_per_llc = 2 }, .duration = KTSTR_SEC(1), .plan = watched_steps,
	   .num_snapshots = 1, .workload_root_cgroup = KTSTR_CGROUP_PATH("observed/here"))
{
	ktstr_run_plan(ctx);
	KTSTR_CLAIM(ctx, in_proc(PANIC_FILE), eq, 99L);
}

/* The host sets a variable of the scheduler, which then gives up with it. */
KTSTR_TEST(map_write, .scheduler = &scx_ktstr, .duration = KTSTR_SEC(3),
	   .bpf_map_write = KTSTR_BPF_MAP_WRITES({ ".bss", "failure_code", 77 }))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
}

static void complain(struct ktstr_vm_result *vm)
{
	KTSTR_CLAIM(vm, vm->vcpus, at_least, 100u);
}

static void give_up(struct ktstr_vm_result *vm)
{
	ktstr_post_vm_skip(vm, "%s has no crystal ball", vm->entry_name);
}

static void crash(struct ktstr_vm_result *vm)
{
	(void)vm;
	abort();
}

#define LOOKED_AT(NAME, ...) \
	KTSTR_TEST(NAME, .duration = KTSTR_MS(100), __VA_ARGS__)

LOOKED_AT(post_vm_fails, .post_vm = complain)
{
}
LOOKED_AT(post_vm_skips, .post_vm = give_up)
{
}
LOOKED_AT(post_vm_crashes, .post_vm = crash)
{
}
/* The first is left out, the second runs and hides nothing. */
LOOKED_AT(post_vm_after_failure, .post_vm = crash, .post_vm_unconditional = give_up)
{
	ktstr_fail(ctx, "failed on purpose");
}

/* A limit longer than the scheduler's own, and one shorter: with both a real stall is noticed, and nothing else is. */
KTSTR_TEST(shorter_watchdog, .scheduler = &patient, .duration = KTSTR_SEC(4), .watchdog_timeout = KTSTR_SEC(3),
	   .checks = { .not_stuck = KTSTR_ON })
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
}

KTSTR_TEST(stall_with_override, .scheduler = &stalls, .duration = KTSTR_SEC(12), .watchdog_timeout = KTSTR_SEC(2))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
}

/* On virtual time: the host looks when the guest stands still by itself. */
KTSTR_TEST(deterministic, .scheduler = &scx_ktstr, .duration = KTSTR_MS(500), .deterministic = true, .num_snapshots = 1,
	   .checks = { .not_stuck = KTSTR_ON })
{
	variables(ctx);
	ktstr_fail_error(ctx, ktstr_host_capture("before"));
	expect_error(ctx, ktstr_host_watch(PANIC_VARIABLE), "a deterministic guest cannot be watched");
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
}
