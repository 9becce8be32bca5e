// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schbench: message threads hand requests to worker threads that think (sleep, then matrix products under a lock
 * per CPU). Presses futex wakeups from one waker to many wakees, selection of idle CPUs, and the cost of being
 * preempted or migrated inside a critical section. After Chris Mason's benchmark of that name, option by option.
 */
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "work/matrix.h"
#include "work/bench_stats.h"
#include "work/threads.h"

enum {
	MAX_PENDING = 128, /* requests queued at one worker before its messenger pauses */
	START_RPS = 10, /* where auto_rps begins */
};
#define PENDING_PAUSE_NS KTSTR_US(100)

struct schbench;

struct participant {
	struct work_thread thread;
	struct schbench *bench;
	struct participant *messenger; /* of a worker */
	struct participant *_Atomic list; /* of a messenger: workers that wait, newest first */
	struct participant *next; /* in that list */
	struct participant *workers; /* of a messenger: its bench->workers_each */
	_Atomic uint64_t posted_ns; /* when this worker was woken */
	_Atomic uint32_t pending; /* requests queued at this worker */
	_Alignas(64) uint64_t *cells; /* private matrices */
	char *page; /* pipe mode: what moves between worker and messenger */
};

struct cpu_lock {
	_Alignas(64) _Atomic uint32_t held;
};

/* A run of the benchmark inside one worker. */
struct schbench {
	struct work_threads team;
	const struct ktstr_work_schbench *config;
	struct ktstr_schbench_stats *stats;
	size_t messengers, workers_each;
	struct participant *participants; /* each messenger followed by its workers */
	struct cpu_lock *locks; /* by CPU */
	uint64_t *shared_cells; /* split mode */
	size_t private_dim, shared_dim;
	_Atomic uint64_t loops;
	bool rated; /* messengers pace requests; else workers ask for them */
	_Atomic uint64_t rate; /* requests per second and messenger */
	struct busy {
		uint64_t total, idle;
		bool known, target_hit;
	} busy;
	uint64_t begin_ns, last_ns;
};

static struct participant *participant_of(struct work_thread *thread)
{
	return (struct participant *)((char *)thread - offsetof(struct participant, thread));
}

/* Time enough has passed for the clock of the statistics to see it. */
static void record_us(struct ktstr_histogram *histogram, uint64_t since_ns, uint64_t now_ns)
{
	uint64_t us = now_ns > since_ns ? (now_ns - since_ns) / 1000 : 0;

	if (us)
		ktstr_histogram_record(histogram, us < UINT32_MAX ? (uint32_t)us : UINT32_MAX);
}

static void push_waiting(struct participant *messenger, struct participant *worker)
{
	worker->next = atomic_load(&messenger->list);
	while (!atomic_compare_exchange_weak(&messenger->list, &worker->next, worker))
		;
}

/*
 * One clock reading for all: how late the last one of a batch runs because its waker was preempted is part of
 * what is measured. Pipe mode measures each transfer.
 */
static void wake_waiting(struct participant *messenger)
{
	size_t transfer = messenger->bench->config->pipe_transfer_bytes;
	struct participant *worker = atomic_exchange(&messenger->list, NULL);
	uint64_t now = ktstr_now_ns();

	while (worker) {
		struct participant *next = worker->next;

		if (transfer) {
			memset(worker->page, 1, transfer);
			now = ktstr_now_ns();
		}
		atomic_store(&worker->posted_ns, now);
		work_thread_post(&worker->thread);
		worker = next;
	}
}

static void answer_workers(struct participant *messenger)
{
	while (!work_threads_stopping(&messenger->bench->team)) {
		work_thread_arm(&messenger->thread);
		wake_waiting(messenger);
		work_thread_wait(&messenger->thread);
	}
}

/* Queues one request at the worker whose turn it is. */
static void dispatch(struct participant *messenger, struct participant *worker)
{
	if (atomic_load(&worker->pending) > MAX_PENDING) {
		work_thread_sleep_until(&messenger->thread, ktstr_now_ns() + PENDING_PAUSE_NS);
		return;
	}
	atomic_store(&worker->posted_ns, ktstr_now_ns());
	atomic_fetch_add(&worker->pending, 1);
	work_thread_post(&worker->thread);
}

/* A second's requests at once, round robin, then the rest of the second asleep. */
static void pace_requests(struct participant *messenger)
{
	struct schbench *bench = messenger->bench;
	uint64_t second = ktstr_now_ns(), turn = 0;

	while (!work_threads_stopping(&bench->team)) {
		uint64_t count = atomic_load(&bench->rate);

		for (uint64_t i = 0; i < count && !work_threads_stopping(&bench->team); i++)
			dispatch(messenger, &messenger->workers[turn++ % bench->workers_each]);
		second += KTSTR_SEC(1);
		if (second < ktstr_now_ns())
			second = ktstr_now_ns();
		work_thread_sleep_until(&messenger->thread, second);
	}
}

static void run_messenger(struct work_thread *thread)
{
	struct participant *messenger = participant_of(thread);

	if (messenger->bench->rated)
		pace_requests(messenger);
	else
		answer_workers(messenger);
}

/* Blocks until there is something to do; the number of requests, 0 when woken for nothing. */
static uint32_t next_requests(struct participant *worker)
{
	struct schbench *bench = worker->bench;

	if (bench->config->pipe_transfer_bytes)
		memset(worker->page, 2, bench->config->pipe_transfer_bytes);
	work_thread_arm(&worker->thread);
	if (bench->rated) {
		uint32_t queued = atomic_exchange(&worker->pending, 0);

		if (queued)
			return queued;
	} else {
		push_waiting(worker->messenger, worker);
		work_thread_post(&worker->messenger->thread);
	}
	work_thread_wait(&worker->thread);
	if (work_threads_stopping(&bench->team))
		return 0;
	record_us(&bench->stats->wakeup_us, atomic_load(&worker->posted_ns), ktstr_now_ns());
	return bench->rated ? atomic_exchange(&worker->pending, 0) : 1;
}

/* The lock of the CPU we are on; whoever holds it and is preempted makes the CPU's other threads spin. */
static struct cpu_lock *lock_cpu(struct schbench *bench)
{
	while (!work_threads_stopping(&bench->team)) {
		int cpu = sched_getcpu();
		struct cpu_lock *lock = &bench->locks[cpu < 0 ? 0 : cpu % KTSTR_MAX_CPUS];

		while (atomic_exchange(&lock->held, 1)) {
			if (work_threads_stopping(&bench->team))
				return NULL;
			work_cpu_pause();
		}
		if (sched_getcpu() == cpu)
			return lock;
		atomic_store(&lock->held, 0); /* moved while waiting: it is the wrong one */
	}
	return NULL;
}

static void think(struct participant *worker)
{
	struct schbench *bench = worker->bench;
	struct cpu_lock *lock = bench->config->skip_locking ? NULL : lock_cpu(bench);

	for (uint64_t i = 0; i < bench->config->operations && !work_threads_stopping(&bench->team); i++) {
		work_matrix_product(worker->cells, bench->private_dim);
		if (bench->shared_dim)
			work_matrix_product_shared(bench->shared_cells, bench->shared_dim);
	}
	if (lock)
		atomic_store(&lock->held, 0);
}

static void serve(struct participant *worker)
{
	struct schbench *bench = worker->bench;
	uint64_t begin = ktstr_now_ns();

	if (!bench->config->pipe_transfer_bytes) {
		if (bench->config->sleep_usec)
			work_thread_sleep_until(&worker->thread, begin + KTSTR_US(bench->config->sleep_usec));
		think(worker);
	}
	if (work_threads_stopping(&bench->team))
		return;
	record_us(&bench->stats->request_us, begin, ktstr_now_ns());
	atomic_fetch_add(&bench->loops, 1);
}

static void run_worker(struct work_thread *thread)
{
	struct participant *worker = participant_of(thread);

	while (!work_threads_stopping(thread->team))
		for (uint32_t requests = next_requests(worker); requests; requests--)
			serve(worker);
}

/* Busy share of all CPUs since the last call, %: the first line of /proc/stat. Negative when not known. */
static double read_busy_pct(struct busy *busy)
{
	_cleanup_free_ char *line = ktstr_read_line("/proc/stat");
	struct busy before = *busy;
	uint64_t field, total = 0, idle = 0;
	const char *at = line ? line + strlen("cpu") : "";
	int used;

	for (int column = 0; sscanf(at, "%" SCNu64 "%n", &field, &used) == 1; column++, at += used) {
		total += field;
		if (column == 3)
			idle = field;
	}
	busy->total = total;
	busy->idle = idle;
	busy->known = total > 0;
	if (!before.known || total <= before.total)
		return -1;
	return 100.0 * (1 - (double)(idle - before.idle) / (double)(total - before.total));
}

/*
 * The factor for the rate: towards the target in one step from afar, a quarter or an eighth of the way near it,
 * never more than threefold either way.
 */
static double rate_factor(double target_pct, double busy_pct)
{
	double factor = busy_pct > 0 ? target_pct / busy_pct : 3;
	double distance = factor > 1 ? factor - 1 : 1 - factor;

	if (factor >= 3)
		return 3;
	if (factor <= 0.3)
		return 0.3;
	if (distance < (factor > 1 ? 0.2 : 0.1))
		return 1 + (factor - 1) / 8;
	if (distance < (factor > 1 ? 0.5 : 0.2))
		return 1 + (factor - 1) / 4;
	return factor;
}

static void adjust_rate(struct schbench *bench)
{
	double busy_pct = read_busy_pct(&bench->busy), factor, rate;

	if (busy_pct < 0)
		return;
	factor = rate_factor(bench->config->auto_rps, busy_pct);
	rate = (double)atomic_load(&bench->rate) * factor;
	if (factor > 0.95 && factor < 1.05)
		bench->busy.target_hit = true;
	/* Rounded away from where it stands, or small rates would never move. */
	atomic_store(&bench->rate, rate > 1e9 ? 1000000000u : (uint64_t)(factor > 1 ? ceil(rate) : floor(rate)));
}

/* Requests that were served since the last call. */
static uint64_t take_loops(struct schbench *bench)
{
	uint64_t loops = atomic_load(&bench->loops), more = loops - bench->stats->loop_count;

	bench->team.worker->work_units += more;
	bench->stats->loop_count = loops;
	bench->stats->transfer_bytes = loops * bench->config->pipe_transfer_bytes;
	return more;
}

/* Once a second: the rate, and what the worker's telemetry is to know. */
static void account(struct schbench *bench, uint64_t now_ns)
{
	struct worker *w = bench->team.worker;
	uint64_t loops = take_loops(bench), elapsed = now_ns - bench->last_ns;

	if (elapsed >= KTSTR_MS(500)) {
		double rps = (double)loops * 1e9 / (double)elapsed;

		if (!bench->config->pipe_transfer_bytes &&
		    (!bench->config->auto_rps || bench->busy.target_hit))
			ktstr_histogram_record(&bench->stats->rps, (uint32_t)rps);
		if (bench->config->auto_rps)
			adjust_rate(bench);
	}
	if (work_phase_epoch(w) != w->phase.epoch)
		work_threads_update_delays(&bench->team);
	bench->stats->elapsed_ns = now_ns - bench->begin_ns;
	bench->last_ns = now_ns;
	work_checkpoint_now(w);
	work_iteration_done(w);
}

static void watch(struct schbench *bench)
{
	struct worker *w = bench->team.worker;
	uint64_t tick = ktstr_now_ns() + KTSTR_SEC(1);

	bench->begin_ns = bench->last_ns = ktstr_now_ns();
	while (!work_should_stop(w)) {
		uint64_t now = work_sleep_in_phase(w, tick);

		account(bench, now);
		if (now >= tick)
			tick += KTSTR_SEC(1);
	}
}

/* Memory of the whole run in one mapping, so that nothing has to be undone piecemeal. */
static void *map_memory(struct schbench *bench, size_t *bytes)
{
	size_t workers = bench->messengers * bench->workers_each;
	size_t participants = (bench->messengers + workers) * sizeof(struct participant);
	size_t locks = KTSTR_MAX_CPUS * sizeof(struct cpu_lock);
	size_t private_bytes = (work_matrix_bytes(bench->private_dim) + 63) / 64 * 64;
	size_t page = (bench->config->pipe_transfer_bytes + 63) / 64 * 64;
	char *map;

	*bytes = participants + locks + work_matrix_bytes(bench->shared_dim) + workers * (private_bytes + page);
	map = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	bench->participants = (void *)map;
	bench->locks = (void *)(map + participants);
	for (size_t i = 0; i < bench->messengers + workers; i++) {
		struct participant *one = &bench->participants[i];
		size_t position = i % (bench->workers_each + 1);
		size_t worker = i - i / (bench->workers_each + 1) - (position > 0); /* of all workers */

		one->bench = bench;
		one->thread.run = position ? run_worker : run_messenger;
		one->thread.name = position ? "schbench-worker" : "schbench-msg";
		one->thread.delay = position ? &bench->stats->worker : &bench->stats->message;
		one->messenger = one - position;
		one->workers = one + 1;
		one->cells = (void *)(map + participants + locks + worker * (private_bytes + page));
		one->page = (char *)one->cells + private_bytes;
	}
	bench->shared_cells = (void *)(map + participants + locks + workers * (private_bytes + page));
	return map;
}

static void size_up(struct schbench *bench, const struct ktstr_work_schbench *config)
{
	double private_share = config->split_percent.set ? config->split_percent.value / 100.0 : 1;
	unsigned int cpus = work_usable_cpus();

	bench->messengers = config->message_threads;
	bench->workers_each = config->worker_threads ? config->worker_threads :
						       (cpus + bench->messengers - 1) / bench->messengers;
	bench->private_dim = work_matrix_dim(config->cache_footprint_kib * private_share);
	bench->shared_dim = work_matrix_dim(config->cache_footprint_kib * (1 - private_share));
	atomic_store(&bench->rate, (config->requests_per_sec ? config->requests_per_sec : START_RPS) /
					   bench->messengers);
	bench->rated = config->auto_rps || config->requests_per_sec / bench->messengers;
}

static void run_schbench(struct worker *w)
{
	struct schbench bench = { .config = &w->type->SCHBENCH, .stats = w->group->memory };
	size_t bytes, count;
	void *map;

	work_threads_init(&bench.team, w);
	size_up(&bench, bench.config);
	map = map_memory(&bench, &bytes);
	if (!map) {
		work_warn_once(w, WORK_WARN_THREADS, "Schbench cannot map %zu MiB; no work is counted", bytes >> 20);
		work_sleep_until(w, UINT64_MAX);
		return;
	}
	count = bench.messengers * (bench.workers_each + 1);
	for (size_t i = 0; i < count; i++)
		if (!work_threads_start(&bench.team, &bench.participants[i].thread))
			break;
	watch(&bench);
	work_threads_stop(&bench.team);
	take_loops(&bench); /* of those that were under way */
	munmap(map, bytes);
}

static const struct work_param params[] = {
	WORK_NUMBER(schbench, message_threads, 1, 1, 1024),
	WORK_NUMBER(schbench, worker_threads, 0, 0, 4096),
	WORK_NUMBER(schbench, cache_footprint_kib, 256, 1, 1 << 20),
	WORK_NUMBER(schbench, operations, 5, 0, 0),
	WORK_NUMBER(schbench, sleep_usec, 100, 0, 0),
	WORK_FLAG(schbench, skip_locking),
	WORK_NUMBER(schbench, requests_per_sec, 0, 0, 0),
	WORK_NUMBER(schbench, auto_rps, 0, 0, 100),
	WORK_OPT_U32(schbench, split_percent, 100),
	WORK_NUMBER(schbench, pipe_transfer_bytes, 0, 0, 1 << 20),
};

static void report(struct ktstr_worker_report *report, const void *memory)
{
	report->schbench = memory;
}

static void report_phase(struct ktstr_phase_slice *slice, const void *stats)
{
	slice->schbench = stats;
}

const struct work_type_ops work_schbench_ops = {
	.name = "Schbench",
	.pressure = "wakeups of many by one (futex), idle CPU selection, preemption inside a per-CPU lock",
	.unit = "a request",
	WORK_PARAMS(params),
	.shared_bytes = sizeof(struct ktstr_schbench_stats),
	.run = run_schbench,
	.report = report,
	.stats_since = work_schbench_stats_since,
	.report_phase = report_phase,
};
