/* SPDX-License-Identifier: GPL-2.0-only */
/* What translate.c and events.c need of each other. */
#ifndef KTSTR_RTAPP_TRANSLATE_H
#define KTSTR_RTAPP_TRANSLATE_H

#include <jansson.h>

#include "ktstr/cgroup.h"
#include "rtapp/program.h"

#define RTAPP_MAX_US INT32_MAX /* rt-app's numbers are ints */

/* "<key> is a string: give <wanted>" */
struct ktstr_error *rtapp_wrong_kind(const char *key, const json_t *value, const char *wanted) KTSTR_CHECKED;
/* A key as messages show it: "run#1" is "run (no. 2)". Heap. */
char *rtapp_shown_key(const char *key);
struct ktstr_error *rtapp_integer(const json_t *object, const char *key, int64_t fallback, int64_t min, int64_t max,
				  int64_t *number) KTSTR_CHECKED;
struct ktstr_error *rtapp_text(const json_t *object, const char *key, const char *fallback, const char **text)
	KTSTR_CHECKED;
struct ktstr_error *rtapp_check_timer_keys(const json_t *object) KTSTR_CHECKED;
struct ktstr_error *rtapp_check_wait_keys(const json_t *object) KTSTR_CHECKED;

/* events.c: a key that begins with the name of an event is one. */
bool rtapp_is_event(const char *key);
/* All events of an object, in its order; objects they name are added to program and task. */
struct ktstr_error *rtapp_translate_events(const json_t *object, struct rtapp_program *program, struct rtapp_task *task,
					   struct rtapp_phase *phase) KTSTR_CHECKED;

#endif
