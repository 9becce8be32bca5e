// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers and cgroups in a guest, by what its kernel says about them: many of them at once, every knob and attribute,
 * and workloads that would take a machine down.
 */
#include <ktstr.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GUEST .topology = { .numa_nodes = 2, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 1 }, .memory_mib = 1024

static void pause_ms(unsigned int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	nanosleep(&pause, NULL);
}

/* The number behind key in a file, -1 when there is none. */
static long long number_in(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	long long value = -1;
	char line[4096];

	while (file && value < 0 && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, key);

		if (at)
			value = atoll(at + strlen(key));
	}
	if (file)
		fclose(file);
	return value;
}

static long long cgroup_number(struct ktstr_ctx *ctx, const char *cgroup, const char *file, const char *key)
{
	long long value = -1;
	char *path = NULL;

	if (!ktstr_fail_error(ctx, ktstr_cgroup_file(ctx->cgroups, cgroup, file, &path)))
		value = number_in(path, key);
	free(path);
	return value;
}

/* Runs the definition's workers in its cgroup; the handle is the caller's. NULL after a failure. */
static struct ktstr_workload_handle *begin(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *def)
{
	const struct ktstr_cgroup_scope scope = { .topo = ctx->topo, .workers_per_cgroup = 2 };
	struct ktstr_workload_config config = {
		.label = def->name,
		.topo = ctx->topo,
		.cpus = ktstr_cgroup_def_cpus(def, ctx->topo),
		.mems = ktstr_cgroup_def_mems(def, ctx->topo),
		.seed = ctx->seed,
	};
	struct ktstr_workload_handle *handle = NULL;
	struct ktstr_work_spec *specs;
	const int *pids;
	size_t count;

	if (ktstr_fail_error(ctx, ktstr_cgroup_def_validate(def, &scope)) ||
	    ktstr_fail_error(ctx, ktstr_cgroup_def_apply(ctx->cgroups, def, ctx->topo)))
		return NULL;
	config.specs = specs = ktstr_cgroup_def_works(def, &scope, &config.specs_count);
	if (!ktstr_fail_error(ctx, ktstr_workload_spawn(&config, &handle))) {
		pids = ktstr_workload_pids(handle, &count);
		ktstr_fail_error(ctx, ktstr_cgroup_move_tasks(ctx->cgroups, def->name, pids, count));
	}
	free(specs);
	return handle;
}

static struct ktstr_workload_handle *run(struct ktstr_ctx *ctx, const struct ktstr_cgroup_def *def)
{
	struct ktstr_workload_handle *handle = begin(ctx, def);

	if (handle)
		ktstr_fail_error(ctx, ktstr_workload_start(handle));
	return handle;
}

static void end(struct ktstr_ctx *ctx, struct ktstr_workload_handle *handle, const char *cgroup)
{
	ktstr_workload_destroy(handle);
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, cgroup));
}

/* ---- a thousand ---- */

enum { CGROUPS = 50, EACH = 20 };

static unsigned int completed(struct ktstr_workload_handle *handle)
{
	size_t count;
	const struct ktstr_worker_report *reports = ktstr_workload_stop_and_collect(handle, &count);
	unsigned int done = 0;

	for (size_t i = 0; i < count; i++)
		done += reports[i].exit == KTSTR_WORKER_COMPLETED;
	return done;
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

/*
 * Half of them wake each other all the time and fill their reservoirs. Done = a thousand reports, none of a worker that
 * was lost, no process left, no cgroup left.
 */
KTSTR_TEST(thousand, .description = "1,000 workers in 50 cgroups start, run, stop and are reaped in 1 GiB", GUEST,
	   .duration = KTSTR_SEC(300))
{
	struct ktstr_workload_handle *handles[CGROUPS] = { 0 };
	long long before = number_in("/proc/meminfo", "MemAvailable:"), during,
		  processes = number_in("/proc/loadavg", "/");
	char names[CGROUPS][16];
	unsigned int done = 0, left = 0;
	struct timespec began;
	double started;

	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < CGROUPS; i++) {
		struct ktstr_cgroup_def def = { .name = names[i], .workers = EACH };

		snprintf(names[i], sizeof(names[i]), "many-%d", i);
		if (i % 2)
			def.work = KTSTR_WORK(PIPE_IO, .burst_iters = 64);
		handles[i] = begin(ctx, &def);
	}
	for (int i = 0; i < CGROUPS; i++)
		if (handles[i])
			ktstr_fail_error(ctx, ktstr_workload_start(handles[i]));
	started = seconds_since(&began);
	pause_ms(2000);
	during = number_in("/proc/meminfo", "MemAvailable:");
	for (int i = 0; i < CGROUPS; i++)
		if (handles[i])
			ktstr_workload_stop(handles[i]);
	for (int i = 0; i < CGROUPS; i++) {
		done += handles[i] ? completed(handles[i]) : 0;
		end(ctx, handles[i], names[i]);
		left += ktstr_cgroup_exists(ctx->cgroups, names[i]);
	}
	ktstr_note(ctx, "all running after %.1f s, %lld KiB of memory taken, stopped and reaped after %.1f s", started,
		   before - during, seconds_since(&began) - started - 2);
	KTSTR_CLAIM(ctx, done, eq, (unsigned int)(CGROUPS * EACH));
	KTSTR_CLAIM(ctx, left, eq, 0u);
	KTSTR_CLAIM(ctx, number_in("/proc/loadavg", "/") - processes, lt, 20ll);
}

/* ---- workloads that would take a machine down ---- */

static void fork_bomb(const struct ktstr_worker_ctx *ctx)
{
	ktstr_worker_progress(ctx, 1);
	while (!ktstr_worker_should_stop(ctx))
		if (fork() == 0)
			for (;;)
				fork();
}

static void memory_hog(const struct ktstr_worker_ctx *ctx)
{
	ktstr_worker_progress(ctx, 1);
	for (;;) {
		char *more = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (more != MAP_FAILED)
			memset(more, 1, 16 << 20);
	}
}

#define BOMB(NAME, FN)                                                                         \
	{                                                                                      \
		.name = NAME, .workers = 2, .work = KTSTR_WORK(CUSTOM, .name = NAME, .fn = FN) \
	}

/* Whether new processes can be had and reaped, and a cgroup made and filled: what the harness lives on. */
static void expect_well(struct ktstr_ctx *ctx)
{
	const struct ktstr_cgroup_def def = { .name = "after", .workers = 2 };
	struct ktstr_workload_handle *handle = run(ctx, &def);

	if (!handle)
		return;
	pause_ms(100);
	KTSTR_CLAIM(ctx, completed(handle), eq, 2u);
	end(ctx, handle, "after");
}

#define TASKS_LIMIT KTSTR_CGROUP_DEFAULT_PARENT "/pids.max"

/* The agent's limit is there; lowered, so that a slow machine meets it soon. */
static void lower_tasks_limit(struct ktstr_ctx *ctx, const char *limit)
{
	FILE *file;

	KTSTR_CLAIM(ctx, number_in(TASKS_LIMIT, ""), gt, 100ll);
	KTSTR_CLAIM(ctx, number_in(TASKS_LIMIT, ""), lt, number_in("/proc/sys/kernel/threads-max", ""));
	file = fopen(TASKS_LIMIT, "we");
	if (!file || fputs(limit, file) < 0 || fclose(file))
		ktstr_fail(ctx, "cannot write to %s: %s", TASKS_LIMIT, strerror(errno));
}

KTSTR_TEST(fork_bombs, .description = "workers that fork without end hit the limit of their cgroup, not the agent",
	   GUEST, .duration = KTSTR_SEC(120))
{
	const struct ktstr_cgroup_def bomb = BOMB("bomb", fork_bomb);
	struct ktstr_workload_handle *handle;
	long long hits = 0;

	lower_tasks_limit(ctx, "200");
	handle = run(ctx, &bomb);
	for (int i = 0; i < 600 && hits <= 0; i++) {
		pause_ms(100);
		hits = number_in(KTSTR_CGROUP_DEFAULT_PARENT "/pids.events", "max ");
	}
	ktstr_note(ctx, "the limit of tasks was hit %lld times", hits);
	KTSTR_CLAIM(ctx, hits, gt, 0ll);
	if (handle)
		end(ctx, handle, "bomb");
	expect_well(ctx);
}

KTSTR_TEST(memory_hogs, .description = "workers that eat all memory are killed; agent, harness and others are not",
	   GUEST, .duration = KTSTR_SEC(120))
{
	const struct ktstr_cgroup_def hog = BOMB("hog", memory_hog);
	const struct ktstr_cgroup_def quiet = { .name = "quiet",
						.workers = 1,
						.work = KTSTR_WORK(TIMER_LATENCY, .interval_us = 10000) };
	struct ktstr_workload_handle *calm = run(ctx, &quiet), *handle = run(ctx, &hog);
	const struct ktstr_worker_report *reports;
	size_t count;

	for (int i = 0; i < 600 && number_in(KTSTR_CGROUP_DEFAULT_PARENT "/memory.events", "oom_kill ") < 2; i++)
		pause_ms(100);
	KTSTR_CLAIM(ctx, number_in(KTSTR_CGROUP_DEFAULT_PARENT "/memory.events", "oom_kill "), at_least, 2ll);
	if (handle && calm) {
		reports = ktstr_workload_stop_and_collect(handle, &count);
		for (size_t i = 0; i < count; i++) {
			KTSTR_CLAIM(ctx, (int)reports[i].exit, eq, (int)KTSTR_WORKER_SIGNALED);
			KTSTR_CLAIM(ctx, reports[i].exit_code, eq, 9);
		}
		KTSTR_CLAIM(ctx, completed(calm), eq, 1u);
		end(ctx, calm, "quiet");
		end(ctx, handle, "hog");
	}
	KTSTR_CLAIM(ctx, number_in("/proc/1/oom_score_adj", ""), eq, -1000ll);
	expect_well(ctx);
}

/* ---- knobs ---- */

static uint64_t iterations(const struct ktstr_workload_handle *handle)
{
	uint64_t counters[8] = { 0 }, sum = 0;

	ktstr_workload_snapshot_iterations(handle, counters);
	for (size_t i = 0; i < 8; i++)
		sum += counters[i];
	return sum;
}

static bool each_has_iterated(const struct ktstr_workload_handle *handle, size_t workers)
{
	uint64_t counters[8] = { 0 };

	ktstr_workload_snapshot_iterations(handle, counters);
	for (size_t i = 0; i < workers; i++)
		if (!counters[i])
			return false;
	return true;
}

/* For a minute at most. */
static void until_each_has_iterated(const struct ktstr_workload_handle *handle, size_t workers)
{
	for (int i = 0; i < 1200 && !each_has_iterated(handle, workers); i++)
		pause_ms(50);
}

static void quota(struct ktstr_ctx *ctx)
{
	const struct ktstr_cgroup_def def = {
		.name = "quota", .workers = 2, .cpu = { .quota_pct = 20, .weight = 50 }, .io_weight = 70
	};
	struct ktstr_workload_handle *handle;
	struct timespec began;

	clock_gettime(CLOCK_MONOTONIC, &began);
	handle = run(ctx, &def);
	if (!handle)
		return;
	for (int i = 0; i < 600 && cgroup_number(ctx, "quota", "cpu.stat", "nr_throttled ") < 5; i++)
		pause_ms(100);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "quota", "cpu.stat", "nr_throttled "), gt, 1ll);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "quota", "cpu.max", ""), eq, 20000ll);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "quota", "cpu.weight", ""), eq, 50ll);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "quota", "io.weight", "default "), eq, 70ll);
	ktstr_workload_destroy(handle);
	handle = NULL;
	/* 20 % of one CPU; what a CPU that stood still for a while was charged is paid back in the periods that follow. */
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "quota", "cpu.stat", "usage_usec "), lt,
		    (long long)(seconds_since(&began) * 200000) + 200000);
	end(ctx, handle, "quota");
}

static void memory(struct ktstr_ctx *ctx)
{
	const struct ktstr_cgroup_def def = {
		.name = "memory",
		.workers = 1,
		.work = KTSTR_WORK(CUSTOM, .name = "hog", .fn = memory_hog),
		.memory = { .max = KTSTR_SOME(64 << 20), .high = KTSTR_SOME(96 << 20), .low = KTSTR_SOME(1 << 20) },
		.pids_max = 7,
	};
	struct ktstr_workload_handle *handle = run(ctx, &def);

	for (int i = 0; i < 1200 && cgroup_number(ctx, "memory", "memory.events", "oom_kill ") < 1; i++)
		pause_ms(50);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "memory", "memory.events", "oom_kill "), at_least, 1ll);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "memory", "memory.high", ""), eq, 96ll << 20);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "memory", "memory.low", ""), eq, 1ll << 20);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "memory", "pids.max", ""), eq, 7ll);
	end(ctx, handle, "memory");
}

/* Frozen workers stand still, and the cgroup below a frozen one with them; removal thaws. */
static void freezer(struct ktstr_ctx *ctx)
{
	const struct ktstr_cgroup_def def = { .name = "up/down", .workers = 2, .cpuset = ktstr_cpuset_llc(1) };
	struct ktstr_workload_handle *handle = run(ctx, &def);
	uint64_t before;

	if (!handle)
		return;
	until_each_has_iterated(handle, def.workers);
	ktstr_fail_error(ctx, ktstr_cgroup_freeze(ctx->cgroups, "up"));
	for (int i = 0; i < 3000 && cgroup_number(ctx, "up/down", "cgroup.events", "frozen ") != 1; i++)
		pause_ms(20);
	KTSTR_CLAIM(ctx, cgroup_number(ctx, "up/down", "cgroup.events", "frozen "), eq, 1ll);
	before = iterations(handle);
	pause_ms(200);
	KTSTR_CLAIM(ctx, iterations(handle) - before, eq, (uint64_t)0);
	ktstr_fail_error(ctx, ktstr_cgroup_unfreeze(ctx->cgroups, "up"));
	for (int i = 0; i < 1200 && iterations(handle) == before; i++)
		pause_ms(50);
	KTSTR_CLAIM(ctx, iterations(handle) - before, gt, (uint64_t)0);
	ktstr_fail_error(ctx, ktstr_cgroup_freeze(ctx->cgroups, "up/down"));
	end(ctx, handle, "up/down");
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "up"));
}

static void expect_error(struct ktstr_ctx *ctx, struct ktstr_error *error, const char *const *parts)
{
	for (; *parts; parts++)
		if (!strstr(ktstr_error_message(error), *parts))
			ktstr_fail(ctx, "the error \"%s\" lacks \"%s\"", ktstr_error_message(error), *parts);
	ktstr_error_free(error);
}

/* File, value and the kernel's answer. */
static void answers(struct ktstr_ctx *ctx)
{
	struct ktstr_cpus far = { 0 };

	ktstr_fail_error(ctx, ktstr_cgroup_create(ctx->cgroups, "answers"));
	ktstr_cpus_add(&far, 900);
	expect_error(ctx, ktstr_cgroup_set_cpuset(ctx->cgroups, "answers", &far),
		     (const char *const[]){ "\"900\"", "/answers/cpuset.cpus", strerror(ERANGE), NULL });
	expect_error(ctx, ktstr_cgroup_set_cpu_weight(ctx->cgroups, "answers", 20000),
		     (const char *const[]){ "\"20000\"", "/answers/cpu.weight", strerror(ERANGE), NULL });
	expect_error(ctx, ktstr_cgroup_set_io_weight(ctx->cgroups, "answers", 20000),
		     (const char *const[]){ "20000\"", "/answers/io.weight", strerror(EINVAL), NULL });
	expect_error(ctx, ktstr_cgroup_set_memory_max(ctx->cgroups, "none", (struct ktstr_opt_u64)KTSTR_SOME(1)),
		     (const char *const[]){ "\"1\"", "/none/memory.max", strerror(ENOENT), NULL });
	expect_error(ctx, ktstr_cgroup_move_tasks(ctx->cgroups, "answers", &(int){ 99999999 }, 1),
		     (const char *const[]){ "none of the 1 processes", NULL });
	ktstr_fail_error(ctx, ktstr_cgroup_remove(ctx->cgroups, "answers"));
}

/* ---- attributes ---- */

static int stat_field(int pid, int number)
{
	char path[64], text[1024] = "";
	FILE *file;
	char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	at = file && fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
	if (file)
		fclose(file);
	for (int field = 2; at && field < number; field++)
		at = strchr(at + 1, ' ');
	return at ? atoi(at + 1) : -1;
}

static void status_text(int pid, const char *key, char *out, size_t size)
{
	char path[64], line[512];
	FILE *file;

	*out = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, key, strlen(key)))
			snprintf(out, size, "%.*s", (int)size - 1, line + strlen(key));
	}
	if (file)
		fclose(file);
}

/* Policies by their numbers in the kernel, read back from it; priorities by field 40 of /proc/PID/stat. */
static void policies(struct ktstr_ctx *ctx)
{
	static const struct {
		struct ktstr_sched_policy policy;
		int number, priority;
	} rows[] = {
		{ { .kind = KTSTR_POLICY_NORMAL }, SCHED_OTHER, 0 },
		{ { .kind = KTSTR_POLICY_BATCH }, SCHED_BATCH, 0 },
		{ { .kind = KTSTR_POLICY_IDLE }, SCHED_IDLE, 0 },
		{ { .kind = KTSTR_POLICY_FIFO, .priority = 120 }, SCHED_FIFO, 99 },
		{ { .kind = KTSTR_POLICY_RR, .priority = 3 }, SCHED_RR, 3 },
		{ { .kind = KTSTR_POLICY_DEADLINE, .runtime = KTSTR_MS(1), .deadline = KTSTR_MS(10) }, 6, 0 },
		{ { .kind = KTSTR_POLICY_EXT }, 7, 0 },
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct ktstr_work_spec works[ROWS];
	const struct ktstr_cgroup_def def = { .name = "policies", .works = works, .works_count = ROWS };
	struct ktstr_workload_handle *handle;
	const int *pids;
	size_t count;

	for (size_t i = 0; i < ROWS; i++)
		works[i] = (struct ktstr_work_spec){ .type = KTSTR_WORK(TIMER_LATENCY, .interval_us = 5000),
						     .workers = 1,
						     .sched_policy = rows[i].policy };
	handle = run(ctx, &def);
	if (!handle)
		return;
	until_each_has_iterated(handle, ROWS);
	pids = ktstr_workload_pids(handle, &count);
	for (size_t i = 0; i < ROWS; i++) {
		int number = stat_field(pids[i], 41), priority = stat_field(pids[i], 40);

		if (number != rows[i].number || priority != rows[i].priority)
			ktstr_fail(ctx, "policy %s: the kernel has %d with priority %d, expected %d with %d",
				   ktstr_sched_policy_name(rows[i].policy.kind), number, priority, rows[i].number,
				   rows[i].priority);
	}
	KTSTR_CLAIM(ctx, completed(handle), eq, (unsigned int)ROWS);
	end(ctx, handle, "policies");
}

/* CPUs of the workers as the kernel lists them. LLC 0 = node 0 = CPUs 0-1, LLC 1 = node 1 = CPUs 2-3. */
static void placements(struct ktstr_ctx *ctx)
{
	static const struct ktstr_work_type work = KTSTR_WORK(TIMER_LATENCY, .interval_us = 5000);
	const struct ktstr_work_spec works[] = {
		{ .type = work, .workers = 1, .affinity = ktstr_affinity_llc_aligned() },
		{ .type = work, .workers = 1, .affinity = ktstr_affinity_single_cpu() },
		{ .type = work, .workers = 1, .numa_node = KTSTR_SOME(1) },
		{ .type = work, .workers = 1, .affinity = ktstr_affinity_cross_cgroup() },
	};
	static const char *const expected[] = { "2-3", "1", "2-3", "1-3" };
	const struct ktstr_cgroup_def def = { .name = "placements",
					      .works = works,
					      .works_count = 4,
					      .cpuset = ktstr_cpuset_exact(ktstr_cpus_range(1, 3)) };
	struct ktstr_workload_handle *handle = run(ctx, &def);
	const int *pids;
	size_t count;

	if (!handle)
		return;
	until_each_has_iterated(handle, 4);
	pids = ktstr_workload_pids(handle, &count);
	for (size_t i = 0; i < 4; i++) {
		char list[64];

		status_text(pids[i], "Cpus_allowed_list:\t", list, sizeof(list));
		if (strcmp(list, expected[i]))
			ktstr_fail(ctx, "worker %zu may run on the CPUs \"%s\", expected \"%s\"", i, list, expected[i]);
	}
	end(ctx, handle, "placements");
}

/* A region as large as NumaWorkingSetSweep's, under each policy: where its pages are, by numa_maps. */
static void memory_policies(struct ktstr_ctx *ctx)
{
	static const struct ktstr_work_type work = KTSTR_WORK(NUMA_WORKING_SET_SWEEP, .sweep_period = KTSTR_MS(20));
	const struct ktstr_work_spec works[] = {
		{ .type = work, .workers = 1, .mem_policy = ktstr_mem_bind(2) },
		{ .type = work, .workers = 1, .mem_policy = ktstr_mem_interleave(3) },
		{ .type = work, .workers = 1, .mem_policy = ktstr_mem_preferred(1), .numa_node = KTSTR_SOME(0) },
		{ .type = work, .workers = 1, .mem_policy = ktstr_mem_weighted_interleave(3) },
	};
	const struct ktstr_cgroup_def def = { .name = "mems", .works = works, .works_count = 4 };
	struct ktstr_workload_handle *handle = run(ctx, &def);
	const struct ktstr_worker_report *reports;
	size_t count;

	if (!handle)
		return;
	until_each_has_iterated(handle, def.works_count);
	reports = ktstr_workload_stop_and_collect(handle, &count);
	for (size_t i = 0; i < count; i++) {
		uint64_t first = reports[i].numa_pages[0], second = reports[i].numa_pages[1];
		bool half = first > 400 && second > 400; /* of 1024 pages */

		if (reports[i].mem_policy_errno || (i % 2 ? !half : first > 0 || second != 1024))
			ktstr_fail(ctx, "%s: pages %llu on node 0, %llu on node 1, errno %d",
				   ktstr_mem_policy_name(works[i].mem_policy.kind), (unsigned long long)first,
				   (unsigned long long)second, reports[i].mem_policy_errno);
	}
	end(ctx, handle, "mems");
}

KTSTR_TEST(knobs, .description = "every knob of a cgroup and attribute of a worker, read back from the kernel", GUEST,
	   .duration = KTSTR_SEC(240))
{
	quota(ctx);
	memory(ctx);
	freezer(ctx);
	answers(ctx);
	policies(ctx);
	placements(ctx);
	memory_policies(ctx);
}
