/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An rt-app file as a plain program: objects that its tasks share by name, and tasks made of phases made of events.
 * Translated by translate.c on either side, run by worker.c in the guest.
 */
#ifndef KTSTR_RTAPP_PROGRAM_H
#define KTSTR_RTAPP_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ktstr/cpuset.h"
#include "ktstr/units.h"
#include "ktstr/work.h"

enum {
	RTAPP_ENDLESS = 0, /* a loop count: until the stop */
	RTAPP_MAX_WORKERS = 1024, /* of one file, those for forks included */
};

enum rtapp_event_kind {
	RTAPP_RUN,
	RTAPP_RUNTIME,
	RTAPP_SLEEP,
	RTAPP_TIMER,
	RTAPP_LOCK,
	RTAPP_UNLOCK,
	RTAPP_WAIT,
	RTAPP_SIGNAL,
	RTAPP_BROADCAST,
	RTAPP_SYNC,
	RTAPP_BARRIER,
	RTAPP_SUSPEND,
	RTAPP_RESUME,
	RTAPP_YIELD,
	RTAPP_MEM,
	RTAPP_IORUN,
	RTAPP_FORK,
	RTAPP_EVENTS,
};

struct rtapp_event {
	enum rtapp_event_kind kind;
	char *key; /* as the file writes it: "lock2" */
	uint64_t amount; /* RUN, RUNTIME, SLEEP, TIMER: ns; MEM, IORUN: bytes */
	size_t object; /* index of its mutex, condition, barrier, timer; of its task for FORK */
	size_t mutex; /* WAIT, SYNC */
	bool own_timer; /* TIMER: an index into the task's timers, of which each worker has its own */
	bool takes_mutex; /* SYNC: its mutex is not held there; it takes it for the time */
};

/* Unset = stay as you are. */
struct rtapp_sched {
	bool set;
	struct ktstr_sched_policy policy;
	int nice; /* of NORMAL */
};

struct rtapp_phase {
	char *name; /* NULL = the only one of a task without phases */
	unsigned int loops; /* RTAPP_ENDLESS, or how often */
	struct ktstr_cpus cpus; /* empty = the task's */
	struct rtapp_sched sched;
	struct rtapp_event *events;
	size_t events_count;
};

struct rtapp_timer {
	char *name;
	bool absolute; /* never moved when it was missed */
};

struct rtapp_timers {
	struct rtapp_timer *items;
	size_t count;
};

struct rtapp_task {
	char *name;
	unsigned int instances; /* workers that begin at once */
	unsigned int forks; /* workers that fork events let begin */
	uint64_t delay_ns;
	unsigned int loops; /* over all phases */
	char *cgroup; /* "a/b"; NULL = that of tasks without a taskgroup */
	struct ktstr_cpus cpus; /* empty = all */
	struct rtapp_sched sched; /* always set */
	struct rtapp_timers timers;
	struct rtapp_phase *phases;
	size_t phases_count;
};

struct rtapp_program {
	char *file; /* for messages */
	struct ktstr_opt_u64 duration_ns; /* unset = until the tasks end or are stopped */
	enum ktstr_futex_lock_mode lock_mode;
	bool cumulative_slack;
	uint64_t buffer_bytes;
	char *io_device;
	struct rtapp_sched default_sched;
	/* Shared objects, by name; conditions serve wait, signal, broad, sync, suspend and resume. */
	struct ktstr_strv mutexes, conditions, barriers;
	struct rtapp_timers timers;
	unsigned int *barrier_users; /* workers that meet there */
	struct rtapp_task *tasks;
	size_t tasks_count;
};

/*
 * Reads and translates a file. KTSTR_ERR_INVALID names file, task, phase and event, KTSTR_ERR_UNSUPPORTED what has no
 * counterpart here, with a way out.
 */
struct ktstr_error *ktstr_rtapp_load(const char *path, struct rtapp_program **program) KTSTR_CHECKED;
/* The same from text; name is for messages. */
struct ktstr_error *ktstr_rtapp_parse(const char *name, const char *text, struct rtapp_program **program) KTSTR_CHECKED;
/* Do all CPUs that the program names exist on a machine of so many? */
struct ktstr_error *ktstr_rtapp_check_cpus(const struct rtapp_program *program, unsigned int cpus) KTSTR_CHECKED;
void ktstr_rtapp_destroy(struct rtapp_program *program);

/* All workers of a program. */
unsigned int rtapp_workers(const struct rtapp_program *program);
const char *rtapp_event_name(enum rtapp_event_kind kind);

/* relax.c: strict JSON out of what rt-app and workgen take; line numbers stay. A repeated key gets RTAPP_AGAIN + number. */
#define RTAPP_AGAIN '#'
struct ktstr_error *rtapp_strict_json(const char *text, char **json) KTSTR_CHECKED;

/* check.c: what only the whole program shows: locks, barriers, forks, cgroups. Fills in forks and takes_mutex. */
struct ktstr_error *rtapp_check(struct rtapp_program *program) KTSTR_CHECKED;

#endif
