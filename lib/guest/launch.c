// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starting the job's processes through a launcher: the agent's own binary once more, in a session of its own, which
 * waits to be told what to become. Started ahead it is part of the template, and a clone is spared all of a process's
 * birth but the exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"
#include "guest/job.h"

#define SELF	 "/init"
#define TERMINAL "/dev/hvc0"

enum { FRAMES_FD = 3, REQUEST_MAX_BYTES = 1 << 20, LOAD_LIMIT_MS = 15000 };

/* What a launcher reads from its standard input; the strings follow, each with its NUL. */
struct request {
	uint32_t strings_bytes;
	uint32_t argv_count, env_count;
	bool terminal, held;
	struct winsize window;
};

static bool read_fully(void *buffer, size_t length)
{
	char *cursor = buffer;

	while (length) {
		ssize_t got = read(STDIN_FILENO, cursor, length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		cursor += got;
		length -= (size_t)got;
	}
	return true;
}

static char **take_strings(char **cursor, uint32_t count)
{
	char **strings = ktstr_xcalloc(count + 1, sizeof(*strings));

	for (uint32_t i = 0; i < count; i++) {
		strings[i] = *cursor;
		*cursor += strlen(*cursor) + 1;
	}
	return strings;
}

/* The first terminal that the leader of a session opens becomes its controlling one. */
static void open_streams(const struct request *request)
{
	if (request->held)
		dup2(STDIN_FILENO, KTSTR_HOLD_FD);
	close(STDIN_FILENO);
	if (open(request->terminal ? TERMINAL : "/dev/null", O_RDWR) != STDIN_FILENO)
		_exit(126);
	if (!request->terminal)
		return;
	ioctl(STDIN_FILENO, TIOCSWINSZ, &request->window);
	dup2(STDIN_FILENO, STDOUT_FILENO);
	dup2(STDIN_FILENO, STDERR_FILENO);
}

/* When there is no request the agent is gone, or never needed this process. */
int launcher_main(void)
{
	struct request request;
	char *strings, **argv, **env;

	guard_job();
	if (!read_fully(&request, sizeof(request)))
		return 126;
	strings = ktstr_xmalloc(request.strings_bytes);
	if (!read_fully(strings, request.strings_bytes))
		return 126;
	argv = take_strings(&strings, request.argv_count);
	env = take_strings(&strings, request.env_count);
	open_streams(&request);
	execve(argv[0], argv, env);
	dprintf(STDERR_FILENO, "ktstr-init: cannot execute %s: %s\n", argv[0], strerror(errno));
	return 127;
}

static int spawn_launcher(int control, int out, int err, int frames, pid_t *pid)
{
	char *argv[] = { SELF, LAUNCHER_OPTION, NULL }, *env[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int status;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, control, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	if (frames >= 0)
		posix_spawn_file_actions_adddup2(&actions, frames, FRAMES_FD);
	posix_spawn_file_actions_addclosefrom_np(&actions, frames >= 0 ? FRAMES_FD + 1 : FRAMES_FD);
	status = posix_spawn(pid, SELF, &actions, &attributes, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return status;
}

/* Moves both ends above the descriptors that the child gets: they would overwrite each other. */
static bool raise_ends(const int low[2], int ends[2])
{
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FRAMES_FD + 1);
		close(low[i]);
	}
	return ends[0] >= 0 && ends[1] >= 0;
}

static bool open_pipe(int ends[2])
{
	int low[2];

	return !pipe2(low, O_CLOEXEC) && raise_ends(low, ends);
}

static bool open_socket(int ends[2])
{
	int low[2];

	return !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, low) && raise_ends(low, ends);
}

struct job_process job_process_idle(void)
{
	return (struct job_process){ .pidfd = -1, .control_fd = -1, .out_fd = -1, .err_fd = -1, .frames_fd = -1 };
}

struct ktstr_error *job_process_prepare(struct job_process *process, bool with_frames)
{
	int control[2], out[2], err[2], frames[2] = { -1, -1 }, status;

	if (!open_socket(control) || !open_pipe(out) || !open_pipe(err) || (with_frames && !open_socket(frames)))
		return ktstr_error_sys(errno, "cannot create the pipes and sockets of a process");
	status = spawn_launcher(control[0], out[1], err[1], frames[1], &process->launcher_pid);
	if (status)
		return ktstr_error_sys(status, "cannot start a launcher");
	close(control[0]);
	close(out[1]);
	close(err[1]);
	if (with_frames)
		close(frames[1]);
	process->control_fd = control[1];
	process->out_fd = out[0];
	process->err_fd = err[0];
	process->frames_fd = frames[0];
	process->pidfd = (int)syscall(SYS_pidfd_open, process->launcher_pid, 0);
	return NULL;
}

static void add_strings(struct ktstr_str *strings, json_t *array)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item) {
		const char *text = json_string_value(item);

		ktstr_str_add_bytes(strings, text ? text : "", text ? strlen(text) + 1 : 1);
	}
}

static struct ktstr_error *send_request(struct job_process *process, struct request request, json_t *argv, json_t *env)
{
	_cleanup_str_ struct ktstr_str message = { 0 };
	_cleanup_str_ struct ktstr_str strings = { 0 };

	add_strings(&strings, argv);
	add_strings(&strings, env);
	request.argv_count = (uint32_t)json_array_size(argv);
	request.env_count = (uint32_t)json_array_size(env);
	if (!request.argv_count || strings.length > REQUEST_MAX_BYTES)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a job names no program, or one with %zu bytes of arguments",
				       strings.length);
	request.strings_bytes = (uint32_t)strings.length;
	ktstr_str_add_bytes(&message, &request, sizeof(request));
	ktstr_str_add_bytes(&message, strings.data, strings.length);
	process->pid = process->launcher_pid;
	return ktstr_write_all(process->control_fd, message.data, message.length, "a launcher");
}

static void close_control(struct job_process *process)
{
	close(ktstr_take_fd(&process->control_fd));
}

struct ktstr_error *job_process_start(struct job_process *process, json_t *argv, json_t *env,
				      const struct winsize *terminal)
{
	struct request request = { .terminal = terminal != NULL };
	struct ktstr_error *error;

	if (terminal)
		request.window = *terminal;
	error = send_request(process, request, argv, env);
	close_control(process);
	return error;
}

struct ktstr_error *job_process_load(struct job_process *process, json_t *argv, json_t *env)
{
	struct pollfd word = { .fd = process->control_fd, .events = POLLIN };
	char byte;

	KTSTR_TRY(send_request(process, (struct request){ .held = true }, argv, env));
	if (poll(&word, 1, LOAD_LIMIT_MS) == 1 && read(process->control_fd, &byte, 1) == 1)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_GUEST, "the test program did not come as far as its main()");
}

bool job_process_is_held(const struct job_process *process)
{
	return process->pid && process->control_fd >= 0;
}

void job_process_let_go(struct job_process *process)
{
	/* When it has ended meanwhile there is nobody to tell, and its end is reported as always. */
	(void)!send(process->control_fd, "", 1, MSG_NOSIGNAL);
	close_control(process);
}
