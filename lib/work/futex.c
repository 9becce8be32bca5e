// SPDX-License-Identifier: GPL-2.0-only
/* Work types whose workers wake each other through futexes: pairs, fans, herds, chains. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "work/matrix.h"
#include "work/work_type.h"

#define UNIT_SPIN "32 multiply-adds and a pause"

/* Words of a group that different workers write, a cache line each. */
struct futex_group {
	_Alignas(64) _Atomic uint32_t word; /* token, generation or turn */
	_Alignas(64) _Atomic uint32_t waiting; /* receivers that wait for the next generation */
	_Alignas(64) _Atomic uint64_t stamp_ns; /* when the generation was made */
};

static struct futex_group *futex_group(const struct worker *w)
{
	return w->group->memory;
}

/*
 * FutexPingPong: a token goes back and forth. futex_wake -> wake_q -> try_to_wake_up without WF_SYNC: the waker runs
 * on, so the wakee should get a CPU of its own.
 */
static void run_futex_ping_pong(struct worker *w)
{
	struct futex_group *group = futex_group(w);
	uint32_t own = w->position, other = 1 - own;
	uint64_t since = 0;

	while (!work_should_stop(w)) {
		uint64_t now = work_wait_word(w, &group->word, other);

		if (work_should_stop(w))
			break;
		if (since)
			work_record_wake(w, now - since);
		work_spin(w, w->type->FUTEX_PING_PONG.spin_iters);
		w->work_units += w->type->FUTEX_PING_PONG.spin_iters == 0;
		work_checkpoint(w);
		atomic_store(&group->word, other);
		since = ktstr_now_ns();
		work_futex_wake(&group->word, 1);
		work_iteration_done(w);
	}
}

static const struct work_param futex_ping_pong_params[] = {
	WORK_NUMBER(futex_ping_pong, spin_iters, 1024, 0, 0),
};

const struct work_type_ops work_futex_ping_pong_ops = {
	.name = "FutexPingPong",
	.pressure = "wakeup without WF_SYNC (futex_wake, try_to_wake_up): the waker runs on",
	.unit = UNIT_SPIN,
	WORK_PARAMS(futex_ping_pong_params),
	.group_size = work_group_of_two,
	.shared_bytes = sizeof(struct futex_group),
	.run = run_futex_ping_pong,
};

static void new_generation(struct futex_group *group, int wakees)
{
	atomic_fetch_add(&group->word, 1);
	work_futex_wake(&group->word, wakees);
}

/*
 * FutexFanOut: one wakes several at once: wake_up_q -> try_to_wake_up in a row from one CPU, select_task_rq under the
 * pressure of its siblings, which look for idle CPUs at the same time.
 */
static void run_futex_fan_out(struct worker *w)
{
	const struct ktstr_work_futex_fan_out *type = &w->type->FUTEX_FAN_OUT;
	struct futex_group *group = futex_group(w);

	while (!work_should_stop(w)) {
		uint32_t seen = atomic_load(&group->word);

		work_spin(w, type->spin_iters);
		if (w->position == 0) {
			new_generation(group, (int)type->fan_out);
			work_spin(w, 256);
		} else {
			uint64_t since = ktstr_now_ns(), now = work_wait_word(w, &group->word, seen);

			if (!work_should_stop(w))
				work_record_wake(w, now - since);
		}
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static unsigned int fan_out_group(const struct ktstr_work_type *type)
{
	return type->FUTEX_FAN_OUT.fan_out + 1;
}

static const struct work_param futex_fan_out_params[] = {
	WORK_NUMBER(futex_fan_out, fan_out, 4, 1, 1024),
	WORK_NUMBER(futex_fan_out, spin_iters, 1024, 0, 0),
};

const struct work_type_ops work_futex_fan_out_ops = {
	.name = "FutexFanOut",
	.pressure = "one wakes many (wake_up_q): select_task_rq in a row from one CPU",
	.unit = UNIT_SPIN,
	WORK_PARAMS(futex_fan_out_params),
	.group_size = fan_out_group,
	.messenger = true,
	.shared_bytes = sizeof(struct futex_group),
	.run = run_futex_fan_out,
};

/* Round by round: the next wake comes when all receivers wait for it, so that each one is a wake from idleness. */
static void fan_out_messages(struct worker *w, uint32_t fan_out)
{
	struct futex_group *group = futex_group(w);

	while (!work_should_stop(w)) {
		uint32_t waiting = atomic_load(&group->waiting);

		if (waiting < fan_out) {
			work_wait_word(w, &group->waiting, waiting);
			continue;
		}
		atomic_store(&group->waiting, 0);
		atomic_store_explicit(&group->stamp_ns, ktstr_now_ns(), memory_order_release);
		new_generation(group, (int)fan_out);
		w->work_units++;
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static void compute_on_message(struct worker *w, uint64_t *cells, size_t dim)
{
	const struct ktstr_work_fan_out_compute *type = &w->type->FAN_OUT_COMPUTE;
	struct futex_group *group = futex_group(w);

	while (!work_should_stop(w)) {
		uint32_t seen = atomic_load(&group->word);
		uint64_t now;

		atomic_fetch_add(&group->waiting, 1);
		work_futex_wake(&group->waiting, 1);
		now = work_wait_word(w, &group->word, seen);
		if (work_should_stop(w))
			return;
		work_record_wake(w, now - atomic_load_explicit(&group->stamp_ns, memory_order_acquire));
		if (type->sleep_usec)
			work_sleep_until(w, now + KTSTR_US(type->sleep_usec));
		for (uint64_t i = 0; i < type->operations && !work_should_stop(w); i++) {
			work_matrix_product(cells, dim);
			w->work_units++;
		}
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

/*
 * FanOutCompute: a messenger wakes receivers that think: sleep, then matrix products over a cache footprint. The wake
 * latency of a request with its cache refill behind it, as schbench's in its smallest form.
 */
static void run_fan_out_compute(struct worker *w)
{
	const struct ktstr_work_fan_out_compute *type = &w->type->FAN_OUT_COMPUTE;
	size_t dim = work_matrix_dim(type->cache_footprint_kib);
	uint64_t *cells;

	if (w->position == 0) {
		fan_out_messages(w, type->fan_out);
		return;
	}
	cells = calloc(1, work_matrix_bytes(dim) + 1);
	if (cells)
		compute_on_message(w, cells, dim);
	free(cells);
}

static unsigned int fan_out_compute_group(const struct ktstr_work_type *type)
{
	return type->FAN_OUT_COMPUTE.fan_out + 1;
}

static const struct work_param fan_out_compute_params[] = {
	WORK_NUMBER(fan_out_compute, fan_out, 4, 1, 1024),
	WORK_NUMBER(fan_out_compute, cache_footprint_kib, 256, 1, 1 << 20),
	WORK_NUMBER(fan_out_compute, operations, 5, 0, 0),
	WORK_NUMBER(fan_out_compute, sleep_usec, 100, 0, 0),
};

const struct work_type_ops work_fan_out_compute_ops = {
	.name = "FanOutCompute",
	.pressure = "wake latency of requests from one messenger, with a cache footprint behind it",
	.unit = "a matrix product; of the messenger a round",
	WORK_PARAMS(fan_out_compute_params),
	.group_size = fan_out_compute_group,
	.messenger = true,
	.shared_bytes = sizeof(struct futex_group),
	.run = run_fan_out_compute,
};

static void wake_herd(struct worker *w)
{
	const struct ktstr_work_thundering_herd *type = &w->type->THUNDERING_HERD;
	struct futex_group *group = futex_group(w);

	for (uint64_t batch = 0; batch < type->batches && !work_should_stop(w); batch++) {
		uint64_t since = ktstr_now_ns();

		work_record_wait(w, since, work_sleep_until(w, since + KTSTR_MS(type->inter_batch_ms)));
		new_generation(group, (int)type->waiters);
		work_spin(w, 256);
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

/*
 * ThunderingHerd: everybody waits on one word and one wake frees them all: a burst of try_to_wake_up from one CPU, an
 * instant imbalance for the load balancer.
 */
static void run_thundering_herd(struct worker *w)
{
	struct futex_group *group = futex_group(w);

	while (!work_should_stop(w)) {
		uint32_t seen = atomic_load(&group->word);
		uint64_t since = ktstr_now_ns(), now;

		if (w->position == 0) {
			wake_herd(w);
			continue;
		}
		now = work_wait_word(w, &group->word, seen);
		if (work_should_stop(w))
			break;
		work_record_wake(w, now - since);
		w->work_units++;
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static unsigned int thundering_herd_group(const struct ktstr_work_type *type)
{
	return type->THUNDERING_HERD.waiters + 1;
}

static const struct work_param thundering_herd_params[] = {
	WORK_NUMBER(thundering_herd, waiters, 7, 1, 4096),
	WORK_NUMBER(thundering_herd, batches, 1000, 1, 0),
	WORK_NUMBER(thundering_herd, inter_batch_ms, 5, 0, 0),
};

const struct work_type_ops work_thundering_herd_ops = {
	.name = "ThunderingHerd",
	.pressure = "a burst of wakeups from one CPU, an instant imbalance",
	.unit = "a wake; of the waker " UNIT_SPIN,
	WORK_PARAMS(thundering_herd_params),
	.group_size = thundering_herd_group,
	.shared_bytes = sizeof(struct futex_group),
	.run = run_thundering_herd,
};

/*
 * AsymmetricWaker: waker and wakee of chosen scheduling classes: wakeup preemption across classes, and what an
 * unfair class pair does to latency.
 */
static void run_asymmetric_waker(struct worker *w)
{
	const struct ktstr_work_asymmetric_waker *type = &w->type->ASYMMETRIC_WAKER;
	struct futex_group *group = futex_group(w);

	work_take_policy(w, ktstr_sched_class_policy(w->position ? type->wakee_class : type->waker_class));
	while (!work_should_stop(w)) {
		uint32_t seen = atomic_load(&group->word);

		if (w->position) {
			uint64_t since = ktstr_now_ns(), now = work_wait_word(w, &group->word, seen);

			if (work_should_stop(w))
				break;
			work_record_wake(w, now - since);
		}
		work_spin(w, type->burst_iters);
		w->work_units += type->burst_iters == 0;
		if (!w->position)
			new_generation(group, 1);
		work_checkpoint(w);
		work_iteration_done(w);
	}
}

static const char *const class_names[] = { "cfs", "batch", "idle", "rt", "deadline", "ext", NULL };

static const struct work_param asymmetric_waker_params[] = {
	WORK_ENUM(asymmetric_waker, waker_class, class_names),
	WORK_ENUM(asymmetric_waker, wakee_class, class_names),
	WORK_NUMBER(asymmetric_waker, burst_iters, 1024, 0, 0),
};

const struct work_type_ops work_asymmetric_waker_ops = {
	.name = "AsymmetricWaker",
	.pressure = "wakeups and preemption between two scheduling classes",
	.unit = UNIT_SPIN,
	WORK_PARAMS(asymmetric_waker_params),
	.group_size = work_group_of_two,
	.shared_bytes = sizeof(struct futex_group),
	.run = run_asymmetric_waker,
};

/* False at the stop. A stage's turn comes by its own pipe, or by a word that all stages watch. */
static bool wait_turn(struct worker *w, unsigned int depth)
{
	struct futex_group *group = futex_group(w);
	uint32_t turn;
	char token;

	if (w->type->WAKE_CHAIN.wake == KTSTR_WAKE_PIPE) {
		int fd = w->group->fds[2 * w->position];

		return work_wait_fd(w, fd, POLLIN) && read(fd, &token, 1) == 1;
	}
	while ((turn = atomic_load(&group->word)) % depth != w->position && !work_should_stop(w))
		work_wait_word(w, &group->word, turn);
	return !work_should_stop(w);
}

static void pass_turn(struct worker *w, unsigned int depth)
{
	struct futex_group *group = futex_group(w);

	if (w->type->WAKE_CHAIN.wake == KTSTR_WAKE_PIPE) {
		/* A pipe holds more tokens than there are: it never blocks. */
		if (write(w->group->fds[2 * ((w->position + 1) % depth) + 1], "t", 1) != 1)
			work_sleep_until(w, UINT64_MAX);
		return;
	}
	atomic_fetch_add(&group->word, 1);
	work_futex_wake_all(&group->word);
}

/*
 * WakeChain: stages wake each other in a ring, one running at a time: a request that hops through services. With
 * PIPE each hop is a synchronous wakeup, with FUTEX all stages are woken and one goes on.
 */
static void run_wake_chain(struct worker *w)
{
	const struct ktstr_work_wake_chain *type = &w->type->WAKE_CHAIN;
	bool bootstrap = w->position == 0;

	while (!work_should_stop(w)) {
		uint64_t since = ktstr_now_ns(), until;

		if (!bootstrap || type->wake == KTSTR_WAKE_FUTEX) {
			if (!wait_turn(w, type->depth))
				break;
			if (!bootstrap)
				work_record_wake(w, ktstr_now_ns() - since);
		}
		bootstrap = false;
		until = ktstr_now_ns() + type->work_per_hop;
		do {
			work_spin(w, 256);
			work_checkpoint(w);
		} while (ktstr_now_ns() < until && !work_should_stop(w));
		pass_turn(w, type->depth);
		work_iteration_done(w);
	}
}

static unsigned int wake_chain_group(const struct ktstr_work_type *type)
{
	return type->WAKE_CHAIN.depth;
}

static struct ktstr_error *open_chain(struct work_group *group)
{
	unsigned int pipes = group->type->WAKE_CHAIN.wake == KTSTR_WAKE_PIPE ? group->type->WAKE_CHAIN.depth : 0;

	for (unsigned int i = 0; i < pipes; i++) {
		if (pipe2(&group->fds[2 * i], O_CLOEXEC))
			return ktstr_error_sys(errno, "cannot make a pipe for WakeChain");
		group->fds_count += 2;
	}
	return NULL;
}

static const char *const wake_names[] = { "pipe", "futex", NULL };

static const struct work_param wake_chain_params[] = {
	WORK_NUMBER(wake_chain, depth, 4, 2, WORK_GROUP_MAX_FDS / 2,
		    .error_below = KTSTR_WORK_TYPE_INSUFFICIENT_WAKE_CHAIN_DEPTH),
	WORK_ENUM(wake_chain, wake, wake_names),
	WORK_DURATION(wake_chain, work_per_hop, KTSTR_US(100), 0),
};

const struct work_type_ops work_wake_chain_ops = {
	.name = "WakeChain",
	.pressure = "a chain of wakeups, one worker running at a time",
	.unit = UNIT_SPIN,
	WORK_PARAMS(wake_chain_params),
	.group_size = wake_chain_group,
	.shared_bytes = sizeof(struct futex_group),
	.open_group = open_chain,
	.run = run_wake_chain,
};
