// SPDX-License-Identifier: GPL-2.0-only
/* The agent's link to the host: frames through the virtio port, or into the mailbox's log area. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/agent.h"

static struct ktstr_error *open_port(const char *wanted, int *fd)
{
	_cleanup_closedir_ DIR *ports = opendir("/sys/class/virtio-ports");
	struct dirent *entry;

	while (ports && (entry = readdir(ports))) {
		char path[PATH_MAX];
		_cleanup_free_ char *name = NULL;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		name = ktstr_read_line(path);
		if (!name || strcmp(name, wanted))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		*fd = open(path, O_RDWR | O_CLOEXEC);
		return *fd < 0 ? ktstr_error_sys(errno, "cannot open %s", path) : NULL;
	}
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no virtio port named %s", wanted);
}

struct ktstr_error *channel_open(struct channel *channel, struct ktstr_mailbox *mailbox)
{
	*channel = (struct channel){ .mailbox = mailbox, .port_fd = -1 };
	if (mailbox->transport == KTSTR_TRANSPORT_LOG)
		return NULL;
	return open_port(KTSTR_PORT_FRAMES, &channel->port_fd);
}

/* The length is published after the bytes, so that the host never sees half a frame as valid. */
static void append_to_log(struct ktstr_mailbox *mailbox, const struct ktstr_str *bytes)
{
	uint64_t length = mailbox->log_length;

	if (bytes->length > KTSTR_MAILBOX_LOG_BYTES - length) {
		mailbox->log_full = 1;
		return;
	}
	memcpy((char *)mailbox + KTSTR_MAILBOX_LOG_OFFSET + length, bytes->data, bytes->length);
	__atomic_store_n(&mailbox->log_length, length + bytes->length, __ATOMIC_RELEASE);
}

void channel_send(struct channel *channel, uint32_t type, const void *payload, size_t length)
{
	_cleanup_str_ struct ktstr_str bytes = { 0 };

	ktstr_frame_encode(&bytes, type, payload, length);
	if (channel->port_fd >= 0) {
		_cleanup_error_ struct ktstr_error *error =
			ktstr_write_all(channel->port_fd, bytes.data, bytes.length, KTSTR_PORT_FRAMES);

		if (error)
			fprintf(stderr, "ktstr-init: %s\n", ktstr_error_message(error));
	} else {
		append_to_log(channel->mailbox, &bytes);
	}
}

size_t channel_receive(struct channel *channel, void *buffer, size_t size)
{
	ssize_t got = read(channel->port_fd, buffer, size);

	channel->deaf = !got || (got < 0 && errno != EINTR && errno != EAGAIN);
	return got > 0 ? (size_t)got : 0;
}

void channel_lifecycle(struct channel *channel, enum ktstr_lifecycle stage, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_frame_lifecycle(&payload, stage, fmt, args);
	va_end(args);
	channel_send(channel, KTSTR_FRAME_LIFECYCLE, payload.data, payload.length);
}
