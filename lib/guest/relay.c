// SPDX-License-Identifier: GPL-2.0-only
/* Runs the job's processes and relays their output and frames to the host until something ends. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"
#include "ktstr/units.h"

enum { STATE_POLL_MS = 20 };

const char *sysfs_text(const char *path)
{
	static char text[128];
	_cleanup_free_ char *line = ktstr_read_line(path);

	snprintf(text, sizeof(text), "%s", line ? line : "");
	return text;
}

bool sched_ext_attached(void)
{
	return !strcmp(sysfs_text("/sys/kernel/sched_ext/state"), "enabled") &&
	       *sysfs_text("/sys/kernel/sched_ext/root/ops");
}

bool sched_ext_disabled(void)
{
	const char *state = sysfs_text("/sys/kernel/sched_ext/state");

	return !*state || !strcmp(state, "disabled");
}

/* One read from *fd, sent as a frame of `type`; the descriptor is closed at its end. */
static void relay_output(struct channel *channel, int *fd, uint32_t type)
{
	char chunk[16384];
	ssize_t got = read(*fd, chunk, sizeof(chunk));

	if (got > 0) {
		channel_send(channel, type, chunk, (size_t)got);
	} else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
		close(*fd);
		*fd = -1;
	}
}

/* Reaps everything that ended; orphans of the job belong to PID 1. */
static void reap(struct relay *relay)
{
	struct job_process *known[] = { &relay->program, &relay->sched };
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < 2; i++) {
			if (known[i]->pid != pid)
				continue;
			known[i]->ended = true;
			known[i]->wait_status = status;
			close(known[i]->pidfd);
			known[i]->pidfd = -1;
			known[i]->pid = 0;
		}
	}
}

struct relay_source {
	int *fd;
	uint32_t type; /* of the frames that carry what is read */
};

static void relay_ready(struct relay *relay, int timeout_ms)
{
	struct relay_source sources[] = {
		{ &relay->program.out_fd, relay->program.out_type },
		{ &relay->program.err_fd, relay->program.err_type },
		{ &relay->sched.out_fd, relay->sched.out_type },
		{ &relay->sched.err_fd, relay->sched.err_type },
	};
	enum { SOURCES = sizeof(sources) / sizeof(sources[0]) };
	enum { PROGRAM_FRAMES = SOURCES, PORT, PIDFDS, FDS = PIDFDS + 2 };
	struct pollfd fds[FDS];

	for (size_t i = 0; i < SOURCES; i++)
		fds[i] = (struct pollfd){ .fd = *sources[i].fd, .events = POLLIN };
	fds[PROGRAM_FRAMES] = (struct pollfd){ .fd = relay->program.frames_fd,
					       .events = POLLIN | (relay->to_program.length ? POLLOUT : 0) };
	fds[PORT] = (struct pollfd){ .fd = relay->channel->deaf ? -1 : relay->channel->port_fd, .events = POLLIN };
	fds[PIDFDS] = (struct pollfd){ .fd = relay->program.pidfd, .events = POLLIN };
	fds[PIDFDS + 1] = (struct pollfd){ .fd = relay->sched.pidfd, .events = POLLIN };
	if (poll(fds, FDS, timeout_ms) < 0)
		return;
	for (size_t i = 0; i < SOURCES; i++)
		if (*sources[i].fd >= 0 && fds[i].revents)
			relay_output(relay->channel, sources[i].fd, sources[i].type);
	if (fds[PORT].revents)
		link_from_host(relay);
	if (fds[PROGRAM_FRAMES].revents & ~POLLOUT)
		link_from_program(relay);
	link_flush(relay);
}

void relay_drain(struct relay *relay)
{
	int *fds[] = { &relay->program.frames_fd, &relay->program.out_fd, &relay->program.err_fd,
		       &relay->sched.out_fd, &relay->sched.err_fd };
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(2);

	for (;;) {
		bool more = false;

		for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
			struct pollfd fd = { .fd = *fds[i], .events = POLLIN };

			more |= *fds[i] >= 0 && poll(&fd, 1, 0) > 0;
		}
		if (!more || ktstr_now_ns() > deadline)
			return;
		relay_ready(relay, 0);
	}
}

/* Tells the host once that the scheduler is gone: its process ended, or the kernel unloaded it. */
static void report_scheduler(struct relay *relay)
{
	if (!relay->sched_watched)
		return;
	if (relay->sched.ended) {
		int32_t status = relay->sched.wait_status;
		_cleanup_free_ char *how = NULL;

		relay_drain(relay);
		how = WIFSIGNALED(status) ? ktstr_xasprintf("signal %d", WTERMSIG(status)) :
					    ktstr_xasprintf("exit code %d", WEXITSTATUS(status));
		channel_send(relay->channel, KTSTR_FRAME_SCHED_EXIT, &status, sizeof(status));
		channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_DIED, "%s", how);
		relay->sched_watched = false;
	} else if (relay->sched_attached && !sched_ext_attached()) {
		/* Its process usually follows with its last words: that report comes next. */
		channel_lifecycle(relay->channel, KTSTR_LIFE_SCHED_DETACHED, "%s",
				  sysfs_text("/sys/kernel/sched_ext/state"));
		relay->sched_attached = false;
	}
}

enum wait_end relay_until(struct relay *relay, bool (*condition)(const struct relay *relay), uint64_t deadline_ns)
{
	for (;;) {
		int left_ms = ktstr_ms_until(deadline_ns);

		relay_ready(relay, left_ms < STATE_POLL_MS ? left_ms : STATE_POLL_MS);
		reap(relay);
		report_scheduler(relay);
		if (!condition && relay->program.ended)
			return WAIT_PROGRAM_ENDED;
		if (condition ? condition(relay) : relay->asked)
			return condition ? WAIT_CONDITION : WAIT_ASKED;
		if (!left_ms)
			return WAIT_DEADLINE;
	}
}

void relay_last_words(struct relay *relay)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(3);

	while (relay->sched.pid && !sched_ext_attached() && ktstr_now_ns() < deadline) {
		relay_ready(relay, STATE_POLL_MS);
		reap(relay);
		report_scheduler(relay);
	}
}
