/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the stall watch, for its tests; and its JSON form. */
#ifndef KTSTR_HOST_STALL_H
#define KTSTR_HOST_STALL_H

#include <jansson.h>
#include <stdbool.h>

#include "ktstr/stall.h"

/* The text of /proc/<pid>/sched; false when it lacks one of the two numbers. */
bool ktstr_stall_parse_sched(const char *text, struct ktstr_stall_sample *sample);
/* Adds a look to the last ones; true when it completes a stall that has not been told yet. */
bool ktstr_stall_add(struct ktstr_stall_sample samples[KTSTR_STALL_SAMPLES], unsigned int *count, bool *reported,
		     const struct ktstr_stall_sample *sample);
/* New reference; moments in time are left out. */
json_t *ktstr_stall_report_to_json(const struct ktstr_stall_report *report);

#endif
