/* SPDX-License-Identifier: GPL-2.0-only */
/* The schedulers of one run, as the guest tells of them: each start is an instance, with its own log and end. */
#ifndef KTSTR_RUNNER_INSTANCES_H
#define KTSTR_RUNNER_INSTANCES_H

#include <jansson.h>

#include "base/str.h"

struct ktstr_sched_instance {
	char *name;
	char *ops; /* what sched_ext called it; NULL = it did not attach, or has no part in sched_ext */
	char *end; /* how it ended; NULL = it was there to the end */
	struct ktstr_str log;
};

/* Zero-initialise; deinit when done. */
struct ktstr_sched_instances {
	struct ktstr_sched_instance *items;
	size_t count;
	size_t log_bytes; /* of all: a cap for what a guest may say */
};

void ktstr_sched_instances_deinit(struct ktstr_sched_instances *instances);
/* A new one; beyond 1000, which only a guest gone mad starts, the last one goes on. */
void ktstr_sched_instances_start(struct ktstr_sched_instances *instances, const char *name);
/* The one that was started last; one of that name is made when there is none. */
struct ktstr_sched_instance *ktstr_sched_instances_current(struct ktstr_sched_instances *instances, const char *name);
void ktstr_sched_instances_log(struct ktstr_sched_instances *instances, const char *name, const void *text,
			       size_t length);
/* All logs in one text, with a line before each when there are several. Heap. */
char *ktstr_sched_instances_text(const struct ktstr_sched_instances *instances);
/* [{instance, name, ops, end, log}], of each log its end; NULL for none. New reference. */
json_t *ktstr_sched_instances_json(const struct ktstr_sched_instances *instances);

#endif
