// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does each work type press what it says? Asked not of the worker but of the kernel: context switches, faults, forks,
 * softirqs, scheduler statistics, its own trace events, what /proc says the task's class or nice is. A row is a type, a
 * counter and how far it must move, in whatever time. It must also move at least twice as fast as under a control that
 * does not press it: most counters stand still there, however busy the host is.
 */
#include <ktstr.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLE_MS = 20, CONTROL_MS = 200, LIMIT_MS = 60000, SEEN_MAX = 64 };

enum counter {
	CPU_TICKS, /* user time of the workers */
	VOLUNTARY, /* context switches of the workers: they blocked */
	FAULTS, /* minor */
	WRITTEN, /* bytes through write() */
	READ_CALLS,
	FORKS, /* from here on of the system */
	NET_RX, /* softirqs */
	PAGES_MOVED, /* between nodes */
	YIELDS, /* from /proc/schedstat */
	IDLES,
	WAKEUPS,
	SIGNALS, /* from here on events of the kernel's tracer */
	BOOSTS,
	ATTACHES,
	MIGRATIONS,
	NICE_SEEN, /* different values that samples of the workers showed, from here on */
	CLASSES_SEEN,
	PRIORITIES_SEEN, /* of real-time tasks */
	ALLOWED_SEEN, /* different affinities */
	COUNTERS,
};

static const struct {
	const char *name, *event, *filter;
} counters[COUNTERS] = {
	[CPU_TICKS] = { "user time" },
	[VOLUNTARY] = { "voluntary switches" },
	[FAULTS] = { "minor faults" },
	[WRITTEN] = { "bytes written" },
	[READ_CALLS] = { "read calls" },
	[FORKS] = { "forks" },
	[NET_RX] = { "NET_RX softirqs" },
	[PAGES_MOVED] = { "pages moved" },
	[YIELDS] = { "sched_yield() calls" },
	[IDLES] = { "entries to idle" },
	[WAKEUPS] = { "wakeups" },
	[SIGNALS] = { "signals delivered", "signal/signal_deliver", "sig == 12" },
	[BOOSTS] = { "priority inheritances", "sched/sched_pi_setprio", NULL },
	[ATTACHES] = { "moves between cgroups", "cgroup/cgroup_attach_task", NULL },
	[MIGRATIONS] = { "migrations of workers", "sched/sched_migrate_task", "comm ~ \"worker/*\"" },
	[NICE_SEEN] = { "nice values" },
	[CLASSES_SEEN] = { "policies" },
	[PRIORITIES_SEEN] = { "real-time priorities" },
	[ALLOWED_SEEN] = { "affinities" },
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

/* Real-time workers that never sleep get a CPU each, and leave one to the others: more of them would only starve. */
static const struct row {
	struct ktstr_work_type type;
	enum counter counter;
	uint64_t least; /* of all workers together, sooner or later */
	unsigned int groups; /* 0 = enough for two workers a CPU */
} rows[] = {
	{ KTSTR_WORK(SPIN_WAIT), CPU_TICKS, 20 },
	{ KTSTR_WORK(YIELD_HEAVY), YIELDS, 1000 },
	{ KTSTR_WORK(MIXED), YIELDS, 100 },
	{ KTSTR_WORK(IO_SYNC_WRITE), WRITTEN, 1 << 20 },
	{ KTSTR_WORK(IO_RAND_READ), READ_CALLS, 500 },
	{ KTSTR_WORK(IO_CONVOY), READ_CALLS, 500 },
	{ KTSTR_WORK(BURSTY, .burst = KTSTR_MS(2), .sleep = KTSTR_MS(5)), VOLUNTARY, 100 },
	{ KTSTR_WORK(PIPE_IO), WAKEUPS, 200 },
	{ KTSTR_WORK(FUTEX_PING_PONG), WAKEUPS, 200 },
	{ KTSTR_WORK(CACHE_PRESSURE), CPU_TICKS, 20 },
	{ KTSTR_WORK(CACHE_YIELD), YIELDS, 100 },
	{ KTSTR_WORK(CACHE_PIPE), WAKEUPS, 200 },
	{ KTSTR_WORK(FUTEX_FAN_OUT), WAKEUPS, 200 },
	{ KTSTR_WORK(FAN_OUT_COMPUTE, .cache_footprint_kib = 4), VOLUNTARY, 100 },
	{ { .kind = KTSTR_WORK_SEQUENCE, .SEQUENCE = { phases, 3 } }, WRITTEN, 1 << 18 },
	{ KTSTR_WORK(FORK_EXIT), FORKS, 20 },
	{ KTSTR_WORK(NICE_SWEEP), NICE_SEEN, 10 },
	{ KTSTR_WORK(AFFINITY_CHURN), MIGRATIONS, 100 },
	{ KTSTR_WORK(CROSS_AFFINITY_CHURN), ALLOWED_SEEN, 2 },
	{ KTSTR_WORK(POLICY_CHURN), CLASSES_SEEN, 4 },
	{ KTSTR_WORK(PAGE_FAULT_CHURN), FAULTS, 5000 },
	{ KTSTR_WORK(MUTEX_CONTENTION), WAKEUPS, 50 },
	{ KTSTR_WORK(THUNDERING_HERD), WAKEUPS, 200 },
	{ KTSTR_WORK(PRIORITY_INVERSION), PRIORITIES_SEEN, 3, 1 },
	{ KTSTR_WORK(PRIORITY_INVERSION, .lock = KTSTR_LOCK_PI), BOOSTS, 4, 1 },
	{ KTSTR_WORK(PRODUCER_CONSUMER_IMBALANCE), VOLUNTARY, 100 },
	{ KTSTR_WORK(RT_STARVATION), CLASSES_SEEN, 2, 1 },
	{ KTSTR_WORK(ASYMMETRIC_WAKER, .waker_class = KTSTR_CLASS_BATCH), CLASSES_SEEN, 2 },
	{ KTSTR_WORK(WAKE_CHAIN), WAKEUPS, 200 },
	{ KTSTR_WORK(WAKE_CHAIN, .wake = KTSTR_WAKE_FUTEX), WAKEUPS, 200 },
	{ KTSTR_WORK(NUMA_WORKING_SET_SWEEP, .nodes = 3, .sweep_period = KTSTR_MS(10)), PAGES_MOVED, 1000 },
	{ KTSTR_WORK(NUMA_MIGRATION_CHURN, .period = KTSTR_MS(20)), ALLOWED_SEEN, 2 },
	{ KTSTR_WORK(CGROUP_CHURN, .cycle = KTSTR_MS(20)), ATTACHES, 16 },
	{ KTSTR_WORK(CGROUP_ATTACH_STORM, .dest = "beside"), ATTACHES, 10 },
	{ KTSTR_WORK(SIGNAL_STORM), SIGNALS, 200 },
	{ KTSTR_WORK(PREEMPT_STORM), CLASSES_SEEN, 2 },
	{ KTSTR_WORK(EPOLL_STORM), READ_CALLS, 500 },
	{ KTSTR_WORK(IDLE_CHURN), IDLES, 50 },
	{ KTSTR_WORK(TIMER_LATENCY), VOLUNTARY, 100 },
	{ KTSTR_WORK(ALU_HOT), CPU_TICKS, 20 },
	{ KTSTR_WORK(SMT_SIBLING_SPIN), CPU_TICKS, 20 },
	{ KTSTR_WORK(IPC_VARIANCE), CPU_TICKS, 20 },
	{ KTSTR_WORK(NET_TRAFFIC), NET_RX, 300 },
	{ KTSTR_WORK(IRQ_WAKE), NET_RX, 300 },
	{ KTSTR_WORK(SCHBENCH, .cache_footprint_kib = 4), WAKEUPS, 200 },
	{ KTSTR_WORK(TAOBENCH, .cache_capacity_mib = 1), WAKEUPS, 200 },
	{ KTSTR_WORK(CUSTOM, .name = "fault", .fn = fault), FAULTS, 5000 },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Classes alone would also be seen of workers that never wake each other, or never sleep. */
static const struct row more_rows[] = {
	{ KTSTR_WORK(PREEMPT_STORM), VOLUNTARY, 100 },
	{ KTSTR_WORK(ASYMMETRIC_WAKER, .waker_class = KTSTR_CLASS_BATCH), WAKEUPS, 200 },
};

enum { MORE_ROWS = sizeof(more_rows) / sizeof(more_rows[0]) };

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
	if (strstr(text, "\nCpus_allowed_list:"))
		see(&reading->seen[ALLOWED_SEEN], hash(strstr(text, "\nCpus_allowed_list:") + 1));
	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	text = slurp(path);
	reading->totals[WRITTEN] += number_behind(text, "wchar:", false);
	reading->totals[READ_CALLS] += number_behind(text, "syscr:", false);
}

/* Per CPU: "cpu0 <yields> 0 <schedules> <of them to idle> <wakeups> ..." (kernel/sched/stats.c). */
static void read_schedstat(struct reading *reading)
{
	char *rest = slurp("/proc/schedstat"), *line;

	while ((line = strsep(&rest, "\n"))) {
		unsigned long long yields, idles, wakeups;

		if (sscanf(line, "cpu%*u %llu %*u %*u %llu %llu", &yields, &idles, &wakeups) != 3)
			continue;
		reading->totals[YIELDS] += yields;
		reading->totals[IDLES] += idles;
		reading->totals[WAKEUPS] += wakeups;
	}
}

#define TRACER "/sys/kernel/tracing/instances/ktstr-pressure"

static bool put(struct ktstr_ctx *ctx, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!done)
		ktstr_fail(ctx, "cannot write \"%s\" to %s: %s", text, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return done;
}

static void trace(struct ktstr_ctx *ctx, enum counter counter, bool on)
{
	char path[160];

	if (!counters[counter].event)
		return;
	if (on && counters[counter].filter) {
		snprintf(path, sizeof(path), TRACER "/events/%s/filter", counters[counter].event);
		put(ctx, path, counters[counter].filter);
	}
	snprintf(path, sizeof(path), TRACER "/events/%s/enable", counters[counter].event);
	put(ctx, path, on ? "1" : "0");
}

/* Written so far, whether they are still in the buffers or not. */
static uint64_t traced(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	uint64_t sum = 0;

	for (long cpu = 0; cpu < cpus; cpu++) {
		char path[96], *text;

		snprintf(path, sizeof(path), TRACER "/per_cpu/cpu%ld/stats", cpu);
		text = slurp(path);
		sum += number_behind(text, "entries: ", false) + number_behind(text, "overrun: ", false);
	}
	return sum;
}

static void read_system(enum counter counter, struct reading *reading)
{
	reading->totals[FORKS] = number_behind(slurp("/proc/stat"), "\nprocesses ", false);
	reading->totals[NET_RX] = number_behind(slurp("/proc/softirqs"), "NET_RX:", true);
	reading->totals[PAGES_MOVED] = number_behind(slurp("/proc/vmstat"), "\npgmigrate_success ", false);
	read_schedstat(reading);
	if (counters[counter].event)
		reading->totals[counter] = traced();
}

static void read_all(const int *pids, size_t count, enum counter counter, struct reading *reading)
{
	memset(reading->totals, 0, sizeof(reading->totals));
	for (size_t i = 0; i < count; i++)
		read_process(pids[i], reading);
	read_system(counter, reading);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What a counter does without the work: how far, in which time. */
struct control {
	uint64_t moved, elapsed_ms;
};

/* What only grows is compared by its rate, what was seen by how much. */
static bool pressed(enum counter counter, uint64_t moved, uint64_t elapsed_ms, const struct control *without)
{
	if (counter >= NICE_SEEN)
		return moved >= 2 * without->moved;
	return moved * without->elapsed_ms >= 2 * without->moved * elapsed_ms;
}

static uint64_t moved_by(enum counter counter, const struct reading *first, const struct reading *last)
{
	return counter < NICE_SEEN ? last->totals[counter] - first->totals[counter] : last->seen[counter].count;
}

/*
 * Runs the row's groups until the counter has moved far enough, however slow the machine is;
 * without a control for CONTROL_MS. Says how far it moved and in which time.
 */
static struct control measure(struct ktstr_ctx *ctx, const struct row *row, const struct control *without)
{
	unsigned int group = ktstr_work_type_group_size(&row->type);
	unsigned int cpus = ktstr_test_topology_total_cpus(ctx->topo);
	unsigned int groups = row->groups ? row->groups : (2 * cpus + group - 1) / group;
	const struct ktstr_work_spec spec = { .type = row->type, .workers = groups * group };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .seed = ctx->seed };
	const struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000 };
	struct ktstr_workload_handle *handle;
	struct reading first = { 0 }, last = { 0 };
	struct control result = { 0, 1 };
	size_t count, reports_count;
	uint64_t began;
	const int *pids;

	if (ktstr_fail_error(ctx, ktstr_workload_spawn(&config, &handle)))
		return result;
	pids = ktstr_workload_pids(handle, &count);
	ktstr_fail_error(ctx, ktstr_cgroup_move_tasks(ctx->cgroups, "pressed", pids, count));
	trace(ctx, row->counter, true);
	ktstr_fail_error(ctx, ktstr_workload_start(handle));
	nanosleep(&pause, NULL);
	read_all(pids, count, row->counter, &first);
	began = now_ms();
	do {
		nanosleep(&pause, NULL);
		read_all(pids, count, row->counter, &last);
		result = (struct control){ moved_by(row->counter, &first, &last), now_ms() - began };
		if (without && result.moved >= row->least &&
		    pressed(row->counter, result.moved, result.elapsed_ms, without))
			break;
	} while (result.elapsed_ms < (without ? LIMIT_MS : CONTROL_MS));
	trace(ctx, row->counter, false);
	ktstr_workload_stop_and_collect(handle, &reports_count);
	ktstr_workload_destroy(handle);
	return result;
}

/* User time is what a spinner has: a sleeper is the control for that. */
static struct control control_of(struct ktstr_ctx *ctx, enum counter counter)
{
	static struct control known[COUNTERS];
	const struct row spin = { KTSTR_WORK(SPIN_WAIT), counter, 0, 0 };
	const struct row sleep = { KTSTR_WORK(TIMER_LATENCY, .interval_us = 20000), counter, 0, 0 };

	if (!known[counter].elapsed_ms)
		known[counter] = measure(ctx, counter == CPU_TICKS ? &sleep : &spin, NULL);
	return known[counter];
}

static bool prepare(struct ktstr_ctx *ctx)
{
	if (mkdir(TRACER, 0755) && errno != EEXIST)
		ktstr_fail(ctx, "cannot make %s: %s", TRACER, strerror(errno));
	put(ctx, TRACER "/buffer_size_kb", "64");
	return put(ctx, "/proc/sys/kernel/sched_schedstats", "1") &&
	       !ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "pressed")) &&
	       !ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "beside"));
}

/* A type that is added to ktstr is added here. */
static void expect_all_kinds(struct ktstr_ctx *ctx)
{
	for (unsigned int kind = 0; kind < KTSTR_WORK_KINDS; kind++) {
		bool found = false;

		for (size_t i = 0; i < ROWS; i++)
			found |= rows[i].type.kind == kind;
		if (!found)
			ktstr_fail(ctx, "%s has no row", ktstr_work_type_name((enum ktstr_work_kind)kind));
	}
}

static void press(struct ktstr_ctx *ctx, const struct row *row)
{
	const char *name = ktstr_work_type_name(row->type.kind), *counter = counters[row->counter].name;
	struct control without = control_of(ctx, row->counter), with = measure(ctx, row, &without);

	ktstr_note(ctx, "%s: %llu %s in %llu ms, the control %llu in %llu ms", name, (unsigned long long)with.moved, counter,
		   (unsigned long long)with.elapsed_ms, (unsigned long long)without.moved,
		   (unsigned long long)without.elapsed_ms);
	if (with.moved < row->least || !pressed(row->counter, with.moved, with.elapsed_ms, &without))
		ktstr_fail(ctx, "%s: %llu %s in %llu ms, expected at least %llu and twice the control's %llu in %llu ms", name,
			   (unsigned long long)with.moved, counter, (unsigned long long)with.elapsed_ms,
			   (unsigned long long)row->least, (unsigned long long)without.moved,
			   (unsigned long long)without.elapsed_ms);
}

static void press_all(struct ktstr_ctx *ctx)
{
	expect_all_kinds(ctx);
	if (!prepare(ctx))
		return;
	for (size_t i = 0; i < ROWS; i++)
		press(ctx, &rows[i]);
	for (size_t i = 0; i < MORE_ROWS; i++)
		press(ctx, &more_rows[i]);
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "pressed"));
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "beside"));
}

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");

KTSTR_TEST(pressure, .description = "the kernel's counters confirm what each work type presses",
	   .topology = { .numa_nodes = 2, .llcs = 2, .cores_per_llc = 2 }, .memory_mib = 1024, .duration = KTSTR_SEC(300))
{
	press_all(ctx);
}

/* Real-time workers that never sleep would leave nothing to the others. */
static bool starves_others(const struct row *row)
{
	return row->type.kind == KTSTR_WORK_RT_STARVATION || row->type.kind == KTSTR_WORK_PRIORITY_INVERSION;
}

/* A group of each type that starves others, or of each that does not. */
static size_t pick_works(bool starving, struct ktstr_work_spec specs[ROWS])
{
	size_t count = 0;

	for (size_t i = 0; i < ROWS; i++)
		if (starves_others(&rows[i]) == starving)
			specs[count++] = (struct ktstr_work_spec){
				.type = rows[i].type,
				.workers = ktstr_work_type_group_size(&rows[i].type),
			};
	return count;
}

/* All types, a group each, as the seed decides. */
KTSTR_TEST(repeatable, .description = "all work types together, the same again with the same seed", .deterministic = true,
	   .duration = KTSTR_MS(400))
{
	struct ktstr_work_spec mild[ROWS], starving[ROWS];
	size_t mild_count = pick_works(false, mild), starving_count = pick_works(true, starving);

	KTSTR_EXECUTE(ctx, KTSTR_STEPS({ KTSTR_DEFS({ .name = "all", .works = mild, .works_count = mild_count }),
					 .hold = ktstr_hold_frac(.75) },
				       { KTSTR_DEFS({ .name = "rt", .works = starving, .works_count = starving_count }),
					 .hold = ktstr_hold_frac(.25) }));
	KTSTR_CLAIM(ctx, ktstr_stats(ctx)->total_workers, gt, 60u);
	KTSTR_CLAIM(ctx, starving_count, eq, 3u);
}
