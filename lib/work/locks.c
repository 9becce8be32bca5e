// SPDX-License-Identifier: GPL-2.0-only
/* Work types around a lock: contention among equals, and inversion among priorities. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/work_type.h"

#define UNIT_SPIN "32 multiply-adds and a pause"

struct lock_group {
	_Alignas(64) _Atomic uint32_t lock; /* 0 free, 1 held, 2 held and waited for; with PI the holder's tid */
};

static struct lock_group *lock_group(const struct worker *w)
{
	return w->group->memory;
}

/* The three-state mutex of "Futexes Are Tricky" (Drepper): false at the stop, the lock is then not held. */
static bool lock_plain(struct worker *w, _Atomic uint32_t *lock)
{
	uint32_t seen = 0;

	if (atomic_compare_exchange_strong(lock, &seen, 1))
		return true;
	while (!work_should_stop(w)) {
		uint64_t since;

		if (seen != 2 && atomic_exchange(lock, 2) == 0)
			return true;
		since = ktstr_now_ns();
		work_record_wait(w, since, work_wait_word(w, lock, 2));
		seen = atomic_exchange(lock, 2);
		if (!seen)
			return true;
	}
	return false;
}

static void unlock_plain(_Atomic uint32_t *lock)
{
	if (atomic_exchange(lock, 0) == 2)
		work_futex_wake(lock, 1);
}

/* MutexContention: a convoy: wakeups of waiters that find the lock taken again, a holder preempted with all waiting. */
static void run_mutex_contention(struct worker *w)
{
	const struct ktstr_work_mutex_contention *type = &w->type->MUTEX_CONTENTION;
	struct lock_group *group = lock_group(w);

	while (!work_should_stop(w)) {
		work_spin(w, type->work_iters);
		if (!lock_plain(w, &group->lock))
			break;
		work_spin(w, type->hold_iters);
		unlock_plain(&group->lock);
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static unsigned int mutex_contention_group(const struct ktstr_work_type *type)
{
	return type->MUTEX_CONTENTION.contenders;
}

static const struct work_param mutex_contention_params[] = {
	WORK_NUMBER(mutex_contention, contenders, 4, 1, 4096),
	WORK_NUMBER(mutex_contention, hold_iters, 256, 0, 0),
	WORK_NUMBER(mutex_contention, work_iters, 1024, 1, 0),
};

const struct work_type_ops work_mutex_contention_ops = {
	.name = "MutexContention",
	.pressure = "a lock convoy (futex_wait, futex_wake), holders preempted while others wait",
	.unit = UNIT_SPIN,
	WORK_PARAMS(mutex_contention_params),
	.group_size = mutex_contention_group,
	.shared_bytes = sizeof(struct lock_group),
	.run = run_mutex_contention,
};

/* FUTEX_LOCK_PI takes CLOCK_REALTIME deadlines; 100 ms, then a look at the stop. */
static bool lock_pi(struct worker *w, _Atomic uint32_t *lock)
{
	uint32_t none = 0;

	if (atomic_compare_exchange_strong(lock, &none, (uint32_t)gettid()))
		return true;
	while (!work_should_stop(w)) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (syscall(SYS_futex, lock, FUTEX_LOCK_PI, 0, &until, NULL, 0) == 0) {
			work_reset_gap(w, ktstr_now_ns());
			return true;
		}
		if (errno == ESRCH) /* its holder was killed: nobody will ever unlock it */
			atomic_store(lock, 0);
		work_reset_gap(w, ktstr_now_ns());
	}
	return false;
}

static void unlock_pi(_Atomic uint32_t *lock)
{
	uint32_t own = (uint32_t)gettid();

	if (!atomic_compare_exchange_strong(lock, &own, 0))
		syscall(SYS_futex, lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

bool work_lock(struct worker *w, _Atomic uint32_t *lock, enum ktstr_futex_lock_mode mode)
{
	return mode == KTSTR_LOCK_PI ? lock_pi(w, lock) : lock_plain(w, lock);
}

void work_unlock(_Atomic uint32_t *lock, enum ktstr_futex_lock_mode mode)
{
	if (mode == KTSTR_LOCK_PI)
		unlock_pi(lock);
	else
		unlock_plain(lock);
}

enum priority_role { ROLE_HIGH, ROLE_MEDIUM, ROLE_LOW };

static enum priority_role role_of(const struct worker *w)
{
	const struct ktstr_work_priority_inversion *type = &w->type->PRIORITY_INVERSION;

	return w->position < type->high			 ? ROLE_HIGH :
	       w->position < type->high + type->medium ? ROLE_MEDIUM :
							 ROLE_LOW;
}

/*
 * PriorityInversion: low holds what high wants while medium keeps the CPU: rt_mutex priority inheritance
 * (rt_mutex_setprio, of a task that sched_ext ran, too), or with PLAIN its absence. The roles never sleep but for the
 * lock: on fewer CPUs than a group has workers the higher ones keep them, until RT throttling lets the others in.
 */
static void run_priority_inversion(struct worker *w)
{
	static const int priorities[] = { [ROLE_HIGH] = 70, [ROLE_MEDIUM] = 50, [ROLE_LOW] = 30 };
	const struct ktstr_work_priority_inversion *type = &w->type->PRIORITY_INVERSION;
	bool pi = type->lock == KTSTR_LOCK_PI;
	struct lock_group *group = lock_group(w);
	enum priority_role role = role_of(w);

	work_take_policy(w, ktstr_policy_fifo(priorities[role]));
	while (!work_should_stop(w)) {
		work_spin(w, type->work_iters);
		if (role != ROLE_MEDIUM) {
			if (!work_lock(w, &group->lock, type->lock))
				break;
			work_spin(w, role == ROLE_LOW || pi ? type->hold_iters : type->work_iters);
			work_unlock(&group->lock, type->lock);
		}
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

static unsigned int priority_inversion_group(const struct ktstr_work_type *type)
{
	return type->PRIORITY_INVERSION.high + type->PRIORITY_INVERSION.medium + type->PRIORITY_INVERSION.low;
}

static const char *const lock_names[] = { "plain", "pi", NULL };

static const struct work_param priority_inversion_params[] = {
	WORK_NUMBER(priority_inversion, high, 1, 1, 1024),
	WORK_NUMBER(priority_inversion, medium, 1, 0, 1024),
	WORK_NUMBER(priority_inversion, low, 1, 1, 1024),
	WORK_NUMBER(priority_inversion, hold_iters, 4096, 1, 0),
	WORK_NUMBER(priority_inversion, work_iters, 1024, 1, 0),
	WORK_ENUM(priority_inversion, lock, lock_names),
};

const struct work_type_ops work_priority_inversion_ops = {
	.name = "PriorityInversion",
	.pressure = "priority inheritance through a futex (rt_mutex_setprio), or its absence",
	.unit = UNIT_SPIN,
	WORK_PARAMS(priority_inversion_params),
	.group_size = priority_inversion_group,
	.shared_bytes = sizeof(struct lock_group),
	.run = run_priority_inversion,
};
