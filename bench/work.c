// SPDX-License-Identifier: GPL-2.0-only
/*
 * What workers cost on this host: work per second of CPU-bound types with telemetry, without, and of a bare loop; wake
 * latencies of a timer against cyclictest; Schbench against Chris Mason's schbench; the start of a worker by its kind. Run
 * by bench/work. Nothing is asserted: machines differ.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "ktstr/benchmark.h"
#include "work/work_type.h"

enum { ROUNDS = 5, ROUND_MS = 400, LATENCY_SECONDS = 5, SCHBENCH_SECONDS = 3 };

static void die(struct ktstr_error *error)
{
	fprintf(stderr, "bench/work: %s\n", ktstr_error_message(error));
	exit(1);
}

#define TRY_OR_DIE(call)                             \
	do {                                         \
		struct ktstr_error *error_ = (call); \
		if (error_)                          \
			die(error_);                 \
	} while (0)

static struct ktstr_affinity first_cpu(void)
{
	struct ktstr_cpus all = work_own_affinity(), one = { 0 };

	ktstr_cpus_add(&one, (unsigned int)ktstr_cpus_next(&all, 0));
	return ktstr_affinity_exact(one);
}

/* Units per second of CPU time of one worker: what else runs on the host costs it wall time only. */
static double units_per_second(const struct ktstr_work_type *type, bool bare)
{
	const struct ktstr_work_spec spec = { .type = *type,
					      .workers = ktstr_work_type_group_size(type),
					      .affinity = first_cpu() };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .bare = bare };
	const struct ktstr_worker_report *reports;
	struct ktstr_workload_handle *handle;
	uint64_t units = 0, cpu_ns = 0;
	size_t count;

	TRY_OR_DIE(ktstr_workload_spawn(&config, &handle));
	TRY_OR_DIE(ktstr_workload_start(handle));
	ktstr_sleep_ns(KTSTR_MS(ROUND_MS));
	reports = ktstr_workload_stop_and_collect(handle, &count);
	for (size_t i = 0; i < count; i++) {
		units += reports[i].work_units;
		cpu_ns += reports[i].cpu_time_ns;
	}
	ktstr_workload_destroy(handle);
	return cpu_ns ? (double)units * 1e9 / (double)cpu_ns : 0;
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* The work unit and nothing around it. */
static double bare_loop(void)
{
	uint64_t begin = thread_cpu_ns(), units = 0, end;

	do {
		for (int i = 0; i < 100000; i++)
			work_unit();
		units += 100000;
		end = thread_cpu_ns();
	} while (end - begin < KTSTR_MS(ROUND_MS));
	return (double)units * 1e9 / (double)(end - begin);
}

static int by_size(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_size);
	return values[ROUNDS / 2];
}

/* On, off and bare by turns, so that a host that changes its pace changes it for all. */
static void print_type(const struct ktstr_work_type *type)
{
	double on[ROUNDS], off[ROUNDS], bare[ROUNDS], with, without, alone;
	bool spins = type->kind == KTSTR_WORK_SPIN_WAIT;

	for (int i = 0; i < ROUNDS; i++) {
		on[i] = units_per_second(type, false);
		off[i] = units_per_second(type, true);
		bare[i] = spins ? bare_loop() : 0;
	}
	with = median(on);
	without = median(off);
	alone = median(bare);
	printf("%-16s %14.0f %14.0f %9.4f", ktstr_work_type_name(type->kind), with, without, with / without);
	if (spins)
		printf(" %14.0f %9.4f", alone, with / alone);
	printf("\n");
}

static void print_types(void)
{
	const struct ktstr_work_type types[] = {
		KTSTR_WORK(SPIN_WAIT),        KTSTR_WORK(CACHE_PRESSURE), KTSTR_WORK(ALU_HOT),
		KTSTR_WORK(SMT_SIBLING_SPIN), KTSTR_WORK(IPC_VARIANCE),   KTSTR_WORK(PAGE_FAULT_CHURN),
		KTSTR_WORK(YIELD_HEAVY),      KTSTR_WORK(MIXED),
	};

	printf("%-16s %14s %14s %9s %14s %9s\n", "units per CPU s", "telemetry on", "off", "on/off", "bare loop",
	       "on/bare");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		print_type(&types[i]);
}

static void print_start(const char *name, enum ktstr_clone_mode mode, const char *pcomm, unsigned int workers)
{
	const struct ktstr_work_spec spec = { .type = KTSTR_WORK(TIMER_LATENCY, .interval_us = 100000),
					      .workers = workers,
					      .pcomm = pcomm };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .clone_mode = mode };
	uint64_t begin = ktstr_now_ns(), spawned, started, ended;
	struct ktstr_workload_handle *handle;
	size_t count;

	TRY_OR_DIE(ktstr_workload_spawn(&config, &handle));
	spawned = ktstr_now_ns();
	TRY_OR_DIE(ktstr_workload_start(handle));
	started = ktstr_now_ns();
	ktstr_workload_stop_and_collect(handle, &count);
	ended = ktstr_now_ns();
	ktstr_workload_destroy(handle);
	printf("%-16s %8u %12.1f %12.1f %12.1f\n", name, workers, (double)(spawned - begin) / 1e3 / workers,
	       (double)(started - spawned) / 1e3 / workers, (double)(ended - started) / 1e3 / workers);
}

static void print_starts(void)
{
	static const unsigned int sizes[] = { 1, 10, 100, 1000 };

	printf("\n%-16s %8s %12s %12s %12s\n", "us per worker", "workers", "spawn", "start", "stop+reap");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		print_start("process each", KTSTR_CLONE_FORK, NULL, sizes[i]);
		print_start("pcomm", KTSTR_CLONE_FORK, "bench", sizes[i]);
		print_start("own threads", KTSTR_CLONE_THREAD, NULL, sizes[i]);
	}
}

/* ---- TimerLatency beside cyclictest ---- */

static const double percentiles[] = { 50, 90, 99, 99.9 };
enum { PERCENTILES = sizeof(percentiles) / sizeof(percentiles[0]) };

static int by_ns(const void *a, const void *b)
{
	return *(const uint64_t *)a < *(const uint64_t *)b ? -1 : *(const uint64_t *)a > *(const uint64_t *)b;
}

static void own_latencies(double out_us[PERCENTILES])
{
	const struct ktstr_work_spec spec = { .type = KTSTR_WORK(TIMER_LATENCY, .interval_us = 1000), .workers = 1 };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const struct ktstr_worker_report *report;
	struct ktstr_workload_handle *handle;
	size_t count, samples;
	uint64_t *sorted;

	TRY_OR_DIE(ktstr_workload_spawn(&config, &handle));
	TRY_OR_DIE(ktstr_workload_start(handle));
	ktstr_sleep_ns(KTSTR_SEC(LATENCY_SECONDS));
	report = ktstr_workload_stop_and_collect(handle, &count);
	samples = report->timer_latencies.count;
	sorted = ktstr_xcalloc(samples + 1, sizeof(*sorted));
	memcpy(sorted, report->timer_latencies.values_ns, samples * sizeof(*sorted));
	qsort(sorted, samples, sizeof(*sorted), by_ns);
	for (size_t i = 0; i < PERCENTILES; i++)
		out_us[i] = (double)sorted[(size_t)(percentiles[i] / 100 * (double)samples)] / 1e3;
	free(sorted);
	ktstr_workload_destroy(handle);
}

/* cyclictest prints "000012 000345": us and how often. False when it is not there. */
static bool cyclictest_latencies(double out_us[PERCENTILES])
{
	_cleanup_free_ char *command =
		ktstr_xasprintf("cyclictest -q -t1 --policy=other -i 1000 -D %d -h 20000 2>/dev/null", LATENCY_SECONDS);
	FILE *pipe = popen(command, "re");
	static uint64_t histogram[20001];
	uint64_t total = 0, sum = 0;
	char line[512];

	while (pipe && fgets(line, sizeof(line), pipe)) {
		unsigned long us, times;

		if (sscanf(line, "%lu %lu", &us, &times) == 2 && us <= 20000) {
			histogram[us] += times;
			total += times;
		}
	}
	if (!pipe || pclose(pipe) || !total)
		return false;
	for (size_t us = 0, i = 0; us <= 20000 && i < PERCENTILES; us++)
		for (sum += histogram[us]; i < PERCENTILES && (double)sum > percentiles[i] / 100 * (double)total; i++)
			out_us[i] = (double)us;
	return true;
}

static void print_latencies(void)
{
	double own[PERCENTILES], theirs[PERCENTILES] = { 0 };

	own_latencies(own);
	if (!cyclictest_latencies(theirs)) {
		printf("\ncyclictest is not installed (package rt-tests): no latencies to compare\n");
		return;
	}
	printf("\n%-16s %14s %14s %9s\n", "timer, 1 ms, us", "TimerLatency", "cyclictest", "ratio");
	for (size_t i = 0; i < PERCENTILES; i++)
		printf("p%-15g %14.1f %14.1f %9.2f\n", percentiles[i], own[i], theirs[i],
		       theirs[i] > 0 ? own[i] / theirs[i] : 0);
}

/* ---- Schbench beside schbench ---- */

static const double tails[] = { 50, 90, 99 };
enum { TAILS = sizeof(tails) / sizeof(tails[0]) };

struct schbench_figures {
	double wakeup_us[TAILS], request_us[TAILS], requests_per_second;
};

static void own_schbench(const struct ktstr_work_schbench *shape, struct schbench_figures *figures)
{
	const struct ktstr_work_spec spec = { .type = { .kind = KTSTR_WORK_SCHBENCH, .SCHBENCH = *shape }, .workers = 1 };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1 };
	const struct ktstr_schbench_stats *stats;
	struct ktstr_workload_handle *handle;
	size_t count;

	TRY_OR_DIE(ktstr_workload_spawn(&config, &handle));
	TRY_OR_DIE(ktstr_workload_start(handle));
	ktstr_sleep_ns(KTSTR_SEC(SCHBENCH_SECONDS));
	stats = ktstr_workload_stop_and_collect(handle, &count)->schbench;
	for (size_t i = 0; i < TAILS; i++) {
		figures->wakeup_us[i] = (double)ktstr_histogram_percentile(&stats->wakeup_us, tails[i]).value;
		figures->request_us[i] = (double)ktstr_histogram_percentile(&stats->request_us, tails[i]).value;
	}
	figures->requests_per_second = (double)stats->loop_count * 1e9 / (double)stats->elapsed_ns;
	ktstr_workload_destroy(handle);
}

/*
 * It prints "Wakeup Latencies percentiles ...", "  * 99.0th: 7992  (17 samples)", ..., the same for requests, and in
 * the end "average rps: 62.00". False when it is not there.
 */
static bool their_schbench(const char *options, struct schbench_figures *figures)
{
	_cleanup_free_ char *command = ktstr_xasprintf("schbench %s -r %d -i 1000 2>&1", options, SCHBENCH_SECONDS);
	FILE *pipe = popen(command, "re");
	double *current = NULL;
	char line[512];

	memset(figures, 0, sizeof(*figures));
	while (pipe && fgets(line, sizeof(line), pipe)) {
		double percentile, value;

		if (strstr(line, " percentiles "))
			current = !strncmp(line, "Wakeup", 6) ? figures->wakeup_us :
				  !strncmp(line, "Request", 7) ? figures->request_us : NULL;
		else if (sscanf(line, "average rps: %lf", &value) == 1)
			figures->requests_per_second = value;
		else if (current && sscanf(line, "%*[ \t*]%lfth: %lf", &percentile, &value) == 2)
			for (size_t i = 0; i < TAILS; i++)
				if (percentile == tails[i])
					current[i] = value;
	}
	return pipe && !pclose(pipe) && figures->requests_per_second > 0;
}

static void print_row(const char *what, double percentile, double *own, double *theirs)
{
	double ours = median(own), reference = median(theirs);
	_cleanup_free_ char *name = percentile > 0 ? ktstr_xasprintf("%s p%g, us", what, percentile) : ktstr_xstrdup(what);

	printf("%-16s %14.0f %14.0f %9.2f\n", name, ours, reference, reference > 0 ? ours / reference : 0);
}

/* By turns, like the types above. */
static void print_schbench(const struct ktstr_work_schbench *shape, const char *options)
{
	double own[2 * TAILS + 1][ROUNDS], theirs[2 * TAILS + 1][ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		struct schbench_figures figures[2];

		own_schbench(shape, &figures[0]);
		if (!their_schbench(options, &figures[1])) {
			printf("\nschbench is not in PATH: nothing to compare Schbench with\n");
			return;
		}
		for (size_t i = 0; i < TAILS; i++) {
			own[i][round] = figures[0].wakeup_us[i];
			theirs[i][round] = figures[1].wakeup_us[i];
			own[TAILS + i][round] = figures[0].request_us[i];
			theirs[TAILS + i][round] = figures[1].request_us[i];
		}
		own[2 * TAILS][round] = figures[0].requests_per_second;
		theirs[2 * TAILS][round] = figures[1].requests_per_second;
	}
	printf("\n%-16s %14s %14s %9s   %s\n", "medians", "Schbench", "schbench", "ratio", options);
	for (size_t i = 0; i < 2 * TAILS; i++)
		print_row(i < TAILS ? "wakeup" : "request", tails[i % TAILS], own[i], theirs[i]);
	print_row("requests/s", 0, own[2 * TAILS], theirs[2 * TAILS]);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	print_types();
	print_starts();
	print_latencies();
	print_schbench(&(struct ktstr_work_schbench){ .worker_threads = 1 }, "-t 1");
	print_schbench(&(struct ktstr_work_schbench){ .worker_threads = 2, .cache_footprint_kib = 16 }, "-t 2 -F 16");
	return 0;
}
