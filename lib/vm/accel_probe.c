// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tiny VM that shows whether KVM runs guests here: a kernel without a root file system must get
 * as far as its panic about that. It lives at most as long as the time limit, and is killed in any
 * case.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"
#include "vm/accel.h"
#include "vm/console.h"

enum { OUTPUT_MAX = 256 << 10, LAST_WORDS_LINES = 3 };

struct probe {
	struct ktstr_child child;
	int serial_fd, stderr_fd;
	struct ktstr_str serial, errors;
};

static void probe_deinit(struct probe *probe)
{
	ktstr_child_kill(&probe->child);
	ktstr_cleanup_close(&probe->serial_fd);
	ktstr_cleanup_close(&probe->stderr_fd);
	ktstr_str_deinit(&probe->serial);
	ktstr_str_deinit(&probe->errors);
}

static struct ktstr_error *start(struct probe *probe, const struct ktstr_qemu *qemu,
				 const char *image_path)
{
	const char *argv[] = { qemu->path, "-accel",      "kvm",
			       "-cpu",     "host",        "-m",
			       "256",      "-nodefaults", "-no-user-config",
			       "-display", "none",        "-no-reboot",
			       "-serial",  "stdio",       "-kernel",
			       image_path, "-append",     "console=ttyS0 panic=-1",
			       NULL };
	_cleanup_close_ int serial_end = -1, stderr_end = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return ktstr_error_sys(errno, "cannot create a pipe");
	probe->serial_fd = ends[0];
	serial_end = ends[1];
	if (pipe2(ends, O_CLOEXEC))
		return ktstr_error_sys(errno, "cannot create a pipe");
	probe->stderr_fd = ends[0];
	stderr_end = ends[1];
	return ktstr_child_spawn(&(struct ktstr_child_spec){ .argv = argv,
							     .stdin_fd = -1,
							     .stdout_fd = serial_end,
							     .stderr_fd = stderr_end,
							     .own_session = true },
				 &probe->child);
}

/* False once the stream has ended. What exceeds the cap is read and forgotten. */
static bool drain(int fd, struct ktstr_str *into)
{
	char chunk[4096];
	ssize_t got = read(fd, chunk, sizeof(chunk));

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (into->length < OUTPUT_MAX)
		ktstr_str_add_bytes(into, chunk, (size_t)got);
	return got > 0;
}

/*
 * Of the whole boot only its end counts: "Linux version" alone is also what a guest prints that
 * hangs or hits a KVM internal error soon after.
 */
static bool reached_root_panic(const struct probe *probe)
{
	const char *text = ktstr_str_text(&probe->serial);

	return memmem(text, probe->serial.length, "VFS: Unable to mount root", 25) ||
	       memmem(text, probe->serial.length, "No working init found", 21);
}

/* Reads until the panic, the end of QEMU or the deadline; false for the deadline. */
static bool watch(struct probe *probe, uint64_t deadline_ns)
{
	struct pollfd fds[2] = { { .fd = probe->serial_fd, .events = POLLIN },
				 { .fd = probe->stderr_fd, .events = POLLIN } };

	while (!reached_root_panic(probe) && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
		int left_ms = ktstr_ms_until(deadline_ns);

		if (!left_ms)
			return false;
		if (poll(fds, 2, left_ms) < 0)
			continue;
		if (fds[0].revents && !drain(fds[0].fd, &probe->serial))
			fds[0].fd = -1;
		if (fds[1].revents && !drain(fds[1].fd, &probe->errors))
			fds[1].fd = -1;
	}
	return true;
}

static char *last_words(const struct probe *probe)
{
	const struct ktstr_str *said = probe->errors.length ? &probe->errors : &probe->serial;
	char *text = ktstr_console_tail(ktstr_str_text(said), said->length, LAST_WORDS_LINES);

	for (char *newline = strchr(text, '\n'); newline; newline = strchr(newline, '\n'))
		*newline = newline[1] ? '|' : '\0';
	return text;
}

char *ktstr_accel_probe(const struct ktstr_qemu *qemu, const char *image_path, uint64_t timeout_ns)
{
	_cleanup_(probe_deinit) struct probe probe = { .child.pidfd = -1,
						       .serial_fd = -1,
						       .stderr_fd = -1 };
	_cleanup_error_ struct ktstr_error *error = start(&probe, qemu, image_path);
	_cleanup_free_ char *said = NULL;
	char limit[32];
	bool ended;

	if (error)
		return ktstr_xasprintf("the probe VM did not start: %s",
				       ktstr_error_message(error));
	ended = watch(&probe, ktstr_now_ns() + timeout_ns);
	if (reached_root_panic(&probe))
		return NULL;
	said = last_words(&probe);
	if (ended)
		return ktstr_xasprintf("a small VM under it failed: %s",
				       *said ? said : "it printed nothing");
	return ktstr_xasprintf("a small VM under it did not boot within %s%s%s",
			       ktstr_format_duration(timeout_ns, limit),
			       *said ? "; it last printed: " : "", said);
}
