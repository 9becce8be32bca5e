// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taobench: clients read a cache that is too small for their keys; what it lacks is brought by slow threads while
 * the client blocks. Presses short CPU bursts on a lock-sharded memory footprint, futex handovers between two
 * thread pools, and in an open loop the wait of requests for a CPU. After the cache workload of that name in the
 * DCPerf suite.
 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "work/bench_stats.h"
#include "work/threads.h"

enum {
	SHARDS = 256,
	SHARD_MIN_BYTES = 1 << 20, /* where the few largest values fall decides less, and hits are nearer to what is asked for */
	BATCH = 64, /* requests between two looks at the clock in a closed loop */
};
#define SLOW_CAP_NS KTSTR_SEC(2)

/* Sizes of values and how often they occur; the size of a key's value never changes. */
static const struct value_class {
	uint32_t bytes, weight;
} value_classes[] = { { 64, 450 },  { 128, 300 },  { 256, 130 },  { 512, 70 },
		      { 1024, 30 }, { 4096, 12 }, { 16384, 3 }, { 65536, 1 } };

enum { VALUE_CLASSES = sizeof(value_classes) / sizeof(value_classes[0]) };

/* In front of each value in a shard's ring; a key of PADDING fills what is left before the ring wraps. */
struct entry {
	uint32_t key, bytes; /* bytes of the value */
	uint64_t value[];
};
#define PADDING UINT32_MAX

/* Values in the order they came, in a ring: the oldest make room for the new one. */
struct shard {
	_Alignas(64) pthread_mutex_t lock;
	char *ring;
	size_t head, tail, used; /* bytes */
};

struct taobench;

struct client {
	struct work_thread thread;
	struct taobench *bench;
	struct ktstr_random random;
	uint64_t next_arrival_ns; /* open loop */
	uint32_t key; /* of the miss it waits for */
	struct client *next; /* in the queue of misses */
	_Alignas(64) _Atomic uint64_t get_cmds, get_misses, fast_ops, slow_ops;
};

struct filler {
	struct work_thread thread;
	struct taobench *bench;
	struct ktstr_random random;
	struct filler *next_idle;
};

struct taobench {
	struct work_threads team;
	const struct ktstr_work_taobench *config;
	struct ktstr_taobench_stats *stats;
	size_t clients_count, fillers_count, shards_count, ring_bytes;
	uint32_t keys;
	uint32_t *positions; /* by key: offset in its shard's ring / 8 + 1, 0 = not there */
	struct shard *shards;
	struct client *clients;
	struct filler *fillers;
	pthread_mutex_t misses; /* of the three below */
	struct client *first_miss, **last_miss;
	struct filler *idle;
	double pareto_alpha, pareto_min_ns; /* alpha 0 = constant */
	uint64_t begin_ns, counted_ops;
};

static uint32_t mean_value_bytes(void)
{
	uint64_t bytes = 0, weights = 0;

	for (size_t i = 0; i < VALUE_CLASSES; i++) {
		bytes += (uint64_t)value_classes[i].bytes * value_classes[i].weight;
		weights += value_classes[i].weight;
	}
	return (uint32_t)(bytes / weights);
}

static uint32_t value_bytes(uint32_t key)
{
	struct ktstr_random of_key = ktstr_random_seeded(key);
	uint64_t weights = 0, pick;

	for (size_t i = 0; i < VALUE_CLASSES; i++)
		weights += value_classes[i].weight;
	pick = ktstr_random_next(&of_key) % weights;
	for (size_t i = 0; i < VALUE_CLASSES; i++) {
		if (pick < value_classes[i].weight)
			return value_classes[i].bytes;
		pick -= value_classes[i].weight;
	}
	return value_classes[0].bytes;
}

static struct entry *entry_at(const struct shard *shard, size_t offset)
{
	return (void *)(shard->ring + offset);
}

static size_t entry_size(const struct entry *entry)
{
	return sizeof(*entry) + entry->bytes;
}

static void drop_oldest(struct taobench *bench, struct shard *shard)
{
	const struct entry *oldest = entry_at(shard, shard->tail);

	if (oldest->key != PADDING)
		bench->positions[oldest->key] = 0;
	shard->used -= entry_size(oldest);
	shard->tail = (shard->tail + entry_size(oldest)) % bench->ring_bytes;
}

/* Room for size bytes in one piece at the head. All sizes are multiples of 8, so a wrap leaves room for its filler. */
static void make_room(struct taobench *bench, struct shard *shard, size_t size)
{
	size_t to_end = bench->ring_bytes - shard->head;

	if (to_end < size) {
		while (bench->ring_bytes - shard->used < to_end)
			drop_oldest(bench, shard);
		*entry_at(shard, shard->head) =
			(struct entry){ PADDING, (uint32_t)(to_end - sizeof(struct entry)) };
		shard->used += to_end;
		shard->head = 0;
	}
	while (bench->ring_bytes - shard->used < size)
		drop_oldest(bench, shard);
}

static struct shard *shard_of(struct taobench *bench, uint32_t key)
{
	return &bench->shards[key % bench->shards_count];
}

static void fill(struct taobench *bench, uint32_t key)
{
	struct shard *shard = shard_of(bench, key);
	uint32_t bytes = value_bytes(key);

	pthread_mutex_lock(&shard->lock);
	if (!bench->positions[key]) {
		struct entry *entry;

		make_room(bench, shard, sizeof(*entry) + bytes);
		entry = entry_at(shard, shard->head);
		*entry = (struct entry){ key, bytes };
		memset(entry->value, (int)key, bytes);
		bench->positions[key] = (uint32_t)(shard->head / 8 + 1);
		shard->used += entry_size(entry);
		shard->head = (shard->head + entry_size(entry)) % bench->ring_bytes;
	}
	pthread_mutex_unlock(&shard->lock);
}

/* Reads every byte of the value; false when it is not there. */
static bool get(struct taobench *bench, uint32_t key)
{
	struct shard *shard = shard_of(bench, key);
	bool found;

	pthread_mutex_lock(&shard->lock);
	found = bench->positions[key] != 0;
	if (found) {
		const struct entry *entry = entry_at(shard, (size_t)(bench->positions[key] - 1) * 8);
		uint64_t sum = 0;

		for (size_t i = 0; i < entry->bytes / 8; i++)
			sum += entry->value[i];
		__asm__ volatile("" : : "r"(sum));
	}
	pthread_mutex_unlock(&shard->lock);
	return found;
}

/* Every key once, until the rings are full: the share of keys that fit is the hit ratio from the start. */
static void warm_up(struct taobench *bench)
{
	for (uint32_t key = 0; key < bench->keys && !work_should_stop(bench->team.worker); key++) {
		fill(bench, key);
		if (key % 1024 == 0)
			work_checkpoint_now(bench->team.worker);
	}
}

static void queue_miss(struct taobench *bench, struct client *client)
{
	struct filler *filler;

	pthread_mutex_lock(&bench->misses);
	client->next = NULL;
	*bench->last_miss = client;
	bench->last_miss = &client->next;
	filler = bench->idle;
	if (filler)
		bench->idle = filler->next_idle;
	pthread_mutex_unlock(&bench->misses);
	if (filler)
		work_thread_post(&filler->thread);
}

/* The oldest miss; NULL when there is none: the filler is then on the list of idle ones. */
static struct client *take_miss(struct filler *filler)
{
	struct taobench *bench = filler->bench;
	struct client *client;

	pthread_mutex_lock(&bench->misses);
	client = bench->first_miss;
	if (client) {
		bench->first_miss = client->next;
		if (!bench->first_miss)
			bench->last_miss = &bench->first_miss;
	} else {
		work_thread_arm(&filler->thread);
		filler->next_idle = bench->idle;
		bench->idle = filler;
	}
	pthread_mutex_unlock(&bench->misses);
	return client;
}

/* From [0, 1), 53 bits. */
static double uniform(struct ktstr_random *random)
{
	return (double)(ktstr_random_next(random) >> 11) * 0x1p-53;
}

static uint64_t slow_path_ns(struct filler *filler)
{
	const struct taobench *bench = filler->bench;
	double ns;

	if (bench->pareto_alpha <= 0)
		return KTSTR_US(bench->config->slow_path_sleep_us);
	ns = bench->pareto_min_ns * pow(1 - uniform(&filler->random), -1 / bench->pareto_alpha);
	return ns < (double)SLOW_CAP_NS ? (uint64_t)ns : SLOW_CAP_NS;
}

static void run_filler(struct work_thread *thread)
{
	struct filler *filler = (struct filler *)((char *)thread - offsetof(struct filler, thread));

	while (!work_threads_stopping(thread->team)) {
		struct client *client = take_miss(filler);
		uint64_t pause;

		if (!client) {
			work_thread_wait(thread);
			continue;
		}
		pause = slow_path_ns(filler);
		if (pause)
			work_thread_sleep_until(thread, ktstr_now_ns() + pause);
		fill(filler->bench, client->key);
		work_thread_post(&client->thread);
	}
}

static void count(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static void request(struct client *client)
{
	struct taobench *bench = client->bench;

	client->key = (uint32_t)(((unsigned __int128)ktstr_random_next(&client->random) * bench->keys) >> 64);
	count(&client->get_cmds);
	if (get(bench, client->key)) {
		count(&client->fast_ops);
		return;
	}
	count(&client->get_misses);
	work_thread_arm(&client->thread);
	queue_miss(bench, client);
	work_thread_wait(&client->thread);
	if (work_threads_stopping(&bench->team))
		return;
	get(bench, client->key);
	count(&client->slow_ops);
}

/* Requests arrive at their times whether or not the one before is done: waiting in line is part of the latency. */
static void run_open_loop(struct client *client)
{
	struct taobench *bench = client->bench;
	uint64_t interval_ns = KTSTR_SEC(1) * bench->clients_count / bench->config->arrival_rate;

	while (!work_threads_stopping(&bench->team)) {
		uint64_t now;

		work_thread_sleep_until(&client->thread, client->next_arrival_ns);
		request(client);
		now = ktstr_now_ns();
		if (!work_threads_stopping(&bench->team))
			ktstr_histogram_record(&bench->stats->serve_us,
					       (uint32_t)((now - client->next_arrival_ns) / 1000));
		client->next_arrival_ns += interval_ns ? interval_ns : 1;
	}
}

static void run_client(struct work_thread *thread)
{
	struct client *client = (struct client *)((char *)thread - offsetof(struct client, thread));

	if (client->bench->config->arrival_rate) {
		run_open_loop(client);
		return;
	}
	while (!work_threads_stopping(thread->team))
		for (int i = 0; i < BATCH && !work_threads_stopping(thread->team); i++)
			request(client);
}

static void account(struct taobench *bench, uint64_t now_ns)
{
	struct ktstr_taobench_stats *stats = bench->stats;
	struct worker *w = bench->team.worker;
	uint64_t ops;

	stats->get_cmds = stats->get_misses = stats->fast_ops = stats->slow_ops = 0;
	for (size_t i = 0; i < bench->clients_count; i++) {
		stats->get_cmds += bench->clients[i].get_cmds;
		stats->get_misses += bench->clients[i].get_misses;
		stats->fast_ops += bench->clients[i].fast_ops;
		stats->slow_ops += bench->clients[i].slow_ops;
	}
	stats->elapsed_ns = now_ns - bench->begin_ns;
	ops = stats->fast_ops + stats->slow_ops;
	w->work_units += ops - bench->counted_ops;
	bench->counted_ops = ops;
	work_checkpoint_now(w);
	work_iteration_done(w);
}

/* Pareto with the sleep as its median and slow_path_p99_us as its 99th percentile: 2^(1/a) min and 100^(1/a) min. */
static void shape_slow_path(struct taobench *bench, const struct ktstr_work_taobench *config)
{
	double median = config->slow_path_sleep_us, p99 = config->slow_path_p99_us;

	if (median <= 0 || p99 <= median)
		return;
	bench->pareto_alpha = log(50) / log(p99 / median);
	bench->pareto_min_ns = 1000 * median / pow(2, 1 / bench->pareto_alpha);
}

static void size_up(struct taobench *bench, const struct ktstr_work_taobench *config)
{
	uint64_t capacity = (uint64_t)config->cache_capacity_mib << 20;
	uint64_t objects = capacity / (mean_value_bytes() + sizeof(struct entry));

	bench->clients_count = config->client_threads ? config->client_threads : work_usable_cpus();
	bench->fillers_count = config->slow_threads	   ? config->slow_threads :
			       bench->clients_count >= 3 ? bench->clients_count / 3 :
							   1;
	bench->shards_count = capacity / SHARD_MIN_BYTES < SHARDS ? capacity / SHARD_MIN_BYTES : SHARDS;
	bench->ring_bytes = capacity / bench->shards_count / 8 * 8;
	bench->keys = (uint32_t)((objects * 100 + config->target_hit_pct - 1) / config->target_hit_pct);
	bench->last_miss = &bench->first_miss;
	shape_slow_path(bench, config);
}

static void *map_memory(struct taobench *bench, size_t *bytes)
{
	size_t shards = bench->shards_count * sizeof(struct shard);
	size_t clients = bench->clients_count * sizeof(struct client);
	size_t fillers = (bench->fillers_count * sizeof(struct filler) + 63) / 64 * 64;
	size_t positions = ((size_t)bench->keys * sizeof(uint32_t) + 63) / 64 * 64;
	char *map;

	*bytes = shards + clients + fillers + positions + bench->shards_count * bench->ring_bytes;
	map = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	bench->shards = (void *)map;
	bench->clients = (void *)(map + shards);
	bench->fillers = (void *)(map + shards + clients);
	bench->positions = (void *)(map + shards + clients + fillers);
	for (size_t i = 0; i < bench->shards_count; i++) {
		pthread_mutex_init(&bench->shards[i].lock, NULL);
		bench->shards[i].ring = map + shards + clients + fillers + positions + i * bench->ring_bytes;
	}
	return map;
}

static bool start_threads(struct taobench *bench)
{
	struct worker *w = bench->team.worker;
	uint64_t begin = ktstr_now_ns(), rate = bench->config->arrival_rate;

	for (size_t i = 0; i < bench->fillers_count; i++) {
		struct filler *filler = &bench->fillers[i];

		filler->bench = bench;
		filler->random = ktstr_random_seeded(work_random(w));
		filler->thread.run = run_filler;
		filler->thread.name = "taobench-slow";
		if (!work_threads_start(&bench->team, &filler->thread))
			return false;
	}
	for (size_t i = 0; i < bench->clients_count; i++) {
		struct client *client = &bench->clients[i];

		client->bench = bench;
		client->random = ktstr_random_seeded(work_random(w));
		client->next_arrival_ns = begin + (rate ? KTSTR_SEC(1) * i / rate : 0);
		client->thread.run = run_client;
		client->thread.name = "taobench-client";
		if (!work_threads_start(&bench->team, &client->thread))
			return false;
	}
	return true;
}

static void run_taobench(struct worker *w)
{
	struct taobench bench = { .config = &w->type->TAOBENCH, .stats = w->group->memory };
	uint64_t tick;
	size_t bytes;
	void *map;

	work_threads_init(&bench.team, w);
	pthread_mutex_init(&bench.misses, NULL);
	size_up(&bench, bench.config);
	map = map_memory(&bench, &bytes);
	if (!map) {
		work_warn_once(w, WORK_WARN_THREADS, "Taobench cannot map %zu MiB; no work is counted", bytes >> 20);
		work_sleep_until(w, UINT64_MAX);
		return;
	}
	warm_up(&bench);
	bench.begin_ns = tick = ktstr_now_ns();
	start_threads(&bench);
	while (!work_should_stop(w)) {
		uint64_t now = work_sleep_in_phase(w, tick);

		account(&bench, now);
		if (now >= tick)
			tick += KTSTR_MS(100);
	}
	account(&bench, ktstr_now_ns());
	work_threads_stop(&bench.team);
	munmap(map, bytes);
}

static const struct work_param params[] = {
	WORK_NUMBER(taobench, client_threads, 0, 0, 4096),
	WORK_NUMBER(taobench, slow_threads, 0, 0, 4096),
	WORK_NUMBER(taobench, cache_capacity_mib, 64, 1, 1 << 14),
	WORK_NUMBER(taobench, target_hit_pct, 90, 1, 99),
	WORK_NUMBER(taobench, slow_path_sleep_us, 100, 0, 0),
	WORK_NUMBER(taobench, slow_path_p99_us, 0, 0, 0),
	WORK_NUMBER(taobench, arrival_rate, 0, 0, 0),
};

static void report(struct ktstr_worker_report *report, const void *memory)
{
	report->taobench = memory;
}

static void report_phase(struct ktstr_phase_slice *slice, const void *stats)
{
	slice->taobench = stats;
}

const struct work_type_ops work_taobench_ops = {
	.name = "Taobench",
	.pressure = "short bursts on sharded locks, handovers between two thread pools (futex)",
	.unit = "a request answered",
	WORK_PARAMS(params),
	.shared_bytes = sizeof(struct ktstr_taobench_stats),
	.run = run_taobench,
	.report = report,
	.stats_since = work_taobench_stats_since,
	.report_phase = report_phase,
};
