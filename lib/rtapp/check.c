// SPDX-License-Identifier: GPL-2.0-only
/* What only the whole program shows: locks that are never given back, barriers, how many workers forks need, cgroups. */
#include <stdlib.h>
#include <string.h>

#include "rtapp/program.h"

static struct ktstr_error *at_phase(struct ktstr_error *error, const struct rtapp_task *task,
				    const struct rtapp_phase *phase)
{
	if (phase->name)
		error = ktstr_error_wrap(error, "phase %s", phase->name);
	return ktstr_error_wrap(error, "task %s", task->name);
}

static struct ktstr_error *at_event(struct ktstr_error *error, const struct rtapp_task *task,
				    const struct rtapp_phase *phase, const struct rtapp_event *event)
{
	return at_phase(ktstr_error_wrap(error, "event %s", event->key), task, phase);
}

static struct ktstr_error *hold_event(const struct rtapp_program *program, bool *held, struct rtapp_event *event)
{
	const struct ktstr_strv *mutexes = &program->mutexes;

	switch (event->kind) {
	case RTAPP_LOCK:
		if (held[event->object])
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "the task holds the mutex \"%s\" already and would wait for itself: unlock it before",
					       mutexes->items[event->object]);
		held[event->object] = true;
		return NULL;
	case RTAPP_UNLOCK:
		if (!held[event->object])
			return ktstr_error_new(KTSTR_ERR_INVALID, "the task does not hold the mutex \"%s\": lock it before",
					       mutexes->items[event->object]);
		held[event->object] = false;
		return NULL;
	case RTAPP_WAIT:
		if (!held[event->mutex])
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "the task waits with the mutex \"%s\", which it does not hold: lock it before",
					       mutexes->items[event->mutex]);
		return NULL;
	case RTAPP_SYNC: /* documented as one that locks, and used inside of lock and unlock */
		event->takes_mutex = !held[event->mutex];
		return NULL;
	default:
		return NULL;
	}
}

/* One pass over the task shows all of them, when repeated phases give back what they take. */
static struct ktstr_error *check_locks(const struct rtapp_program *program, const struct rtapp_task *task)
{
	size_t mutexes = program->mutexes.count;
	_cleanup_free_ bool *held = ktstr_xcalloc(mutexes + 1, sizeof(*held));
	_cleanup_free_ bool *before = ktstr_xcalloc(mutexes + 1, sizeof(*before));

	for (size_t i = 0; i < task->phases_count; i++) {
		const struct rtapp_phase *phase = &task->phases[i];
		bool last = i + 1 == task->phases_count;

		memcpy(before, held, mutexes * sizeof(*held));
		for (size_t k = 0; k < phase->events_count; k++) {
			struct ktstr_error *error = hold_event(program, held, &phase->events[k]);

			if (error)
				return at_event(error, task, phase, &phase->events[k]);
		}
		for (size_t m = 0; m < mutexes; m++)
			if ((last && held[m]) || (phase->loops != 1 && held[m] != before[m]))
				return at_phase(ktstr_error_new(KTSTR_ERR_INVALID,
								"it %s the mutex \"%s\" at its end%s: unlock it in between",
								held[m] ? "holds" : "does not hold",
								program->mutexes.items[m],
								last ? "" : ", other than at its start, and is repeated"),
						task, phase);
	}
	return NULL;
}

typedef struct ktstr_error *(*event_fn)(struct rtapp_program *program, struct rtapp_task *task,
					struct rtapp_phase *phase, struct rtapp_event *event, void *context);

static struct ktstr_error *each_event(struct rtapp_program *program, enum rtapp_event_kind kind, event_fn fn, void *context)
{
	for (size_t t = 0; t < program->tasks_count; t++)
		for (size_t p = 0; p < program->tasks[t].phases_count; p++) {
			struct rtapp_phase *phase = &program->tasks[t].phases[p];

			for (size_t e = 0; e < phase->events_count; e++) {
				struct ktstr_error *error =
					phase->events[e].kind != kind ?
						NULL :
						fn(program, &program->tasks[t], phase, &phase->events[e], context);

				if (error)
					return at_event(error, &program->tasks[t], phase, &phase->events[e]);
			}
		}
	return NULL;
}

static struct ktstr_error *check_barrier(struct rtapp_program *program, struct rtapp_task *task, struct rtapp_phase *phase,
					 struct rtapp_event *event, void *context)
{
	const struct rtapp_task **last_users = context;

	(void)phase;
	if (task->forks)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the task is forked, so that nobody knows how many will come: leave the barrier out");
	if (last_users[event->object] == task)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the task uses the barrier \"%s\" twice and would wait for itself: give each use a name of its own",
				       program->barriers.items[event->object]);
	last_users[event->object] = task;
	program->barrier_users[event->object] += task->instances;
	return NULL;
}

enum visit { NOT_VISITED, VISITING, VISITED };

struct fork_count {
	enum visit *visits; /* of each task */
	struct rtapp_task *child;
};

static struct ktstr_error *count_forks(struct rtapp_program *program, struct rtapp_task *child, enum visit *visits);

/* Workers exist before the run begins: each fork event of the whole run needs one. */
static struct ktstr_error *count_fork(struct rtapp_program *program, struct rtapp_task *task, struct rtapp_phase *phase,
				      struct rtapp_event *event, void *context)
{
	struct fork_count *count = context;
	uint64_t forks;

	if (&program->tasks[event->object] != count->child)
		return NULL;
	if (task->loops == RTAPP_ENDLESS || phase->loops == RTAPP_ENDLESS)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "a fork without end cannot be translated, as workers are made before the run begins: give task and phase a loop of so many times");
	KTSTR_TRY(count_forks(program, task, count->visits));
	forks = ((uint64_t)task->instances + task->forks) * task->loops;
	forks = forks > RTAPP_MAX_WORKERS ? forks : forks * phase->loops;
	if (forks + count->child->forks > RTAPP_MAX_WORKERS)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "it makes more than %d workers of task %s, which are made before the run begins: give it a smaller loop",
				       RTAPP_MAX_WORKERS, count->child->name);
	count->child->forks += (unsigned int)forks;
	return NULL;
}

static struct ktstr_error *count_forks(struct rtapp_program *program, struct rtapp_task *child, enum visit *visits)
{
	enum visit *visit = &visits[child - program->tasks];
	struct fork_count count = { visits, child };

	if (*visit == VISITED)
		return NULL;
	if (*visit == VISITING)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "task %s forks itself, in the end without end: break the circle",
				       child->name);
	*visit = VISITING;
	KTSTR_TRY(each_event(program, RTAPP_FORK, count_fork, &count));
	*visit = VISITED;
	return NULL;
}

/* cgroup v2: processes live in leaves only, once controllers are enabled. */
static struct ktstr_error *check_cgroups(const struct rtapp_program *program)
{
	for (size_t i = 0; i < program->tasks_count; i++)
		for (size_t k = 0; k < program->tasks_count; k++) {
			const struct rtapp_task *outer = &program->tasks[i], *inner = &program->tasks[k];
			size_t length = outer->cgroup ? strlen(outer->cgroup) : 0;

			if (length && inner->cgroup && !strncmp(inner->cgroup, outer->cgroup, length) &&
			    inner->cgroup[length] == '/')
				return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
						       "task %s: taskgroup \"/%s\" cannot be translated, as task %s is in \"/%s\" below it and cgroup v2 keeps tasks in leaves: put it into a leaf",
						       outer->name, outer->cgroup, inner->name, inner->cgroup);
		}
	return NULL;
}

unsigned int rtapp_workers(const struct rtapp_program *program)
{
	unsigned int workers = 0;

	for (size_t i = 0; i < program->tasks_count; i++)
		workers += program->tasks[i].instances + program->tasks[i].forks;
	return workers;
}

struct ktstr_error *rtapp_check(struct rtapp_program *program)
{
	_cleanup_free_ enum visit *visits = ktstr_xcalloc(program->tasks_count, sizeof(*visits));
	_cleanup_free_ const struct rtapp_task **barrier_users =
		ktstr_xcalloc(program->barriers.count + 1, sizeof(*barrier_users));
	unsigned int workers;

	for (size_t i = 0; i < program->tasks_count; i++) {
		KTSTR_TRY(check_locks(program, &program->tasks[i]));
		KTSTR_TRY(count_forks(program, &program->tasks[i], visits));
	}
	program->barrier_users = ktstr_xcalloc(program->barriers.count + 1, sizeof(*program->barrier_users));
	KTSTR_TRY(each_event(program, RTAPP_BARRIER, check_barrier, barrier_users));
	KTSTR_TRY(check_cgroups(program));
	workers = rtapp_workers(program);
	if (!workers || workers > RTAPP_MAX_WORKERS)
		return ktstr_error_new(KTSTR_ERR_INVALID, "it has %u workers in all: give 1 to %d, in \"instance\" and by forks",
				       workers, RTAPP_MAX_WORKERS);
	return NULL;
}

struct ktstr_error *ktstr_rtapp_check_cpus(const struct rtapp_program *program, unsigned int cpus)
{
	for (size_t i = 0; i < program->tasks_count; i++) {
		const struct rtapp_task *task = &program->tasks[i];
		struct ktstr_cpus named = task->cpus;
		int beyond;

		for (size_t k = 0; k < task->phases_count; k++)
			named = ktstr_cpus_or(&named, &task->phases[k].cpus);
		beyond = ktstr_cpus_next(&named, cpus);
		if (beyond >= 0)
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "%s: task %s: cpus names CPU %d, but the machine has %u: give a larger --topology",
					       program->file, task->name, beyond, cpus);
	}
	return NULL;
}
