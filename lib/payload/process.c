// SPDX-License-Identifier: GPL-2.0-only
/*
 * A payload's process and the thread that looks after it: reads its output so that it never blocks, ends its group
 * at the time limit or when asked, and cannot be kept waiting by what it leaves behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"
#include "ktstr/cgroup.h"
#include "payload/internal.h"

#define DEATH_LIMIT KTSTR_SEC(5) /* to die of SIGKILL */
#define DRAIN_LIMIT KTSTR_SEC(2) /* for output of processes that left the group and outlive it */

struct payload_process {
	struct ktstr_child child;
	int pid;
	bool own_group;
	uint64_t began_ns, deadline_ns; /* UINT64_MAX = none */
	int kill_fd; /* an eventfd: readable = kill it */
	pthread_t thread;
	struct payload_end end;
};

static struct ktstr_error *open_output(struct payload_output *output, int *write_fd)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return ktstr_error_sys(errno, "cannot create a pipe");
	output->fd = ends[0];
	*write_fd = ends[1];
	return NULL;
}

static void close_output(struct payload_output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	output->fd = -1;
}

static void read_output(struct payload_output *output)
{
	char chunk[65536];
	ssize_t got = read(output->fd, chunk, sizeof(chunk));
	size_t room = KTSTR_PAYLOAD_OUTPUT_CAP - output->kept.length;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		close_output(output);
		return;
	}
	output->bytes += (uint64_t)got;
	output->crc32 = (uint32_t)crc32(output->crc32, (const Bytef *)chunk, (uInt)got);
	ktstr_str_add_bytes(&output->kept, chunk, (size_t)got < room ? (size_t)got : room);
}

/* Before the program is reaped: until then its pid, and so the group's id, belongs to nobody else. */
static void kill_group(const struct payload_process *process)
{
	if (process->own_group)
		kill(-process->pid, SIGKILL);
	kill(process->pid, SIGKILL);
}

/* The output that is there until deadline_ns or until there is no writer any more. */
static void drain(struct payload_process *process, uint64_t deadline_ns)
{
	struct payload_output *outputs[] = { &process->end.out, &process->end.err };

	while (outputs[0]->fd >= 0 || outputs[1]->fd >= 0) {
		struct pollfd fds[2] = { { .fd = outputs[0]->fd, .events = POLLIN },
					 { .fd = outputs[1]->fd, .events = POLLIN } };
		int left_ms = ktstr_ms_until(deadline_ns);

		if (!left_ms || poll(fds, 2, left_ms) == 0)
			break;
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				read_output(outputs[i]);
	}
	close_output(outputs[0]);
	close_output(outputs[1]);
}

/* Returns when the program has ended (not yet reaped), or did not although it was killed. */
static void look_after(struct payload_process *process)
{
	uint64_t deadline = process->deadline_ns;
	bool killed = false;

	for (;;) {
		struct pollfd fds[] = { { .fd = process->child.pidfd, .events = POLLIN },
					{ .fd = killed ? -1 : process->kill_fd, .events = POLLIN },
					{ .fd = process->end.out.fd, .events = POLLIN },
					{ .fd = process->end.err.fd, .events = POLLIN } };
		int left_ms = deadline == UINT64_MAX ? -1 : ktstr_ms_until(deadline);

		if (poll(fds, 4, left_ms) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			return;
		if (fds[2].revents)
			read_output(&process->end.out);
		if (fds[3].revents)
			read_output(&process->end.err);
		if (!fds[1].revents && ktstr_now_ns() < deadline)
			continue;
		if (killed) {
			process->end.unkillable = true;
			return;
		}
		process->end.timed_out = !fds[1].revents;
		kill_group(process);
		killed = true;
		deadline = ktstr_now_ns() + DEATH_LIMIT;
	}
}

static void *thread_main(void *argument)
{
	struct payload_process *process = argument;

	look_after(process);
	process->end.duration_ns = ktstr_now_ns() - process->began_ns;
	/* What it left behind in its group would go on working. */
	if (process->own_group)
		kill_group(process);
	if (!process->end.unkillable)
		ktstr_error_free(ktstr_child_wait(&process->child, ktstr_now_ns() + DEATH_LIMIT,
						  &process->end.wait_status));
	drain(process, ktstr_now_ns() + DRAIN_LIMIT);
	return NULL;
}

struct placement {
	struct ktstr_cgroup_manager *cgroups;
	const char *cgroup; /* "" = where we are */
};

/* Before it executes anything. Programs give way before the harness when memory runs out, workers even earlier. */
static struct ktstr_error *place(void *context, pid_t pid)
{
	const struct placement *placement = context;
	_cleanup_free_ char *oom_path = ktstr_xasprintf("/proc/%d/oom_score_adj", (int)pid);
	struct ktstr_error *error;

	ktstr_error_free(ktstr_write_value(oom_path, "500")); /* where it may not be set it stays as inherited */
	if (!*placement->cgroup)
		return NULL;
	error = ktstr_cgroup_move_tasks(placement->cgroups, placement->cgroup, &(int){ pid }, 1);

	if (ktstr_error_code(error) != KTSTR_ERR_NOT_FOUND)
		return error;
	return ktstr_error_wrap(error, "there is no such cgroup yet: create it first");
}

/* The program's environment: ours without the pipe that only we may write frames to. */
static void copy_environment(struct ktstr_strv *env)
{
	for (char **variable = environ; *variable; variable++)
		if (!ktstr_str_starts_with(*variable, "KTSTR_WIRE_FD="))
			ktstr_strv_add(env, *variable);
}

static struct ktstr_error *spawn(const struct payload_start *start, struct payload_process *process)
{
	struct placement placement = { start->cgroups, start->cgroup };
	_cleanup_close_ int out = -1, err = -1;
	_cleanup_strv_ struct ktstr_strv env = { 0 };

	KTSTR_TRY(open_output(&process->end.out, &out));
	KTSTR_TRY(open_output(&process->end.err, &err));
	process->kill_fd = eventfd(0, EFD_CLOEXEC);
	if (process->kill_fd < 0)
		return ktstr_error_sys(errno, "cannot create an eventfd");
	copy_environment(&env);
	return ktstr_child_spawn(&(struct ktstr_child_spec){ .argv = start->argv,
							     .env = (const char *const *)env.items,
							     .stdin_fd = -1,
							     .stdout_fd = out,
							     .stderr_fd = err,
							     .own_group = start->own_group,
							     .place = place,
							     .place_context = &placement },
				 &process->child);
}

static struct ktstr_error *start_thread(struct payload_process *process)
{
	int failed = ktstr_start_thread(&process->thread, 0, thread_main, process);

	return failed ? ktstr_error_sys(failed, "cannot start a thread") : NULL;
}

struct ktstr_error *payload_process_start(const struct payload_start *start, struct payload_process **out)
{
	struct payload_process *process = ktstr_xcalloc(1, sizeof(*process));
	struct ktstr_error *error;

	process->child.pidfd = process->kill_fd = process->end.out.fd = process->end.err.fd = -1;
	process->own_group = start->own_group;
	process->began_ns = ktstr_now_ns();
	process->deadline_ns = start->timeout_ns ? process->began_ns + start->timeout_ns : UINT64_MAX;
	error = spawn(start, process);
	if (!error) {
		process->pid = process->child.pid;
		error = start_thread(process);
	}
	if (error) {
		ktstr_child_kill(&process->child);
		payload_process_destroy(process);
		return error;
	}
	*out = process;
	return NULL;
}

int payload_process_pid(const struct payload_process *process)
{
	return process->pid;
}

void payload_process_kill(struct payload_process *process)
{
	eventfd_write(process->kill_fd, 1);
}

bool payload_process_join(struct payload_process *process, bool block, struct payload_end *end)
{
	if (block ? pthread_join(process->thread, NULL) : pthread_tryjoin_np(process->thread, NULL))
		return false;
	*end = process->end;
	process->end = (struct payload_end){ .out.fd = -1, .err.fd = -1 };
	return true;
}

void payload_end_deinit(struct payload_end *end)
{
	ktstr_str_deinit(&end->out.kept);
	ktstr_str_deinit(&end->err.kept);
}

void payload_process_destroy(struct payload_process *process)
{
	close_output(&process->end.out);
	close_output(&process->end.err);
	payload_end_deinit(&process->end);
	if (process->kill_fd >= 0)
		close(process->kill_fd);
	free(process);
}
