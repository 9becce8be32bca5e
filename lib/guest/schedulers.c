// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starting and ending schedulers: the one that the test begins with, and those that its program asks for while it
 * runs. One at a time; each start is an instance with a log of its own, announced by KTSTR_LIFE_SCHED_STARTED.
 */
#include <endian.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"
#include "guest/job.h"
#include "ktstr/cgroup.h"
#include "ktstr/units.h"

#define DETACH_LIMIT  KTSTR_SEC(10) /* from SysRq-S to sched_ext being disabled */
#define KILL_LIMIT    KTSTR_SEC(5)
#define COMMAND_LIMIT KTSTR_SEC(30)

/* Attaching waits for many RCU grace periods; before the program runs nothing under test sees them hurried. */
static void expedite_rcu(bool on)
{
	ktstr_error_free(ktstr_write_value("/sys/kernel/rcu_expedited", on ? "1" : "0"));
}

static const char *name_of(const json_t *sched)
{
	const char *name = json_string_value(json_object_get(sched, "name"));

	return name ? name : "?";
}

/* Forgets a process that has ended, and closes what an orphan of it may still hold open. */
static void clear_slot(struct relay *relay)
{
	struct job_process *sched = &relay->sched;
	int *fds[] = { &sched->control_fd, &sched->pidfd, &sched->out_fd, &sched->err_fd };

	relay_drain(relay);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	*sched = job_process_idle();
	sched->out_type = sched->err_type = KTSTR_FRAME_SCHED_LOG;
	relay->sched_watched = relay->sched_attached = false;
}

static bool process_ended(const struct relay *relay)
{
	return !relay->sched.pid;
}

/* How often the kernel has enabled a scheduler since it booted. */
static long long times_enabled(void)
{
	return atoll(sysfs_text("/sys/kernel/sched_ext/enable_seq"));
}

/* Has been, at least: one that serves nobody does not serve us either, and is gone when we come to look. */
static bool has_attached(const struct relay *relay)
{
	return sched_ext_attached() || times_enabled() > relay->times_enabled;
}

static bool attached_or_ended(const struct relay *relay)
{
	return process_ended(relay) || has_attached(relay);
}

static bool disabled_and_ended(const struct relay *relay)
{
	return process_ended(relay) && sched_ext_disabled();
}

/* The launcher made it the leader of a session, so its children are in its group. */
static void kill_process(struct relay *relay)
{
	if (!relay->sched.pid)
		return;
	kill(-relay->sched.pid, SIGKILL);
	relay_until(relay, process_ended, ktstr_now_ns() + KILL_LIMIT);
}

static struct ktstr_error *start_process(struct relay *relay, json_t *argv)
{
	KTSTR_TRY(job_process_prepare(&relay->sched, false));
	return job_process_start(&relay->sched, argv, relay->job_env, NULL);
}

static struct ktstr_error *run_command(struct relay *relay, const char *command)
{
	json_t *argv = json_pack("[ssss]", KTSTR_SHELL_PATH, "sh", "-c", command);
	struct ktstr_error *error = start_process(relay, argv);
	_cleanup_free_ char *how = NULL;
	int status;

	json_decref(argv);
	if (error)
		return error;
	relay_until(relay, process_ended, ktstr_now_ns() + COMMAND_LIMIT);
	if (relay->sched.pid) {
		kill_process(relay);
		clear_slot(relay);
		return ktstr_error_new(KTSTR_ERR_GUEST, "\"%s\" did not end within 30 s", command);
	}
	status = relay->sched.wait_status;
	clear_slot(relay);
	if (!status)
		return NULL;
	how = ktstr_describe_wait_status(status);
	return ktstr_error_new(KTSTR_ERR_GUEST, "\"%s\" ended with %s", command, how);
}

static struct ktstr_error *run_commands(struct relay *relay, const json_t *sched, const char *which)
{
	const json_t *commands = json_object_get(sched, which), *command;
	size_t i;

	json_array_foreach(commands, i, command)
		KTSTR_TRY_WRAP(run_command(relay, json_string_value(command) ? json_string_value(command) : ""), ".%s",
			       which);
	return NULL;
}

/* With the controllers that schedulers of cgroups need; name begins with '/'. */
static struct ktstr_error *make_cgroup(const char *name)
{
	static const char *const controllers[] = { "+cpuset", "+cpu" };
	_cleanup_free_ char *path = ktstr_xasprintf("/sys/fs/cgroup%s", name);

	KTSTR_TRY(ktstr_make_dirs(path));
	for (const char *slash = path + strlen("/sys/fs/cgroup"); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *above =
			ktstr_xasprintf("%.*s/cgroup.subtree_control", (int)(slash - path), path);

		for (size_t i = 0; i < 2; i++)
			KTSTR_TRY(ktstr_write_value(above, controllers[i]));
	}
	return NULL;
}

static struct ktstr_error *make_cgroups(const json_t *sched)
{
	const json_t *cgroups = json_object_get(sched, "cgroups"), *cgroup;
	size_t i;

	json_array_foreach(cgroups, i, cgroup)
		KTSTR_TRY(make_cgroup(json_string_value(cgroup) ? json_string_value(cgroup) : ""));
	return NULL;
}

static struct ktstr_error *explain_end(struct relay *relay)
{
	_cleanup_free_ char *how = ktstr_describe_wait_status(relay->sched.wait_status);

	return ktstr_error_new(KTSTR_ERR_GUEST, "it exited %s (%s); its log says more",
			       has_attached(relay) ? "as soon as it had attached" : "before it attached", how);
}

/* Runs it until the kernel shows it. watched: its end before that is told to the host as a death. */
static struct ktstr_error *attach_process(struct relay *relay, json_t *sched, bool watched)
{
	json_int_t limit_ms = json_integer_value(json_object_get(sched, "attach_timeout_ms"));

	if (access("/sys/kernel/sched_ext", F_OK))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "this kernel has no sched_ext");
	relay->sched_watched = watched;
	relay->times_enabled = times_enabled();
	KTSTR_TRY(start_process(relay, json_object_get(sched, "argv")));
	relay_until(relay, attached_or_ended, ktstr_now_ns() + KTSTR_MS((uint64_t)limit_ms));
	if (has_attached(relay)) {
		channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_ATTACHED, "%s",
				  sysfs_text("/sys/kernel/sched_ext/root/ops"));
		relay->sched_attached = true;
		relay_last_words(relay);
	}
	if (process_ended(relay))
		return explain_end(relay);
	if (!has_attached(relay))
		return ktstr_error_new(KTSTR_ERR_TIMEOUT, "it did not attach within %lld ms", (long long)limit_ms);
	if (!sched_ext_attached())
		return ktstr_error_new(KTSTR_ERR_GUEST, "the kernel unloaded it as soon as it had attached");
	relay->sched_watched = true;
	return NULL;
}

static struct ktstr_error *start(struct relay *relay, json_t *sched, bool watched)
{
	channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_STARTED, "%s", name_of(sched));
	KTSTR_TRY(make_cgroups(sched));
	KTSTR_TRY(run_commands(relay, sched, "enable"));
	if (json_object_get(sched, "argv"))
		KTSTR_TRY(attach_process(relay, sched, watched));
	relay->sched_current = sched;
	return NULL;
}

bool schedulers_start_first(struct relay *relay, json_t *sched)
{
	struct ktstr_error *error;

	relay->sched_first = sched;
	if (!json_is_object(sched))
		return true;
	expedite_rcu(true);
	error = start(relay, sched, true);
	expedite_rcu(false);
	if (!error)
		return true;
	/* One that has ended was reported with its status. */
	if (ktstr_error_code(error) == KTSTR_ERR_UNSUPPORTED)
		channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_NOT_ATTACHED, "sched_ext sysfs absent");
	else if (ktstr_error_code(error) == KTSTR_ERR_TIMEOUT)
		channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_NOT_ATTACHED, "timeout");
	else if (!relay->sched.ended && !has_attached(relay))
		channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_NOT_ATTACHED, "%s", ktstr_error_message(error));
	ktstr_error_free(error);
	return false;
}

/* Is the current one still what the kernel runs? One of the kernel's own has no process to lose. */
static bool current_is_attached(const struct relay *relay)
{
	if (!relay->sched_current || !json_object_get(relay->sched_current, "argv"))
		return relay->sched_current;
	return relay->sched.pid && sched_ext_attached();
}

static struct ktstr_error *detach_process(struct relay *relay)
{
	/* The kernel goes back to its own scheduler at once, whatever the process does then. */
	ktstr_error_free(ktstr_write_value("/proc/sysrq-trigger", "S"));
	if (relay->sched.pid)
		kill(relay->sched.pid, SIGTERM);
	relay_until(relay, disabled_and_ended, ktstr_now_ns() + DETACH_LIMIT);
	kill_process(relay);
	if (!sched_ext_disabled())
		return ktstr_error_new(KTSTR_ERR_TIMEOUT, "sched_ext is still \"%s\" 10 s later",
				       sysfs_text("/sys/kernel/sched_ext/state"));
	return NULL;
}

/* Ends what is there as planned: nobody is told of a death. how: for people, what the instance ended with. */
static struct ktstr_error *stop(struct relay *relay, const char *how)
{
	json_t *sched = relay->sched_current;
	struct ktstr_error *error = NULL;

	relay->sched_watched = false;
	relay->sched_current = NULL;
	if (json_object_get(sched, "argv"))
		error = detach_process(relay);
	clear_slot(relay);
	if (!error)
		error = run_commands(relay, sched, "disable");
	channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_STOPPED, "%s", how);
	return error ? ktstr_error_wrap(error, "scheduler %s", name_of(sched)) : NULL;
}

/* Starts one in the middle of the test; one that does not attach leaves nothing behind. */
static struct ktstr_error *start_live(struct relay *relay, json_t *sched)
{
	struct ktstr_error *error;
	_cleanup_free_ char *how = NULL;

	clear_slot(relay);
	error = start(relay, sched, false);
	if (!error)
		return NULL;
	kill_process(relay);
	clear_slot(relay);
	how = ktstr_xasprintf("did not attach: %s", ktstr_error_message(error));
	channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_STOPPED, "%s", how);
	/* Both mean to the program that nothing is attached now. */
	if (ktstr_error_code(error) == KTSTR_ERR_TIMEOUT || ktstr_error_code(error) == KTSTR_ERR_GUEST)
		return error;
	ktstr_error_free(error);
	return ktstr_error_new(KTSTR_ERR_GUEST, "%s", how);
}

static struct ktstr_error *find_staged(const struct relay *relay, const char *name, json_t **sched)
{
	_cleanup_str_ struct ktstr_str names = { 0 };
	const char *staged;
	json_t *value;

	*sched = name ? json_object_get(relay->sched_staged, name) : NULL;
	if (*sched)
		return NULL;
	json_object_foreach(relay->sched_staged, staged, value)
		ktstr_str_addf(&names, "%s%s", names.length ? ", " : "", staged);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "the test does not stage it (.staged_schedulers); it stages %s",
			       names.length ? names.data : "none");
}

static struct ktstr_error *nothing_attached(const struct relay *relay)
{
	if (relay->sched_current)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "none is attached any more: %s has gone by itself",
				       name_of(relay->sched_current));
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "none is attached");
}

static struct ktstr_error *attach(struct relay *relay, const char *name)
{
	json_t *sched;

	KTSTR_TRY(find_staged(relay, name, &sched));
	if (current_is_attached(relay))
		return ktstr_error_new(KTSTR_ERR_BUSY, "scheduler %s is attached (EBUSY): detach or replace it",
				       name_of(relay->sched_current));
	if (!sched_ext_disabled())
		return ktstr_error_new(KTSTR_ERR_BUSY, "sched_ext is \"%s\" with a scheduler of somebody else (EBUSY)",
				       sysfs_text("/sys/kernel/sched_ext/state"));
	return start_live(relay, sched);
}

static struct ktstr_error *detach(struct relay *relay, const char *name)
{
	(void)name;
	return current_is_attached(relay) ? stop(relay, "detached") : nothing_attached(relay);
}

static struct ktstr_error *restart(struct relay *relay, const char *name)
{
	(void)name;
	if (!json_is_object(relay->sched_first))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "the test's own scheduler is EEVDF: there is none to restart");
	if (relay->sched_current)
		KTSTR_TRY(stop(relay, "ended for a restart"));
	return start_live(relay, relay->sched_first);
}

static struct ktstr_error *replace(struct relay *relay, const char *name)
{
	_cleanup_free_ char *how = NULL;
	json_t *sched;

	KTSTR_TRY(find_staged(relay, name, &sched));
	if (!current_is_attached(relay))
		return nothing_attached(relay);
	how = ktstr_xasprintf("replaced by %s", name);
	KTSTR_TRY(stop(relay, how));
	return start_live(relay, sched);
}

static const struct {
	const char *op;
	struct ktstr_error *(*act)(struct relay *relay, const char *name);
} operations[] = {
	{ KTSTR_SCHED_OP_ATTACH, attach },
	{ KTSTR_SCHED_OP_DETACH, detach },
	{ KTSTR_SCHED_OP_RESTART, restart },
	{ KTSTR_SCHED_OP_REPLACE, replace },
};

static struct ktstr_error *perform(struct relay *relay, const json_t *question)
{
	const char *op = json_string_value(json_object_get(question, KTSTR_SCHED_REQUEST_OP));
	const char *name = json_string_value(json_object_get(question, KTSTR_SCHED_REQUEST_NAME));

	for (size_t i = 0; op && i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(op, operations[i].op))
			return operations[i].act(relay, name);
	return ktstr_error_new(KTSTR_ERR_INVALID, "the agent knows no operation \"%s\"", op ? op : "");
}

void schedulers_answer(struct relay *relay)
{
	json_error_t parse_error;
	json_t *question = json_loadb(ktstr_str_text(&relay->question), relay->question.length, 0, &parse_error);
	struct ktstr_error *error = perform(relay, question);
	_cleanup_str_ struct ktstr_str reply = { 0 };
	uint32_t id = htole32(relay->asked_id);

	json_decref(question);
	relay->asked = false;
	if (error) {
		link_refuse(relay, relay->asked_id, error);
		return;
	}
	ktstr_str_add_bytes(&reply, &id, sizeof(id));
	ktstr_str_addf(&reply, "{\"" KTSTR_SCHED_REPLY_PID "\":%d}", (int)relay->sched.pid);
	link_reply(relay, KTSTR_FRAME_SCHED_REPLY, reply.data, reply.length);
}

/* A scheduler with a process goes down with the machine; what the kernel has built in is turned off in words. */
void schedulers_end(struct relay *relay)
{
	struct ktstr_error *error;

	if (!relay->sched_current || json_object_get(relay->sched_current, "argv"))
		return;
	error = stop(relay, "the test ended");
	if (error)
		channel_lifecycle(relay->channel, KTSTR_LIFE_AGENT_ERROR, "%s", ktstr_error_message(error));
	ktstr_error_free(error);
}
