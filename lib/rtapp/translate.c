// SPDX-License-Identifier: GPL-2.0-only
/* From an rt-app file to a program: its objects and what their keys say. Events are in events.c. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "rtapp/translate.h"

enum {
	IN_FILE = 1 << 0,
	IN_GLOBAL = 1 << 1,
	IN_TASK = 1 << 2,
	IN_PHASE = 1 << 3,
	IN_TIMER = 1 << 4,
	IN_WAIT = 1 << 5,

	DEFAULT_RT_PRIORITY = 10, /* what rt-app gives FIFO and RR */
	DEFAULT_BUFFER_BYTES = 4 << 20,
	MAX_FILE_BYTES = 4 << 20,
};

#define OLD_GRAMMAR "it is of the grammar before rt-app 1.0: write events and phases"
#define NO_CLAMP    "workers have no utilization clamps: remove it"

/* Every key that is no event: where it may be, and why it cannot be translated (NULL = it can, or needs not). */
static const struct property {
	const char *name;
	unsigned int where;
	const char *refusal;
} properties[] = {
	{ "tasks", IN_FILE, NULL },
	{ "global", IN_FILE, NULL },
	{ "resources", IN_FILE, NULL }, /* made as they are used, in rt-app, too */
	{ "duration", IN_GLOBAL, NULL },
	{ "default_policy", IN_GLOBAL, NULL },
	{ "pi_enabled", IN_GLOBAL, NULL },
	{ "io_device", IN_GLOBAL, NULL },
	{ "mem_buffer_size", IN_GLOBAL, NULL },
	{ "cumulative_slack", IN_GLOBAL, NULL },
	/* Of no consequence here: our own unit of work is measured, and guests do not swap. */
	{ "calibration", IN_GLOBAL, NULL },
	{ "lock_pages", IN_GLOBAL, NULL },
	/* Where rt-app writes what it measured; "frag" is a leftover that it does not read. */
	{ "logdir", IN_GLOBAL, NULL },
	{ "log_basename", IN_GLOBAL, NULL },
	{ "log_size", IN_GLOBAL, NULL },
	{ "ftrace", IN_GLOBAL, NULL },
	{ "gnuplot", IN_GLOBAL, NULL },
	{ "frag", IN_GLOBAL, NULL },
	{ "phases", IN_TASK, NULL },
	{ "instance", IN_TASK, NULL },
	{ "delay", IN_TASK, NULL },
	{ "taskgroup", IN_TASK, NULL },
	{ "taskgroup", IN_PHASE, "a worker stays in its cgroup: say the taskgroup at the task" },
	{ "loop", IN_TASK | IN_PHASE, NULL },
	{ "cpus", IN_TASK | IN_PHASE, NULL },
	{ "policy", IN_TASK | IN_PHASE, NULL },
	{ "priority", IN_TASK | IN_PHASE, NULL },
	{ "dl-runtime", IN_TASK | IN_PHASE, NULL },
	{ "dl-period", IN_TASK | IN_PHASE, NULL },
	{ "dl-deadline", IN_TASK | IN_PHASE, NULL },
	{ "util_min", IN_TASK | IN_PHASE, NO_CLAMP },
	{ "util_max", IN_TASK | IN_PHASE, NO_CLAMP },
	{ "nodes_membind", IN_TASK | IN_PHASE, "ktstr does not bind the memory of tasks: remove it" },
	{ "period", IN_TASK | IN_PHASE, OLD_GRAMMAR ", or dl-period for SCHED_DEADLINE" },
	{ "deadline", IN_TASK | IN_PHASE, OLD_GRAMMAR ", or dl-deadline for SCHED_DEADLINE" },
	{ "exec", IN_TASK | IN_PHASE, OLD_GRAMMAR },
	{ "resources", IN_TASK | IN_PHASE, OLD_GRAMMAR },
	{ "ref", IN_TIMER | IN_WAIT, NULL },
	{ "period", IN_TIMER, NULL },
	{ "mode", IN_TIMER, NULL },
	{ "mutex", IN_WAIT, NULL },
};

enum { PROPERTIES = sizeof(properties) / sizeof(properties[0]) };

static const char *kind_of(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false", [JSON_NULL] = "nothing",
	};

	return value ? names[json_typeof(value)] : "nothing";
}

struct ktstr_error *rtapp_wrong_kind(const char *key, const json_t *value, const char *wanted)
{
	return ktstr_error_new(KTSTR_ERR_INVALID, "%s is %s: give %s", key, kind_of(value), wanted);
}

char *rtapp_shown_key(const char *key)
{
	const char *again = strchr(key, RTAPP_AGAIN);

	return again ? ktstr_xasprintf("%.*s (no. %d)", (int)(again - key), key, atoi(again + 1) + 1) :
		       ktstr_xstrdup(key);
}

static struct ktstr_error *unknown_key(const char *key, unsigned int where)
{
	const char *names[PROPERTIES];
	const char *nearest;
	size_t count = 0;

	if (rtapp_is_event(key))
		return ktstr_error_new(KTSTR_ERR_INVALID, "the event \"%s\" is in no phase: move it into one", key);
	for (size_t i = 0; i < PROPERTIES; i++)
		if ((properties[i].where & where) && !properties[i].refusal)
			names[count++] = properties[i].name;
	nearest = ktstr_nearest_name(key, names, count);
	return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
			       "the key \"%s\" means nothing to ktstr: correct or remove it%s%s%s", key,
			       nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static struct ktstr_error *check_key(const char *key, unsigned int where)
{
	const char *again = strchr(key, RTAPP_AGAIN);
	_cleanup_free_ char *plain = ktstr_xstrndup(key, again ? (size_t)(again - key) : strlen(key));

	for (size_t i = 0; i < PROPERTIES; i++) {
		if (strcmp(properties[i].name, plain) || !(properties[i].where & where))
			continue;
		if (properties[i].refusal)
			return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "\"%s\" cannot be translated: %s", plain,
					       properties[i].refusal);
		if (again)
			return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" is given twice: keep one", plain);
		return NULL;
	}
	return unknown_key(plain, where);
}

static struct ktstr_error *check_keys(const json_t *object, unsigned int where, bool has_events)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
		if (!has_events || !rtapp_is_event(key))
			KTSTR_TRY(check_key(key, where));
	return NULL;
}

struct ktstr_error *rtapp_check_timer_keys(const json_t *object)
{
	return check_keys(object, IN_TIMER, false);
}

struct ktstr_error *rtapp_check_wait_keys(const json_t *object)
{
	return check_keys(object, IN_WAIT, false);
}

struct ktstr_error *rtapp_integer(const json_t *object, const char *key, int64_t fallback, int64_t min, int64_t max,
				  int64_t *number)
{
	const json_t *value = json_object_get(object, key);

	*number = fallback;
	if (!value)
		return NULL;
	if (!json_is_integer(value))
		return rtapp_wrong_kind(key, value, "an integer");
	*number = json_integer_value(value);
	if (*number < min || *number > max)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is %lld: give %lld to %lld", key, (long long)*number,
				       (long long)min, (long long)max);
	return NULL;
}

static struct ktstr_error *get_flag(const json_t *object, const char *key, bool *flag)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value))
		return rtapp_wrong_kind(key, value, "true or false");
	*flag = json_is_true(value);
	return NULL;
}

struct ktstr_error *rtapp_text(const json_t *object, const char *key, const char *fallback, const char **text)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_string(value))
		return rtapp_wrong_kind(key, value, "a string");
	*text = value ? json_string_value(value) : fallback;
	return NULL;
}

/* -1 = endless. 0 is endless for rt-app, too, but hardly what its author means. */
static struct ktstr_error *get_loop(const json_t *object, unsigned int fallback, unsigned int *loops)
{
	int64_t number;

	if (!json_object_get(object, "loop")) {
		*loops = fallback;
		return NULL;
	}
	KTSTR_TRY(rtapp_integer(object, "loop", 0, -1, RTAPP_MAX_US, &number));
	if (!number)
		return ktstr_error_new(KTSTR_ERR_INVALID, "loop is 0: give how often, or -1 for until the end");
	*loops = number < 0 ? RTAPP_ENDLESS : (unsigned int)number;
	return NULL;
}

static struct ktstr_error *get_cpus(const json_t *object, struct ktstr_cpus *cpus)
{
	const json_t *list = json_object_get(object, "cpus"), *item;
	size_t i;

	if (!list)
		return NULL;
	if (!json_is_array(list))
		return rtapp_wrong_kind("cpus", list, "an array of CPU numbers");
	if (!json_array_size(list))
		return ktstr_error_new(KTSTR_ERR_INVALID, "cpus is empty: give at least one CPU number");
	json_array_foreach(list, i, item) {
		json_int_t cpu = json_integer_value(item);

		if (!json_is_integer(item) || cpu < 0 || cpu >= KTSTR_MAX_CPUS)
			return ktstr_error_new(KTSTR_ERR_INVALID, "cpus has an element that is no CPU number: give 0 to %d",
					       KTSTR_MAX_CPUS - 1);
		ktstr_cpus_add(cpus, (unsigned int)cpu);
	}
	return NULL;
}

static const struct policy_name {
	const char *name;
	enum ktstr_sched_policy_kind kind;
	int fallback, min, max; /* of "priority": nice, or the real-time priority */
} policies[] = {
	{ "SCHED_OTHER", KTSTR_POLICY_NORMAL, 0, -20, 19 },
	{ "SCHED_IDLE", KTSTR_POLICY_IDLE, 0, -20, 19 },
	{ "SCHED_FIFO", KTSTR_POLICY_FIFO, DEFAULT_RT_PRIORITY, 1, 99 },
	{ "SCHED_RR", KTSTR_POLICY_RR, DEFAULT_RT_PRIORITY, 1, 99 },
	{ "SCHED_DEADLINE", KTSTR_POLICY_DEADLINE, 0, INT32_MIN, INT32_MAX }, /* it has no priority */
};

enum { POLICIES = sizeof(policies) / sizeof(policies[0]) };

static struct ktstr_error *find_policy(const char *key, const char *name, const struct policy_name **policy)
{
	for (size_t i = 0; i < POLICIES; i++)
		if (!strcmp(policies[i].name, name)) {
			*policy = &policies[i];
			return NULL;
		}
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "%s is \"%s\": give SCHED_OTHER, SCHED_IDLE, SCHED_FIFO, SCHED_RR or SCHED_DEADLINE", key, name);
}

static struct ktstr_error *get_deadline(const json_t *object, struct ktstr_sched_policy *policy)
{
	int64_t runtime_us, period_us, deadline_us;

	KTSTR_TRY(rtapp_integer(object, "dl-runtime", 0, 2, RTAPP_MAX_US, &runtime_us));
	KTSTR_TRY(rtapp_integer(object, "dl-period", runtime_us, 2, RTAPP_MAX_US, &period_us));
	KTSTR_TRY(rtapp_integer(object, "dl-deadline", period_us, 2, RTAPP_MAX_US, &deadline_us));
	if (!runtime_us || runtime_us > deadline_us || deadline_us > period_us)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "SCHED_DEADLINE with dl-runtime %lld, dl-deadline %lld, dl-period %lld us: give a dl-runtime of at most the dl-deadline, and that at most the dl-period",
				       (long long)runtime_us, (long long)deadline_us, (long long)period_us);
	*policy = ktstr_policy_deadline(KTSTR_US(runtime_us), KTSTR_US(deadline_us), KTSTR_US(period_us));
	return NULL;
}

/* What the object says; without a policy that of `current`, with its priority unless the object has one. */
static struct ktstr_error *get_sched(const json_t *object, const struct rtapp_sched *current, struct rtapp_sched *sched)
{
	const struct policy_name *policy = NULL;
	const char *name;
	int64_t priority;

	KTSTR_TRY(rtapp_text(object, "policy", NULL, &name));
	if (name)
		KTSTR_TRY(find_policy("policy", name, &policy));
	for (size_t i = 0; !policy && i < POLICIES; i++)
		if (policies[i].kind == current->policy.kind)
			policy = &policies[i];
	sched->set = name || json_object_get(object, "priority") || json_object_get(object, "dl-runtime");
	KTSTR_TRY(rtapp_integer(object, "priority", policy->fallback, policy->min, policy->max, &priority));
	sched->policy = (struct ktstr_sched_policy){ .kind = policy->kind };
	if (policy->kind == KTSTR_POLICY_DEADLINE)
		return get_deadline(object, &sched->policy);
	if (policy->kind == KTSTR_POLICY_FIFO || policy->kind == KTSTR_POLICY_RR)
		sched->policy.priority = (int)priority;
	else if (policy->kind == KTSTR_POLICY_NORMAL)
		sched->nice = (int)priority;
	return NULL;
}

/* "/a/b" -> "a/b". */
static struct ktstr_error *get_taskgroup(const json_t *object, char **cgroup)
{
	const char *name;

	KTSTR_TRY(rtapp_text(object, "taskgroup", "", &name));
	if (!*name)
		return NULL;
	if (*name != '/')
		return ktstr_error_new(KTSTR_ERR_INVALID, "taskgroup \"%s\" does not begin with '/': give \"/%s\"", name, name);
	KTSTR_TRY_WRAP(ktstr_cgroup_check_name(name + 1), "taskgroup \"%s\"", name);
	*cgroup = ktstr_xstrdup(name + 1);
	return NULL;
}

static struct ktstr_error *translate_phase(const json_t *object, bool is_task, struct rtapp_program *program,
					   struct rtapp_task *task, struct rtapp_sched *current,
					   struct rtapp_phase *phase)
{
	KTSTR_TRY(check_keys(object, is_task ? IN_TASK : IN_PHASE, true));
	KTSTR_TRY(get_loop(object, is_task ? RTAPP_ENDLESS : 1, &phase->loops));
	KTSTR_TRY(rtapp_translate_events(object, program, task, phase));
	if (!phase->events_count)
		return ktstr_error_new(KTSTR_ERR_INVALID, "it has no events: give it at least one");
	if (is_task)
		return NULL;
	KTSTR_TRY(get_cpus(object, &phase->cpus));
	KTSTR_TRY(get_sched(object, current, &phase->sched));
	if (phase->sched.set)
		*current = phase->sched;
	return NULL;
}

static struct ktstr_error *translate_phases(const json_t *phases, struct rtapp_program *program, struct rtapp_task *task)
{
	struct rtapp_sched current = task->sched;
	const char *name;
	json_t *object;

	if (!json_is_object(phases) || !json_object_size(phases))
		return rtapp_wrong_kind("phases", phases, "an object of at least one phase");
	task->phases = ktstr_xcalloc(json_object_size(phases), sizeof(*task->phases));
	json_object_foreach((json_t *)phases, name, object) {
		struct rtapp_phase *phase = &task->phases[task->phases_count++];

		phase->name = rtapp_shown_key(name);
		if (!json_is_object(object))
			return rtapp_wrong_kind(phase->name, object, "an object");
		KTSTR_TRY_WRAP(translate_phase(object, false, program, task, &current, phase), "phase %s", phase->name);
	}
	return NULL;
}

/* A task without phases is one, whose loop is that of the phase. */
static struct ktstr_error *translate_only_phase(const json_t *object, struct rtapp_program *program, struct rtapp_task *task)
{
	struct rtapp_phase *phase = ktstr_xcalloc(1, sizeof(*phase));

	task->phases = phase;
	task->phases_count = 1;
	task->loops = 1;
	return translate_phase(object, true, program, task, NULL, phase);
}

static struct ktstr_error *translate_task(const json_t *object, struct rtapp_program *program, struct rtapp_task *task)
{
	const json_t *phases = json_object_get(object, "phases");
	int64_t instances, delay_us;

	if (!json_is_object(object))
		return rtapp_wrong_kind(task->name, object, "an object");
	if (phases)
		KTSTR_TRY(check_keys(object, IN_TASK, false));
	KTSTR_TRY(rtapp_integer(object, "instance", 1, 0, RTAPP_MAX_WORKERS, &instances));
	KTSTR_TRY(rtapp_integer(object, "delay", 0, 0, RTAPP_MAX_US, &delay_us));
	task->instances = (unsigned int)instances;
	task->delay_ns = KTSTR_US((uint64_t)delay_us);
	KTSTR_TRY(get_cpus(object, &task->cpus));
	KTSTR_TRY(get_taskgroup(object, &task->cgroup));
	KTSTR_TRY(get_sched(object, &program->default_sched, &task->sched));
	task->sched.set = true;
	if (!phases)
		return translate_only_phase(object, program, task);
	KTSTR_TRY(get_loop(object, RTAPP_ENDLESS, &task->loops));
	return translate_phases(phases, program, task);
}

static struct ktstr_error *translate_tasks(const json_t *tasks, struct rtapp_program *program)
{
	const char *name;
	json_t *object;
	size_t i = 0;

	if (!json_is_object(tasks) || !json_object_size(tasks))
		return rtapp_wrong_kind("tasks", tasks, "an object of at least one task");
	program->tasks = ktstr_xcalloc(json_object_size(tasks), sizeof(*program->tasks));
	/* Names first: a task may fork one that comes later. */
	json_object_foreach((json_t *)tasks, name, object) {
		if (strchr(name, RTAPP_AGAIN))
			return ktstr_error_new(KTSTR_ERR_INVALID, "two tasks are called \"%.*s\": give each a name of its own",
					       (int)strcspn(name, (const char[]){ RTAPP_AGAIN, '\0' }), name);
		program->tasks[program->tasks_count++].name = ktstr_xstrdup(name);
	}
	json_object_foreach((json_t *)tasks, name, object) {
		struct rtapp_task *task = &program->tasks[i++];

		KTSTR_TRY_WRAP(translate_task(object, program, task), "task %s", task->name);
	}
	return NULL;
}

static struct ktstr_error *translate_global(const json_t *global, struct rtapp_program *program)
{
	const char *default_policy, *io_device;
	const struct policy_name *policy = NULL;
	int64_t duration, buffer_bytes;
	bool pi = false;

	if (global && !json_is_object(global))
		return rtapp_wrong_kind("global", global, "an object");
	KTSTR_TRY(check_keys(global, IN_GLOBAL, false));
	KTSTR_TRY(rtapp_integer(global, "duration", -1, -1, RTAPP_MAX_US / 1000, &duration));
	if (duration > 0)
		program->duration_ns = (struct ktstr_opt_u64)KTSTR_SOME(KTSTR_SEC((uint64_t)duration));
	KTSTR_TRY(rtapp_text(global, "default_policy", "SCHED_OTHER", &default_policy));
	KTSTR_TRY(find_policy("default_policy", default_policy, &policy));
	program->default_sched.policy.kind = policy->kind;
	KTSTR_TRY(get_flag(global, "pi_enabled", &pi));
	program->lock_mode = pi ? KTSTR_LOCK_PI : KTSTR_LOCK_PLAIN;
	KTSTR_TRY(get_flag(global, "cumulative_slack", &program->cumulative_slack));
	KTSTR_TRY(rtapp_integer(global, "mem_buffer_size", DEFAULT_BUFFER_BYTES, 1, INT64_C(1) << 30, &buffer_bytes));
	program->buffer_bytes = (uint64_t)buffer_bytes;
	KTSTR_TRY(rtapp_text(global, "io_device", "/dev/null", &io_device));
	program->io_device = ktstr_xstrdup(io_device);
	return NULL;
}

static struct ktstr_error *translate(const json_t *root, struct rtapp_program *program)
{
	if (!json_is_object(root))
		return rtapp_wrong_kind("the file", root, "an object with \"tasks\" in it");
	KTSTR_TRY(check_keys(root, IN_FILE, false));
	KTSTR_TRY_WRAP(translate_global(json_object_get(root, "global"), program), "global");
	KTSTR_TRY(translate_tasks(json_object_get(root, "tasks"), program));
	return rtapp_check(program);
}

struct ktstr_error *ktstr_rtapp_parse(const char *name, const char *text, struct rtapp_program **program)
{
	struct rtapp_program *made;
	_cleanup_free_ char *strict = NULL;
	struct ktstr_error *error;
	json_error_t where;
	json_t *root;

	KTSTR_TRY_WRAP(rtapp_strict_json(text, &strict), "%s", name);
	root = json_loads(strict, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s: line %d is not JSON as rt-app reads it: %s", name, where.line,
				       where.text);
	made = ktstr_xcalloc(1, sizeof(*made));
	made->file = ktstr_xstrdup(name);
	error = translate(root, made);
	json_decref(root);
	if (error) {
		ktstr_rtapp_destroy(made);
		return ktstr_error_wrap(error, "%s", name);
	}
	*program = made;
	return NULL;
}

struct ktstr_error *ktstr_rtapp_load(const char *path, struct rtapp_program **program)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	KTSTR_TRY(ktstr_read_file(path, &text, &length));
	if (length > MAX_FILE_BYTES || strlen(text) != length)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is no rt-app file: it is larger than 4 MiB or has NUL bytes", path);
	return ktstr_rtapp_parse(path, text, program);
}

static void destroy_timers(struct rtapp_timers *timers)
{
	for (size_t i = 0; i < timers->count; i++)
		free(timers->items[i].name);
	free(timers->items);
}

static void destroy_task(struct rtapp_task *task)
{
	for (size_t i = 0; i < task->phases_count; i++) {
		struct rtapp_phase *phase = &task->phases[i];

		for (size_t k = 0; k < phase->events_count; k++)
			free(phase->events[k].key);
		free(phase->events);
		free(phase->name);
	}
	free(task->phases);
	destroy_timers(&task->timers);
	free(task->cgroup);
	free(task->name);
}

void ktstr_rtapp_destroy(struct rtapp_program *program)
{
	if (!program)
		return;
	for (size_t i = 0; i < program->tasks_count; i++)
		destroy_task(&program->tasks[i]);
	free(program->tasks);
	destroy_timers(&program->timers);
	ktstr_strv_deinit(&program->mutexes);
	ktstr_strv_deinit(&program->conditions);
	ktstr_strv_deinit(&program->barriers);
	free(program->barrier_users);
	free(program->io_device);
	free(program->file);
	free(program);
}
