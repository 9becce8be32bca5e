// SPDX-License-Identifier: GPL-2.0-only
/* Network devices that hear themselves; see echo.h. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/thread.h"
#include "vm/echo.h"

enum {
	FRAME_MAX = 4096 + 65536, /* NET_BUFSIZE of QEMU, which cuts what is longer */
	BATCH = 64, /* frames of one device before the others have their turn */
};

struct wire {
	int fd;
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes;
	uint64_t no_room, oversize, failed;
};

struct ktstr_echo {
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of counters: the thread holds it from a frame's arrival until it is accounted for */
	int stop; /* an eventfd */
	size_t count;
	struct wire wires[KTSTR_NETWORKS_MAX];
	unsigned char frame[FRAME_MAX];
};

static void give_back(struct wire *wire, const void *frame, size_t length)
{
	if (send(wire->fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		wire->rx_packets++;
		wire->rx_bytes += length;
	} else if (errno == EAGAIN || errno == ENOBUFS) {
		wire->no_room++;
	} else {
		wire->failed++;
	}
}

/* false: the wire is of no more use. */
static bool serve(struct ktstr_echo *echo, struct wire *wire)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		/* The true length, also of what is cut. */
		ssize_t length = recv(wire->fd, echo->frame, sizeof(echo->frame), MSG_DONTWAIT | MSG_TRUNC);

		if (length < 0)
			return errno == EAGAIN || errno == EINTR;
		wire->tx_packets++;
		wire->tx_bytes += (uint64_t)length;
		if ((size_t)length > sizeof(echo->frame))
			wire->oversize++;
		else
			give_back(wire, echo->frame, (size_t)length);
	}
	return true;
}

static void *run(void *arg)
{
	struct ktstr_echo *echo = arg;
	struct pollfd fds[KTSTR_NETWORKS_MAX + 1];

	for (size_t i = 0; i < echo->count; i++)
		fds[i] = (struct pollfd){ .fd = echo->wires[i].fd, .events = POLLIN };
	fds[echo->count] = (struct pollfd){ .fd = echo->stop, .events = POLLIN };
	for (;;) {
		if (poll(fds, echo->count + 1, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[echo->count].revents)
			return NULL;
		pthread_mutex_lock(&echo->lock);
		for (size_t i = 0; i < echo->count; i++) {
			/* A broken one would be ready for ever: poll() leaves out what is negative. */
			if (fds[i].revents && !serve(echo, &echo->wires[i]))
				fds[i].fd = -1;
		}
		pthread_mutex_unlock(&echo->lock);
	}
}

static struct ktstr_error *open_wire(struct wire *wire, int *theirs)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends))
		return ktstr_error_sys(errno, "cannot create a socket pair for a network device");
	wire->fd = ends[0];
	*theirs = ends[1];
	return NULL;
}

static struct ktstr_error *start_thread(struct ktstr_echo *echo)
{
	int failure = ktstr_start_thread(&echo->thread, 0, run, echo);

	echo->started = !failure;
	return failure ? ktstr_error_sys(failure, "cannot start the thread of network devices") : NULL;
}

static struct ktstr_error *start(struct ktstr_echo *echo, size_t count, int *theirs)
{
	echo->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (echo->stop < 0)
		return ktstr_error_sys(errno, "cannot create an eventfd for network devices");
	for (; echo->count < count; echo->count++)
		KTSTR_TRY(open_wire(&echo->wires[echo->count], &theirs[echo->count]));
	return start_thread(echo);
}

struct ktstr_error *ktstr_echo_create(size_t count, int *theirs, struct ktstr_echo **out)
{
	struct ktstr_echo *echo = ktstr_xcalloc(1, sizeof(*echo));
	struct ktstr_error *error;

	pthread_mutex_init(&echo->lock, NULL);
	for (size_t i = 0; i < count; i++)
		theirs[i] = -1;
	error = start(echo, count, theirs);
	*out = error ? NULL : echo;
	if (error)
		ktstr_echo_destroy(echo);
	return error;
}

void ktstr_echo_destroy(struct ktstr_echo *echo)
{
	if (!echo)
		return;
	if (echo->started) {
		eventfd_write(echo->stop, 1);
		pthread_join(echo->thread, NULL);
	}
	for (size_t i = 0; i < echo->count; i++)
		close(echo->wires[i].fd);
	if (echo->stop >= 0)
		close(echo->stop);
	pthread_mutex_destroy(&echo->lock);
	free(echo);
}

struct ktstr_virtio_net_counters_snapshot ktstr_echo_counters(struct ktstr_echo *echo, size_t index)
{
	struct wire wire;

	pthread_mutex_lock(&echo->lock);
	wire = echo->wires[index];
	pthread_mutex_unlock(&echo->lock);
	return (struct ktstr_virtio_net_counters_snapshot){
		.tx_packets = KTSTR_SOME(wire.tx_packets),
		.tx_bytes = KTSTR_SOME(wire.tx_bytes),
		.rx_packets = KTSTR_SOME(wire.rx_packets),
		.rx_bytes = KTSTR_SOME(wire.rx_bytes),
		.tx_dropped_no_rx_buffer = KTSTR_SOME(wire.no_room),
		.tx_oversize_dropped = KTSTR_SOME(wire.oversize),
		.rx_write_failed = KTSTR_SOME(wire.failed),
	};
}
