// SPDX-License-Identifier: GPL-2.0-only
/* Child processes that cannot outlive us. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

enum { COMMAND_OUTPUT_MAX = 256 << 20, ERROR_TAIL_BYTES = 600 };

/* The highest number a kept descriptor may have to pass the exec; far above what we open. */
static int highest_kept(const struct ktstr_child_spec *spec, int report_fd)
{
	int highest = report_fd;

	for (size_t i = 0; i < spec->keep_fds_count; i++)
		if (spec->keep_fds[i] > highest)
			highest = spec->keep_fds[i];
	return highest;
}

static bool is_kept(const struct ktstr_child_spec *spec, int fd)
{
	for (size_t i = 0; i < spec->keep_fds_count; i++)
		if (spec->keep_fds[i] == fd)
			return true;
	return false;
}

static void close_foreign_fds(const struct ktstr_child_spec *spec, int report_fd)
{
	int highest = highest_kept(spec, report_fd);

	for (int fd = 3; fd <= highest; fd++) {
		if (is_kept(spec, fd))
			fcntl(fd, F_SETFD, 0);
		else if (fd != report_fd)
			close(fd);
	}
	close_range((unsigned int)highest + 1, ~0u, 0);
}

static void redirect(int fd, int target)
{
	int source = fd >= 0 ? fd : open("/dev/null", O_RDWR);

	if (source == target)
		fcntl(target, F_SETFD, 0);
	else
		dup2(source, target);
}

/* Until the parent has put us where we belong; it kills us when it could not. */
static void wait_until_placed(int gate_fd)
{
	eventfd_t none;

	while (eventfd_read(gate_fd, &none) && errno == EINTR)
		;
}

/* Runs in the child; only returns to _exit(). report_fd closes on a successful exec. */
static void child_main(const struct ktstr_child_spec *spec, pid_t parent, int report_fd, int gate_fd)
{
	sigset_t none;
	int saved;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (spec->own_session)
		setsid();
	if (spec->own_group)
		setpgid(0, 0);
	wait_until_placed(gate_fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	redirect(spec->stdin_fd, 0);
	redirect(spec->stdout_fd, 1);
	redirect(spec->stderr_fd, 2);
	close_foreign_fds(spec, report_fd);
	if (spec->env)
		execvpe(spec->argv[0], (char *const *)spec->argv, (char *const *)spec->env);
	else
		execvp(spec->argv[0], (char *const *)spec->argv);
	saved = errno;
	if (write(report_fd, &saved, sizeof(saved)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * The descriptors are the caller's on failure, too. The gate is no pipe: children that other threads fork at the same time
 * would hold its other end, each waiting for the other.
 */
static struct ktstr_error *fork_child(const struct ktstr_child_spec *spec, int *report_fd, int *gate_fd, pid_t *pid)
{
	pid_t parent = getpid();
	int report[2], saved;

	*gate_fd = eventfd(0, EFD_CLOEXEC);
	if (*gate_fd < 0)
		return ktstr_error_sys(errno, "cannot create an eventfd");
	if (pipe2(report, O_CLOEXEC))
		return ktstr_error_sys(errno, "cannot create a pipe");
	*pid = fork();
	if (*pid == 0) {
		close(report[0]);
		child_main(spec, parent, report[1], *gate_fd);
	}
	saved = errno;
	*report_fd = report[0];
	close(report[1]);
	return *pid < 0 ? ktstr_error_sys(saved, "cannot fork for %s", spec->argv[0]) : NULL;
}

/* Lets it go on where it belongs; its failure to execute comes back through the report. */
static struct ktstr_error *release_child(const struct ktstr_child_spec *spec, pid_t pid, int report_fd, int gate_fd)
{
	int exec_errno = 0;
	ssize_t got;

	if (spec->own_group)
		setpgid(pid, pid); /* so that it is true whichever of us is first */
	if (spec->place)
		KTSTR_TRY(spec->place(spec->place_context, pid));
	eventfd_write(gate_fd, 1);
	do
		got = read(report_fd, &exec_errno, sizeof(exec_errno));
	while (got < 0 && errno == EINTR);
	return got == sizeof(exec_errno) ? ktstr_error_sys(exec_errno, "cannot run %s", spec->argv[0]) : NULL;
}

struct ktstr_error *ktstr_child_spawn(const struct ktstr_child_spec *spec, struct ktstr_child *child)
{
	_cleanup_close_ int report_fd = -1, gate_fd = -1;
	struct ktstr_error *error;
	pid_t pid = -1;

	*child = (struct ktstr_child){ .pidfd = -1 };
	KTSTR_TRY(fork_child(spec, &report_fd, &gate_fd, &pid));
	child->pid = pid;
	error = release_child(spec, pid, report_fd, gate_fd);
	if (error) {
		ktstr_child_kill(child);
		return error;
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (child->pidfd >= 0)
		fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
	return NULL;
}

struct ktstr_error *ktstr_child_wait(struct ktstr_child *child, uint64_t deadline_ns,
				     int *wait_status)
{
	pid_t ended;

	for (;;) {
		struct pollfd fd = { .fd = child->pidfd, .events = POLLIN };
		int left_ms = ktstr_ms_until(deadline_ns);

		ended = waitpid(child->pid, wait_status, WNOHANG);
		if (ended != 0)
			break;
		if (!left_ms)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "process %d is still running",
					       (int)child->pid);
		poll(&fd, child->pidfd >= 0, child->pidfd >= 0 || left_ms < 10 ? left_ms : 10);
	}
	if (ended < 0)
		return ktstr_error_sys(errno, "cannot wait for process %d", (int)child->pid);
	if (child->pidfd >= 0)
		close(child->pidfd);
	*child = (struct ktstr_child){ .pidfd = -1 };
	return NULL;
}

void ktstr_child_kill(struct ktstr_child *child)
{
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
		if (child->pidfd >= 0)
			close(child->pidfd);
	}
	*child = (struct ktstr_child){ .pidfd = -1 };
}

char *ktstr_describe_wait_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return ktstr_xasprintf("signal %d (%s)", WTERMSIG(wait_status),
				       strsignal(WTERMSIG(wait_status)));
	return ktstr_xasprintf("exit code %d", WEXITSTATUS(wait_status));
}

/* Reads what is there; false once the stream has ended. */
static bool drain(int fd, struct ktstr_str *into)
{
	char chunk[16384];
	ssize_t got = read(fd, chunk, sizeof(chunk));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (into->length < COMMAND_OUTPUT_MAX)
		ktstr_str_add_bytes(into, chunk, (size_t)got);
	return got > 0;
}

static struct ktstr_error *collect_output(int out_fd, int err_fd, uint64_t deadline_ns,
					  struct ktstr_str *out, struct ktstr_str *err)
{
	struct pollfd fds[2] = { { .fd = out_fd, .events = POLLIN },
				 { .fd = err_fd, .events = POLLIN } };
	struct ktstr_str *sinks[2] = { out, err };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int left_ms = ktstr_ms_until(deadline_ns);

		if (!left_ms)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "no end within the time limit");
		if (poll(fds, 2, left_ms) < 0 && errno != EINTR)
			return ktstr_error_sys(errno, "cannot poll");
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents && !drain(fds[i].fd, sinks[i]))
				fds[i].fd = -1;
	}
	return NULL;
}

struct ktstr_error *ktstr_run_command(const char *const *argv, uint64_t timeout_ns, char **out,
				      char **err)
{
	_cleanup_str_ struct ktstr_str out_text = { 0 }, err_text = { 0 };
	uint64_t deadline = ktstr_now_ns() + timeout_ns;
	int out_pipe[2], err_pipe[2], status = 0;
	struct ktstr_child child;
	struct ktstr_error *error;

	if (pipe2(out_pipe, O_CLOEXEC))
		return ktstr_error_sys(errno, "cannot create a pipe");
	if (pipe2(err_pipe, O_CLOEXEC)) {
		error = ktstr_error_sys(errno, "cannot create a pipe");
		close(out_pipe[0]);
		close(out_pipe[1]);
		return error;
	}
	error = ktstr_child_spawn(&(struct ktstr_child_spec){ .argv = argv,
							      .stdin_fd = -1,
							      .stdout_fd = out_pipe[1],
							      .stderr_fd = err_pipe[1] },
				  &child);
	close(out_pipe[1]);
	close(err_pipe[1]);
	if (!error)
		error = collect_output(out_pipe[0], err_pipe[0], deadline, &out_text, &err_text);
	if (!error)
		error = ktstr_child_wait(&child, deadline, &status);
	close(out_pipe[0]);
	close(err_pipe[0]);
	if (error) {
		ktstr_child_kill(&child);
		return ktstr_error_wrap(error, "%s", argv[0]);
	}
	if (status) {
		_cleanup_free_ char *how = ktstr_describe_wait_status(status);
		const char *text = ktstr_str_text(err_text.length ? &err_text : &out_text);
		size_t length = strlen(text);

		while (length && isspace((unsigned char)text[length - 1]))
			length--;
		if (length > ERROR_TAIL_BYTES) {
			text += length - ERROR_TAIL_BYTES;
			length = ERROR_TAIL_BYTES;
		}
		return ktstr_error_new(KTSTR_ERR_SYSTEM, "%s failed with %s%s%.*s", argv[0], how,
				       length ? ": " : " and said nothing", (int)length, text);
	}
	if (out)
		*out = ktstr_str_take(&out_text);
	if (err)
		*err = ktstr_str_take(&err_text);
	return NULL;
}
