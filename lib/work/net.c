// SPDX-License-Identifier: GPL-2.0-only
/* Work types over a network device: frames that come back to us through the receive path. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/link.h"
#include "work/work_type.h"

enum {
	ETHERTYPE = 0x88b5, /* IEEE 802: local experiments */
	FRAME_MAX = 1514,
	HEADER = 14,
	INTERFACES_MAX = 16,
};

#define FRAME_ERRORS                                                  \
	.error_below = KTSTR_WORK_TYPE_FRAME_BYTES_OUT_OF_RANGE,     \
	.error_above = KTSTR_WORK_TYPE_FRAME_BYTES_OUT_OF_RANGE

/* What follows the Ethernet header. */
struct payload {
	char magic[4]; /* "KTST" */
	uint32_t group; /* tells groups apart: the sender's thread id */
	uint64_t sent_ns;
} __attribute__((packed));

struct link {
	int fd, index;
	unsigned char address[6];
	bool loopback;
};

/* The first device that is not the loopback, else the loopback. */
static bool choose_interface(struct link *link)
{
	struct if_nameindex *all = if_nameindex();
	bool found = false;

	for (struct if_nameindex *one = all; one && one->if_index; one++) {
		struct ifreq request = { 0 };
		bool loopback;

		strncpy(request.ifr_name, one->if_name, IFNAMSIZ - 1);
		if (!ktstr_link_up(link->fd, &request))
			continue;
		loopback = request.ifr_flags & IFF_LOOPBACK;
		if ((found && loopback) || ioctl(link->fd, SIOCGIFHWADDR, &request))
			continue;
		memcpy(link->address, request.ifr_hwaddr.sa_data, sizeof(link->address));
		link->index = (int)one->if_index;
		link->loopback = loopback;
		found = true;
		if (!loopback)
			break;
	}
	if_freenameindex(all);
	return found;
}

static bool open_link(struct worker *w, struct link *link)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE) };
	struct timeval limit = { .tv_usec = 100000 };
	const char *name = ktstr_work_type_name(w->type->kind);

	*link = (struct link){ .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE)) };
	if (link->fd < 0 || !choose_interface(link)) {
		work_warn_once(w, WORK_WARN_NETWORK, "%s has no network device (%s): no work is counted", name,
			       strerror(errno));
		return false;
	}
	address.sll_ifindex = link->index;
	setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (link->loopback)
		work_warn_once(w, WORK_WARN_NETWORK,
			       "%s has no network device but the loopback: softirqs without hard interrupts (.networks gives a test devices)",
			       name);
	return bind(link->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool send_frame(const struct link *link, size_t bytes, uint32_t group)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETHERTYPE),
				  .sll_ifindex = link->index,
				  .sll_halen = 6 };
	struct payload payload = { { 'K', 'T', 'S', 'T' }, group, ktstr_now_ns() };
	unsigned char frame[FRAME_MAX] = { 0 };

	memcpy(to.sll_addr, link->address, 6);
	memcpy(frame, link->address, 6);
	memcpy(frame + 6, link->address, 6);
	frame[12] = ETHERTYPE >> 8;
	frame[13] = ETHERTYPE & 0xff;
	memcpy(frame + HEADER, &payload, sizeof(payload));
	return sendto(link->fd, frame, bytes, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)bytes;
}

static void send_frames(struct worker *w, const struct link *link, unsigned int interval_us, size_t bytes,
			uint32_t group)
{
	while (!work_should_stop(w)) {
		w->work_units += send_frame(link, bytes, group);
		work_checkpoint_now(w);
		if (interval_us)
			work_sleep_until(w, ktstr_now_ns() + KTSTR_US(interval_us));
		work_iteration_done(w);
	}
}

/* Without a device: alive, and no work. */
static void idle_iterations(struct worker *w)
{
	while (!work_should_stop(w)) {
		work_sleep_until(w, ktstr_now_ns() + KTSTR_MS(10));
		work_iteration_done(w);
	}
}

/* NetTraffic: frames sent and received: hard interrupts and NET_RX softirqs in the middle of whoever runs. */
static void run_net_traffic(struct worker *w)
{
	const struct ktstr_work_net_traffic *type = &w->type->NET_TRAFFIC;
	struct link link;

	if (open_link(w, &link))
		send_frames(w, &link, type->interval_us, type->frame_bytes, (uint32_t)gettid());
	else
		idle_iterations(w);
	if (link.fd >= 0)
		close(link.fd);
}

static const struct work_param net_traffic_params[] = {
	WORK_NUMBER(net_traffic, interval_us, 100, 0, 0),
	WORK_NUMBER(net_traffic, frame_bytes, 60, 60, FRAME_MAX, FRAME_ERRORS),
};

const struct work_type_ops work_net_traffic_ops = {
	.name = "NetTraffic",
	.pressure = "interrupts and NET_RX softirqs in the middle of other tasks",
	.unit = "a frame sent",
	WORK_PARAMS(net_traffic_params),
	.run = run_net_traffic,
};

struct irq_group {
	_Atomic uint32_t sender;
};

static void receive_frames(struct worker *w, const struct link *link, struct irq_group *group)
{
	while (!work_should_stop(w)) {
		unsigned char frame[FRAME_MAX];
		struct payload payload;
		ssize_t got;

		if (!work_wait_fd(w, link->fd, POLLIN))
			break;
		got = recv(link->fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (got < (ssize_t)(HEADER + sizeof(payload)))
			continue;
		memcpy(&payload, frame + HEADER, sizeof(payload));
		if (memcmp(payload.magic, "KTST", 4) || payload.group != atomic_load(&group->sender))
			continue;
		work_record_wake(w, ktstr_now_ns() - payload.sent_ns);
		w->work_units++;
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
}

/* IrqWake: one sleeps in recv and is woken from the NET_RX softirq of the frame that its partner sent. */
static void run_irq_wake(struct worker *w)
{
	const struct ktstr_work_irq_wake *type = &w->type->IRQ_WAKE;
	struct irq_group *group = w->group->memory;
	struct link link;
	bool usable = open_link(w, &link);

	if (usable && w->position) {
		receive_frames(w, &link, group);
	} else if (usable) {
		atomic_store(&group->sender, (uint32_t)gettid());
		send_frames(w, &link, type->interval_us, type->frame_bytes, (uint32_t)gettid());
	} else {
		idle_iterations(w);
	}
	if (link.fd >= 0)
		close(link.fd);
}

static const struct work_param irq_wake_params[] = {
	WORK_NUMBER(irq_wake, interval_us, 100, 0, 0),
	WORK_NUMBER(irq_wake, frame_bytes, 60, 60, FRAME_MAX, FRAME_ERRORS),
};

const struct work_type_ops work_irq_wake_ops = {
	.name = "IrqWake",
	.pressure = "wakeups from the NET_RX softirq",
	.unit = "a frame sent or received",
	WORK_PARAMS(irq_wake_params),
	.group_size = work_group_of_two,
	.shared_bytes = sizeof(struct irq_group),
	.run = run_irq_wake,
};
