// SPDX-License-Identifier: GPL-2.0-only
/* The events of a phase: a key whose beginning says what is done, and a value that says with what. */
#include <stdlib.h>
#include <string.h>

#include "rtapp/translate.h"

struct event_context {
	struct rtapp_program *program;
	struct rtapp_task *task;
	const json_t *value;
	struct rtapp_event *event;
};

static size_t find_or_add(struct ktstr_strv *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i], name))
			return i;
	ktstr_strv_add(names, name);
	return names->count - 1;
}

static size_t find_or_add_timer(struct rtapp_timers *timers, const char *name)
{
	for (size_t i = 0; i < timers->count; i++)
		if (!strcmp(timers->items[i].name, name))
			return i;
	timers->items = ktstr_xrealloc(timers->items, (timers->count + 1) * sizeof(*timers->items));
	timers->items[timers->count] = (struct rtapp_timer){ .name = ktstr_xstrdup(name) };
	return timers->count++;
}

static struct ktstr_error *take_number(const struct event_context *c, const char *unit, uint64_t *number)
{
	json_int_t given = json_integer_value(c->value);

	if (!json_is_integer(c->value))
		return rtapp_wrong_kind("its value", c->value, unit);
	if (given < 0 || given > RTAPP_MAX_US)
		return ktstr_error_new(KTSTR_ERR_INVALID, "its value is %lld: give %s from 0 to %d", (long long)given, unit,
				       RTAPP_MAX_US);
	*number = (uint64_t)given;
	return NULL;
}

static struct ktstr_error *take_duration(const struct event_context *c)
{
	uint64_t us = 0;

	KTSTR_TRY(take_number(c, "an integer of microseconds", &us));
	c->event->amount = KTSTR_US(us);
	return NULL;
}

static struct ktstr_error *take_bytes(const struct event_context *c)
{
	return take_number(c, "an integer of bytes", &c->event->amount);
}

static struct ktstr_error *take_name(const struct event_context *c, const char *of_what, const char **name)
{
	*name = json_string_value(c->value);
	if (!*name || !**name)
		return rtapp_wrong_kind("its value", c->value, of_what);
	return NULL;
}

static struct ktstr_error *take_object(const struct event_context *c, const char *of_what, struct ktstr_strv *names)
{
	const char *name;

	KTSTR_TRY(take_name(c, of_what, &name));
	c->event->object = find_or_add(names, name);
	return NULL;
}

static struct ktstr_error *take_mutex(const struct event_context *c)
{
	return take_object(c, "the name of a mutex", &c->program->mutexes);
}

static struct ktstr_error *take_condition(const struct event_context *c)
{
	return take_object(c, "the name of what is waited for", &c->program->conditions);
}

static struct ktstr_error *take_barrier(const struct event_context *c)
{
	return take_object(c, "the name of a barrier", &c->program->barriers);
}

/* Without a name, as workgen has it, the task's own. */
static struct ktstr_error *take_suspension(const struct event_context *c)
{
	const char *name = json_string_value(c->value);

	if (!json_is_null(c->value) && !name)
		return rtapp_wrong_kind("its value", c->value, "the name that others resume");
	c->event->object = find_or_add(&c->program->conditions, name && *name ? name : c->task->name);
	return NULL;
}

static struct ktstr_error *take_wait(const struct event_context *c)
{
	const char *ref, *mutex;

	if (!json_is_object(c->value))
		return rtapp_wrong_kind("its value", c->value, "{ \"ref\": NAME, \"mutex\": NAME }");
	KTSTR_TRY(rtapp_check_wait_keys(c->value));
	KTSTR_TRY(rtapp_text(c->value, "ref", NULL, &ref));
	KTSTR_TRY(rtapp_text(c->value, "mutex", NULL, &mutex));
	if (!ref || !mutex)
		return ktstr_error_new(KTSTR_ERR_INVALID, "it has no \"%s\": give { \"ref\": NAME, \"mutex\": NAME }",
				       ref ? "mutex" : "ref");
	c->event->object = find_or_add(&c->program->conditions, ref);
	c->event->mutex = find_or_add(&c->program->mutexes, mutex);
	return NULL;
}

/* A timer whose name begins with "unique" is each worker's own. */
static struct ktstr_error *take_timer(const struct event_context *c)
{
	const char *ref, *mode;
	struct rtapp_timers *timers;
	int64_t period_us;

	if (!json_is_object(c->value))
		return rtapp_wrong_kind("its value", c->value, "{ \"ref\": NAME, \"period\": MICROSECONDS }");
	KTSTR_TRY(rtapp_check_timer_keys(c->value));
	KTSTR_TRY(rtapp_text(c->value, "ref", NULL, &ref));
	KTSTR_TRY(rtapp_text(c->value, "mode", "relative", &mode));
	KTSTR_TRY(rtapp_integer(c->value, "period", -1, 0, RTAPP_MAX_US, &period_us));
	if (!ref || period_us < 0)
		return ktstr_error_new(KTSTR_ERR_INVALID, "it has no \"%s\": give { \"ref\": NAME, \"period\": MICROSECONDS }",
				       ref ? "period" : "ref");
	if (strcmp(mode, "relative") && strcmp(mode, "absolute"))
		return ktstr_error_new(KTSTR_ERR_INVALID, "mode is \"%s\": give relative or absolute", mode);
	c->event->own_timer = ktstr_str_starts_with(ref, "unique");
	timers = c->event->own_timer ? &c->task->timers : &c->program->timers;
	c->event->object = find_or_add_timer(timers, ref);
	timers->items[c->event->object].absolute |= !strcmp(mode, "absolute");
	c->event->amount = KTSTR_US((uint64_t)period_us);
	return NULL;
}

static struct ktstr_error *take_task(const struct event_context *c)
{
	const char *name;

	KTSTR_TRY(take_name(c, "the name of a task", &name));
	for (size_t i = 0; i < c->program->tasks_count; i++)
		if (!strcmp(c->program->tasks[i].name, name)) {
			c->event->object = i;
			return NULL;
		}
	return ktstr_error_new(KTSTR_ERR_INVALID, "there is no task \"%s\": name one of \"tasks\"", name);
}

static struct ktstr_error *take_nothing(const struct event_context *c)
{
	(void)c;
	return NULL;
}

/* The first row whose name the key begins with: runtime is before run. */
static const struct event_row {
	const char *name;
	enum rtapp_event_kind kind;
	struct ktstr_error *(*take)(const struct event_context *c);
} rows[] = {
	{ "lock", RTAPP_LOCK, take_mutex },
	{ "unlock", RTAPP_UNLOCK, take_mutex },
	{ "wait", RTAPP_WAIT, take_wait },
	{ "signal", RTAPP_SIGNAL, take_condition },
	{ "broad", RTAPP_BROADCAST, take_condition },
	{ "sync", RTAPP_SYNC, take_wait },
	{ "sleep", RTAPP_SLEEP, take_duration },
	{ "runtime", RTAPP_RUNTIME, take_duration },
	{ "run", RTAPP_RUN, take_duration },
	{ "timer", RTAPP_TIMER, take_timer },
	{ "suspend", RTAPP_SUSPEND, take_suspension },
	{ "resume", RTAPP_RESUME, take_condition },
	{ "mem", RTAPP_MEM, take_bytes },
	{ "iorun", RTAPP_IORUN, take_bytes },
	{ "yield", RTAPP_YIELD, take_nothing },
	{ "barrier", RTAPP_BARRIER, take_barrier },
	{ "fork", RTAPP_FORK, take_task },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct event_row *find_row(const char *key)
{
	for (size_t i = 0; i < ROWS; i++)
		if (ktstr_str_starts_with(key, rows[i].name))
			return &rows[i];
	return NULL;
}

bool rtapp_is_event(const char *key)
{
	return find_row(key);
}

const char *rtapp_event_name(enum rtapp_event_kind kind)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].kind == kind)
			return rows[i].name;
	return NULL;
}

struct ktstr_error *rtapp_translate_events(const json_t *object, struct rtapp_program *program, struct rtapp_task *task,
					   struct rtapp_phase *phase)
{
	const char *key;
	json_t *value;

	phase->events = ktstr_xcalloc(json_object_size(object) + 1, sizeof(*phase->events));
	json_object_foreach((json_t *)object, key, value) {
		const struct event_row *row = find_row(key);
		struct rtapp_event *event = &phase->events[phase->events_count];
		struct event_context context = { program, task, value, event };

		if (!row)
			continue;
		phase->events_count++;
		event->kind = row->kind;
		event->key = rtapp_shown_key(key);
		KTSTR_TRY_WRAP(row->take(&context), "event %s", event->key);
	}
	return NULL;
}
