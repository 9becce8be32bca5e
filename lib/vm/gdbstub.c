// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the GDB remote serial protocol, as much of it as QEMU's stub needs. Packets are "$body#checksum", each
 * acknowledged with '+'. While the guest runs nothing may be sent but the interrupt byte and acknowledgements.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "vm/gdbstub.h"

enum {
	BODY_MAX = 64 * 1024,
	INTERRUPT = 3,
	/* Numbers of registers in the stub's description of x86-64. */
	REGISTER_RSP = 7,
	REGISTER_RIP = 16,
	REGISTER_CR3 = 29,
};

struct ktstr_gdb {
	int fd;
	bool running;
	bool interrupted; /* it has been told to stop and has not answered yet */
	struct ktstr_str input;
	char *body; /* of the packet read last */
	struct ktstr_gdb_stop missed; /* a watchpoint that was first; .watch false = none */
};

static struct ktstr_error *gone(void)
{
	return ktstr_error_new(KTSTR_ERR_GUEST, "QEMU's gdb stub is gone");
}

static struct ktstr_error *send_all(struct ktstr_gdb *gdb, const void *bytes, size_t count)
{
	const char *from = bytes;

	while (count) {
		ssize_t sent = send(gdb->fd, from, count, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return gone();
		from += sent;
		count -= (size_t)sent;
	}
	return NULL;
}

static struct ktstr_error *send_packet(struct ktstr_gdb *gdb, const char *body)
{
	_cleanup_free_ char *packet = NULL;
	unsigned char sum = 0;

	for (const char *at = body; *at; at++)
		sum = (unsigned char)(sum + (unsigned char)*at);
	packet = ktstr_xasprintf("$%s#%02x", body, sum);
	return send_all(gdb, packet, strlen(packet));
}

/* Moves one whole packet from the input to body. */
static bool take_packet(struct ktstr_gdb *gdb)
{
	char *start = gdb->input.length ? memchr(gdb->input.data, '$', gdb->input.length) : NULL;
	char *end = start ? memchr(start, '#', gdb->input.length - (size_t)(start - gdb->input.data)) : NULL;
	size_t used;

	if (!end || (size_t)(end - gdb->input.data) + 3 > gdb->input.length)
		return false;
	free(gdb->body);
	gdb->body = ktstr_xstrndup(start + 1, (size_t)(end - start) - 1);
	used = (size_t)(end - gdb->input.data) + 3;
	memmove(gdb->input.data, gdb->input.data + used, gdb->input.length - used + 1);
	gdb->input.length -= used;
	return true;
}

/* False when the deadline passes before there is a packet. */
static struct ktstr_error *receive(struct ktstr_gdb *gdb, uint64_t deadline_ns, bool *received)
{
	char chunk[4096];

	while (!(*received = take_packet(gdb))) {
		struct pollfd fd = { .fd = gdb->fd, .events = POLLIN };
		ssize_t got;

		if (gdb->input.length > BODY_MAX)
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "QEMU's gdb stub sent no end of a packet");
		if (poll(&fd, 1, ktstr_ms_until(deadline_ns)) <= 0)
			return NULL;
		got = recv(gdb->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return gone();
		if (got > 0)
			ktstr_str_add_bytes(&gdb->input, chunk, (size_t)got);
	}
	return send_all(gdb, "+", 1);
}

/* Stop replies that arrive where a command's answer is expected are skipped: the guest is known to stand still. */
static bool is_stop(const char *body)
{
	return body[0] == 'T' || body[0] == 'S';
}

static struct ktstr_error *ask(struct ktstr_gdb *gdb, const char *body, uint64_t deadline_ns)
{
	bool received;

	KTSTR_TRY(send_packet(gdb, body));
	do {
		KTSTR_TRY(receive(gdb, deadline_ns, &received));
		if (!received)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "QEMU's gdb stub did not answer \"%s\"", body);
	} while (is_stop(gdb->body) && body[0] != '?');
	return NULL;
}

static struct ktstr_error *expect_ok(struct ktstr_gdb *gdb, const char *body, uint64_t deadline_ns)
{
	KTSTR_TRY(ask(gdb, body, deadline_ns));
	if (strcmp(gdb->body, "OK"))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "QEMU's gdb stub refused \"%s\": %s", body,
				       *gdb->body ? gdb->body : "not supported");
	return NULL;
}

struct ktstr_gdb *ktstr_gdb_open(int fd)
{
	struct ktstr_gdb *made = ktstr_xcalloc(1, sizeof(*made));

	made->fd = fd;
	made->running = true;
	return made;
}

void ktstr_gdb_close(struct ktstr_gdb *gdb)
{
	if (!gdb)
		return;
	close(gdb->fd);
	ktstr_str_deinit(&gdb->input);
	free(gdb->body);
	free(gdb);
}

int ktstr_gdb_fd(const struct ktstr_gdb *gdb)
{
	return gdb->fd;
}

/* "T05thread:p01.03;watch:ffffffff82a1b2c0;" */
static void parse_stop(const char *body, struct ktstr_gdb_stop *stop)
{
	const char *thread = strstr(body, "thread:"), *watch = strstr(body, "watch:"), *dot;

	*stop = (struct ktstr_gdb_stop){ .watch = watch != NULL };
	if (watch)
		stop->address = strtoull(watch + strlen("watch:"), NULL, 16);
	if (!thread)
		return;
	thread += strlen("thread:");
	dot = strchr(thread, '.');
	stop->cpu = (unsigned int)strtoul(dot && dot < thread + strcspn(thread, ";") ? dot + 1 : thread, NULL, 16) - 1;
}

struct ktstr_error *ktstr_gdb_take_stop(struct ktstr_gdb *gdb, bool *stopped, struct ktstr_gdb_stop *stop)
{
	bool received;

	*stopped = false;
	do {
		KTSTR_TRY(receive(gdb, 0, &received));
		if (received && is_stop(gdb->body)) {
			*stopped = true;
			gdb->running = gdb->interrupted = false;
			parse_stop(gdb->body, stop);
		}
	} while (received && !*stopped);
	return NULL;
}

struct ktstr_error *ktstr_gdb_stop(struct ktstr_gdb *gdb, uint64_t deadline_ns)
{
	static const char interrupt = INTERRUPT;
	bool received;

	if (!gdb->running)
		return NULL;
	/* The first byte that reaches the stub of a running guest stops it; one is enough. */
	if (!gdb->interrupted)
		KTSTR_TRY(send_all(gdb, &interrupt, 1));
	gdb->interrupted = true;
	do {
		received = false;
		/* An answer that is there after the deadline is late all the same: ktstr_gdb_take_stop() reads it. */
		if (ktstr_now_ns() < deadline_ns)
			KTSTR_TRY(receive(gdb, deadline_ns, &received));
		if (!received)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the guest's CPUs did not stop");
	} while (!is_stop(gdb->body));
	gdb->running = gdb->interrupted = false;
	parse_stop(gdb->body, &gdb->missed);
	return NULL;
}

bool ktstr_gdb_take_missed_watch(struct ktstr_gdb *gdb, struct ktstr_gdb_stop *stop)
{
	*stop = gdb->missed;
	gdb->missed.watch = false;
	return stop->watch;
}

struct ktstr_error *ktstr_gdb_continue(struct ktstr_gdb *gdb)
{
	if (gdb->running)
		return NULL;
	gdb->running = true;
	return send_packet(gdb, "c");
}

static struct ktstr_error *watchpoint(struct ktstr_gdb *gdb, char action, uint64_t address, unsigned int bytes,
				      uint64_t deadline_ns)
{
	_cleanup_free_ char *body = ktstr_xasprintf("%c2,%" PRIx64 ",%x", action, address, bytes);

	return expect_ok(gdb, body, deadline_ns);
}

struct ktstr_error *ktstr_gdb_watch(struct ktstr_gdb *gdb, uint64_t address, unsigned int bytes, uint64_t deadline_ns)
{
	return watchpoint(gdb, 'Z', address, bytes, deadline_ns);
}

struct ktstr_error *ktstr_gdb_unwatch(struct ktstr_gdb *gdb, uint64_t address, unsigned int bytes,
				      uint64_t deadline_ns)
{
	return watchpoint(gdb, 'z', address, bytes, deadline_ns);
}

/* Values come as hexadecimal bytes, lowest first; "E14", whose digits are odd in number, is a refusal. */
static struct ktstr_error *read_register(struct ktstr_gdb *gdb, unsigned int number, uint64_t deadline_ns,
					 uint64_t *value)
{
	_cleanup_free_ char *body = ktstr_xasprintf("p%x", number);
	size_t digits;

	KTSTR_TRY(ask(gdb, body, deadline_ns));
	digits = strlen(gdb->body);
	if (!digits || digits % 2 || strspn(gdb->body, "0123456789abcdefABCDEF") != digits)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "QEMU's gdb stub has no register %u", number);
	*value = 0;
	for (size_t i = 0; i < 8 && i < digits / 2; i++) {
		unsigned int byte = 0;

		sscanf(gdb->body + 2 * i, "%2x", &byte);
		*value |= (uint64_t)byte << (8 * i);
	}
	return NULL;
}

struct ktstr_error *ktstr_gdb_registers(struct ktstr_gdb *gdb, unsigned int cpu, uint64_t deadline_ns,
					struct ktstr_gdb_registers *registers)
{
	_cleanup_free_ char *select = ktstr_xasprintf("Hgp1.%x", cpu + 1);

	KTSTR_TRY(ask(gdb, select, deadline_ns));
	if (strcmp(gdb->body, "OK")) { /* a stub that speaks no multiprocess */
		_cleanup_free_ char *plain = ktstr_xasprintf("Hg%x", cpu + 1);

		KTSTR_TRY(expect_ok(gdb, plain, deadline_ns));
	}
	KTSTR_TRY(read_register(gdb, REGISTER_RIP, deadline_ns, &registers->instruction_pointer));
	KTSTR_TRY(read_register(gdb, REGISTER_RSP, deadline_ns, &registers->stack_pointer));
	return read_register(gdb, REGISTER_CR3, deadline_ns, &registers->page_table_root);
}
