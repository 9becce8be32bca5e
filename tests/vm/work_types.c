// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does each work type press what it says? Asked not of the worker but of the kernel: context switches, faults, forks,
 * softirqs, what /proc says the task's class, nice or cgroup is. A row is a type, a counter and the least it must
 * move. It must also move at least twice as far as under a control that does not press it: how often a spinner is
 * preempted depends on how busy the host is, so no fixed number separates the two.
 */
#include <ktstr.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ROUND_MS = 300, SAMPLES = 16, SEEN_MAX = 64 };

enum counter {
	CPU_TICKS, /* user time of the workers */
	VOLUNTARY, /* context switches of the workers: they blocked */
	INVOLUNTARY, /* they were put off the CPU runnable */
	FAULTS, /* minor */
	WRITTEN, /* bytes through write() */
	READ_CALLS,
	FORKS, /* of the system */
	NET_RX, /* softirqs of the system */
	RESCHEDULES, /* interrupts of the system: kicks to other CPUs */
	PAGES_MOVED, /* between nodes, of the system */
	NICE_SEEN, /* different values that samples of the workers showed, from here on */
	CLASSES_SEEN,
	PRIORITIES_SEEN, /* of real-time tasks */
	CGROUPS_SEEN,
	ALLOWED_SEEN, /* different affinities */
	COUNTERS,
};

static const char *const counter_names[COUNTERS] = {
	"user time", "voluntary switches", "involuntary switches", "minor faults", "bytes written", "read calls", "forks",
	"NET_RX softirqs", "rescheduling interrupts", "pages moved", "nice values", "policies", "real-time priorities", "cgroups",
	"affinities",
};

static const struct ktstr_work_phase phases[] = { { KTSTR_PHASE_SPIN, KTSTR_MS(5) }, { KTSTR_PHASE_SLEEP, KTSTR_MS(2) },
						  { KTSTR_PHASE_IO, KTSTR_MS(5) } };

/* What a custom function does: faults, and nothing else. */
static void fault(const struct ktstr_worker_ctx *ctx)
{
	while (!ktstr_worker_should_stop(ctx)) {
		void *pages = mmap(NULL, 1 << 20, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(pages, 1, 1 << 20);
		munmap(pages, 1 << 20);
		ktstr_worker_progress(ctx, 1);
	}
}

static const struct row {
	struct ktstr_work_type type;
	enum counter counter;
	uint64_t least; /* in a round of all workers together */
} rows[] = {
	{ KTSTR_WORK(SPIN_WAIT), CPU_TICKS, 100 },
	{ KTSTR_WORK(YIELD_HEAVY), INVOLUNTARY, 1000 },
	{ KTSTR_WORK(MIXED), INVOLUNTARY, 100 },
	{ KTSTR_WORK(IO_SYNC_WRITE), WRITTEN, 1 << 20 },
	{ KTSTR_WORK(IO_RAND_READ), READ_CALLS, 500 },
	{ KTSTR_WORK(IO_CONVOY), READ_CALLS, 500 },
	{ KTSTR_WORK(BURSTY, .burst = KTSTR_MS(2), .sleep = KTSTR_MS(5)), VOLUNTARY, 100 },
	{ KTSTR_WORK(PIPE_IO), VOLUNTARY, 100 },
	{ KTSTR_WORK(FUTEX_PING_PONG), VOLUNTARY, 100 },
	{ KTSTR_WORK(CACHE_PRESSURE), CPU_TICKS, 100 },
	{ KTSTR_WORK(CACHE_YIELD), INVOLUNTARY, 100 },
	{ KTSTR_WORK(CACHE_PIPE), VOLUNTARY, 100 },
	{ KTSTR_WORK(FUTEX_FAN_OUT), VOLUNTARY, 100 },
	{ KTSTR_WORK(FAN_OUT_COMPUTE, .cache_footprint_kib = 4), VOLUNTARY, 100 },
	{ { .kind = KTSTR_WORK_SEQUENCE, .SEQUENCE = { phases, 3 } }, WRITTEN, 1 << 18 },
	{ KTSTR_WORK(FORK_EXIT), FORKS, 20 },
	{ KTSTR_WORK(NICE_SWEEP), NICE_SEEN, 10 },
	{ KTSTR_WORK(AFFINITY_CHURN), ALLOWED_SEEN, 4 },
	{ KTSTR_WORK(CROSS_AFFINITY_CHURN), ALLOWED_SEEN, 2 },
	{ KTSTR_WORK(POLICY_CHURN), CLASSES_SEEN, 4 },
	{ KTSTR_WORK(PAGE_FAULT_CHURN), FAULTS, 5000 },
	{ KTSTR_WORK(MUTEX_CONTENTION), VOLUNTARY, 20 },
	{ KTSTR_WORK(THUNDERING_HERD), VOLUNTARY, 100 },
	{ KTSTR_WORK(PRIORITY_INVERSION), PRIORITIES_SEEN, 3 },
	{ KTSTR_WORK(PRIORITY_INVERSION, .lock = KTSTR_LOCK_PI), PRIORITIES_SEEN, 3 },
	{ KTSTR_WORK(PRODUCER_CONSUMER_IMBALANCE), VOLUNTARY, 100 },
	{ KTSTR_WORK(RT_STARVATION), CLASSES_SEEN, 2 },
	{ KTSTR_WORK(ASYMMETRIC_WAKER, .waker_class = KTSTR_CLASS_BATCH), CLASSES_SEEN, 2 },
	{ KTSTR_WORK(WAKE_CHAIN), VOLUNTARY, 100 },
	{ KTSTR_WORK(WAKE_CHAIN, .wake = KTSTR_WAKE_FUTEX), VOLUNTARY, 100 },
	{ KTSTR_WORK(NUMA_WORKING_SET_SWEEP, .nodes = 3, .sweep_period = KTSTR_MS(10)), PAGES_MOVED, 1000 },
	{ KTSTR_WORK(NUMA_MIGRATION_CHURN, .period = KTSTR_MS(20)), ALLOWED_SEEN, 2 },
	{ KTSTR_WORK(CGROUP_CHURN, .cycle = KTSTR_MS(20)), CGROUPS_SEEN, 2 },
	{ KTSTR_WORK(CGROUP_ATTACH_STORM, .dest = "beside"), FORKS, 20 },
	{ KTSTR_WORK(SIGNAL_STORM), RESCHEDULES, 50 },
	{ KTSTR_WORK(PREEMPT_STORM), CLASSES_SEEN, 2 },
	{ KTSTR_WORK(EPOLL_STORM), READ_CALLS, 500 },
	{ KTSTR_WORK(IDLE_CHURN), VOLUNTARY, 100 },
	{ KTSTR_WORK(TIMER_LATENCY), VOLUNTARY, 100 },
	{ KTSTR_WORK(ALU_HOT), CPU_TICKS, 100 },
	{ KTSTR_WORK(SMT_SIBLING_SPIN), CPU_TICKS, 100 },
	{ KTSTR_WORK(IPC_VARIANCE), CPU_TICKS, 100 },
	{ KTSTR_WORK(NET_TRAFFIC), NET_RX, 300 },
	{ KTSTR_WORK(IRQ_WAKE), NET_RX, 300 },
	{ KTSTR_WORK(CUSTOM, .name = "fault", .fn = fault), FAULTS, 5000 },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Values that samples have shown. */
struct seen {
	uint64_t values[SEEN_MAX];
	unsigned int count;
};

struct reading {
	uint64_t totals[COUNTERS]; /* those that only grow */
	struct seen seen[COUNTERS]; /* the others */
};

static void see(struct seen *seen, uint64_t value)
{
	for (unsigned int i = 0; i < seen->count; i++)
		if (seen->values[i] == value)
			return;
	if (seen->count < SEEN_MAX)
		seen->values[seen->count++] = value;
}

static char *slurp(const char *path)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* The number behind key, summed over the rest of its line when `all`. */
static uint64_t number_behind(const char *text, const char *key, bool all)
{
	const char *at = strstr(text, key);
	uint64_t sum = 0;
	char *end;

	if (!at)
		return 0;
	for (at += strlen(key);; at = end) {
		uint64_t value = strtoull(at, &end, 10);

		if (end == at || strchr("\n", *at))
			return sum;
		sum += value;
		if (!all)
			return sum;
	}
}

static uint64_t hash(const char *text)
{
	uint64_t sum = 14695981039346656037u;

	for (; *text && *text != '\n'; text++)
		sum = (sum ^ (unsigned char)*text) * 1099511628211u;
	return sum;
}

/* Fields of /proc/PID/stat behind the name, by their numbers in proc(5). */
static void read_stat(int pid, struct reading *reading)
{
	long long fields[53] = { 0 };
	char path[64], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	at = strrchr(slurp(path), ')');
	for (int field = 3; at && field < 53; field++) {
		at = strchr(at, ' ');
		if (at)
			fields[field] = field == 3 ? 0 : strtoll(++at, NULL, 10);
		else
			break;
		if (field == 3)
			at++;
	}
	reading->totals[FAULTS] += (uint64_t)fields[10];
	reading->totals[CPU_TICKS] += (uint64_t)fields[14];
	see(&reading->seen[NICE_SEEN], (uint64_t)fields[19]);
	see(&reading->seen[PRIORITIES_SEEN], (uint64_t)fields[40]);
	see(&reading->seen[CLASSES_SEEN], (uint64_t)fields[41]);
}

static void read_process(int pid, struct reading *reading)
{
	char path[64], *text;

	read_stat(pid, reading);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = slurp(path);
	reading->totals[VOLUNTARY] += number_behind(text, "\nvoluntary_ctxt_switches:", false);
	reading->totals[INVOLUNTARY] += number_behind(text, "\nnonvoluntary_ctxt_switches:", false);
	if (strstr(text, "\nCpus_allowed_list:"))
		see(&reading->seen[ALLOWED_SEEN], hash(strstr(text, "\nCpus_allowed_list:") + 1));
	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	text = slurp(path);
	reading->totals[WRITTEN] += number_behind(text, "wchar:", false);
	reading->totals[READ_CALLS] += number_behind(text, "syscr:", false);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	see(&reading->seen[CGROUPS_SEEN], hash(slurp(path)));
}

static void read_system(struct reading *reading)
{
	reading->totals[FORKS] = number_behind(slurp("/proc/stat"), "\nprocesses ", false);
	reading->totals[NET_RX] = number_behind(slurp("/proc/softirqs"), "NET_RX:", true);
	reading->totals[RESCHEDULES] = number_behind(slurp("/proc/interrupts"), "RES:", true);
	reading->totals[PAGES_MOVED] = number_behind(slurp("/proc/vmstat"), "\npgmigrate_success ", false);
}

static void read_all(const int *pids, size_t count, struct reading *reading)
{
	memset(reading->totals, 0, sizeof(reading->totals));
	for (size_t i = 0; i < count; i++)
		read_process(pids[i], reading);
	read_system(reading);
}

/* Runs enough whole groups for two workers a CPU; how far each counter moved. */
static bool measure(struct ktstr_ctx *ctx, const struct ktstr_work_type *type, uint64_t moved[COUNTERS])
{
	unsigned int group = ktstr_work_type_group_size(type);
	unsigned int cpus = ktstr_test_topology_total_cpus(ctx->topo);
	const struct ktstr_work_spec spec = { .type = *type, .workers = (2 * cpus + group - 1) / group * group };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .seed = ctx->seed };
	const struct timespec pause = { .tv_nsec = ROUND_MS * 1000000 / SAMPLES };
	struct ktstr_workload_handle *handle;
	struct reading first = { 0 }, last = { 0 };
	size_t count, reports_count;
	const int *pids;

	if (ktstr_fail_error(ctx, ktstr_workload_spawn(&config, &handle)))
		return false;
	pids = ktstr_workload_pids(handle, &count);
	ktstr_fail_error(ctx, ktstr_cgroup_move_tasks(ctx->cgroups, "pressed", pids, count));
	ktstr_fail_error(ctx, ktstr_workload_start(handle));
	nanosleep(&pause, NULL);
	read_all(pids, count, &first);
	for (int i = 0; i < SAMPLES; i++) {
		nanosleep(&pause, NULL);
		read_all(pids, count, &last);
	}
	ktstr_workload_stop_and_collect(handle, &reports_count);
	ktstr_workload_destroy(handle);
	for (int i = 0; i < COUNTERS; i++)
		moved[i] = i < NICE_SEEN ? last.totals[i] - first.totals[i] : last.seen[i].count;
	return true;
}

static void press_all(struct ktstr_ctx *ctx)
{
	const struct ktstr_work_type spin = KTSTR_WORK(SPIN_WAIT), sleep = KTSTR_WORK(TIMER_LATENCY, .interval_us = 20000);
	uint64_t control[COUNTERS], idle[COUNTERS], moved[COUNTERS];

	ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "pressed"));
	ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "beside"));
	if (!measure(ctx, &spin, control) || !measure(ctx, &sleep, idle))
		return;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		const char *name = ktstr_work_type_name(row->type.kind);
		/* User time is what a spinner has: a sleeper is the control for that. */
		uint64_t without = row->counter == CPU_TICKS ? idle[CPU_TICKS] : control[row->counter];

		if (!measure(ctx, &row->type, moved))
			return;
		ktstr_note(ctx, "%s: %llu %s, the control %llu", name, (unsigned long long)moved[row->counter],
			   counter_names[row->counter], (unsigned long long)without);
		if (moved[row->counter] < row->least || moved[row->counter] < 2 * without)
			ktstr_fail(ctx, "%s: %s moved by %llu, expected at least %llu and twice the control's %llu", name,
				   counter_names[row->counter], (unsigned long long)moved[row->counter],
				   (unsigned long long)row->least, (unsigned long long)without);
	}
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "pressed"));
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "beside"));
}

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");

KTSTR_TEST(pressure, .description = "the kernel's counters confirm what each work type presses",
	   .topology = { .numa_nodes = 2, .llcs = 2, .cores_per_llc = 2 }, .duration = KTSTR_SEC(60))
{
	press_all(ctx);
}

/* All types at once, a group each, as the seed decides. */
KTSTR_TEST(repeatable, .description = "all work types together, the same again with the same seed", .deterministic = true,
	   .topology = { .llcs = 2, .cores_per_llc = 1 }, .duration = KTSTR_MS(300))
{
	struct ktstr_work_spec specs[ROWS];
	size_t count = 0;

	for (size_t i = 0; i < ROWS; i++) {
		/* Real-time spinners would leave nothing to the others. */
		if (rows[i].type.kind == KTSTR_WORK_RT_STARVATION || rows[i].type.kind == KTSTR_WORK_PRIORITY_INVERSION)
			continue;
		specs[count++] = (struct ktstr_work_spec){
			.type = rows[i].type,
			.workers = ktstr_work_type_group_size(&rows[i].type),
		};
	}
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "all", .workers = 1, .works = specs, .works_count = count }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, gt, 60u);
}
