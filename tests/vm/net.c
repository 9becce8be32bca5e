// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two network devices: what goes out on one comes back on it, bit for bit, and on no other; what the guest's kernel counts
 * is what the host counts; the work types over a network press what they say. Looked at by vm/net.bats.
 */
#include <ktstr.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DEVICES = 2, PROTOCOL = 0x88b5 /* IEEE 802: local experiments */, LONGEST = 1514, PATIENCE_MS = 15000 };

static const char *const macs[DEVICES] = { KTSTR_NET_DEFAULT_MAC, "02:00:00:00:00:02" };
#define BOTH KTSTR_NETWORKS({ 0 }, { .mac = "02:00:00:00:00:02" })

static const char *const statistics[] = { "tx_packets", "tx_bytes", "rx_packets", "rx_bytes" };
enum { STATISTICS = sizeof(statistics) / sizeof(statistics[0]) };

static void pause_ms(unsigned int ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L };

	nanosleep(&time, NULL);
}

static unsigned long long number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long number = ULLONG_MAX;

	if (!file || fscanf(file, "%llu", &number) != 1)
		number = ULLONG_MAX;
	if (file)
		fclose(file);
	return number;
}

/* --- the guest's own counters --- */

struct device {
	char name[KTSTR_NET_INTERFACE_BYTES];
	unsigned long long counts[STATISTICS];
};

static bool find(struct ktstr_ctx *ctx, size_t index, struct device *device)
{
	return !ktstr_fail_error(ctx, ktstr_net_interface(index ? macs[index] : NULL, device->name));
}

static void count(struct device *device)
{
	for (size_t i = 0; i < STATISTICS; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", device->name, statistics[i]);
		device->counts[i] = number_in(path);
	}
}

/* Until nothing is under way any more. */
static void settle(struct device *device)
{
	struct device before;

	do {
		count(device);
		before = *device;
		pause_ms(100);
		count(device);
	} while (memcmp(before.counts, device->counts, sizeof(before.counts)));
}

/* For compare(). */
static void hand_over(struct ktstr_ctx *ctx)
{
	for (size_t i = 0; i < DEVICES; i++) {
		struct device device;

		if (!find(ctx, i, &device))
			return;
		settle(&device);
		for (size_t j = 0; j < STATISTICS; j++) {
			char key[64];

			snprintf(key, sizeof(key), "%zu %s", i, statistics[j]);
			ktstr_assert_note_value(&ctx->result, key, ktstr_value_uint(device.counts[j]));
		}
	}
}

static struct ktstr_value in_guest(const struct ktstr_vm_result *vm, size_t device, const char *statistic)
{
	const struct ktstr_value *value;
	char key[64];

	snprintf(key, sizeof(key), "%zu %s", device, statistic);
	value = ktstr_assert_measurement(&vm->guest_assert_result, key);
	return value ? *value : ktstr_value_absent();
}

#define SAME(NAME) \
	ktstr_claim_eq(((struct ktstr_claim){ &vm->result, "the guest's " #NAME, in_guest(vm, i, #NAME) }), counters->NAME.value)

static void compare(struct ktstr_vm_result *vm)
{
	KTSTR_CLAIM(vm, vm->networks_count, eq, (size_t)DEVICES);
	for (size_t i = 0; i < vm->networks_count; i++) {
		const struct ktstr_virtio_net_counters_snapshot *counters = &vm->networks[i];

		KTSTR_CLAIM_PRESENT(vm, counters->tx_packets, at_least, 0);
		SAME(tx_packets);
		SAME(tx_bytes);
		SAME(rx_packets);
		SAME(rx_bytes);
		KTSTR_CLAIM(vm, counters->rx_packets.value, eq,
			    counters->tx_packets.value - counters->tx_dropped_no_rx_buffer.value);
		KTSTR_CLAIM(vm, counters->ctrl_mq_set.set, eq, false);
	}
}

/* --- frames --- */

static int open_socket(struct ktstr_ctx *ctx, const struct device *device)
{
	const struct sockaddr_ll address = { .sll_family = AF_PACKET,
					     .sll_protocol = htons(PROTOCOL),
					     .sll_ifindex = (int)if_nametoindex(device->name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(PROTOCOL));

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		ktstr_fail(ctx, "%s: no socket: %s", device->name, strerror(errno));
	return fd;
}

static void fill(unsigned char frame[LONGEST], const unsigned char destination[6], unsigned int seed)
{
	for (unsigned int i = 0; i < LONGEST; i++)
		frame[i] = (unsigned char)((i + seed) * 2654435761u >> 24);
	memcpy(frame, destination, 6);
	memcpy(frame + 6, "\x02\x00\x00\x00\x00\x77", 6);
	frame[12] = PROTOCOL >> 8;
	frame[13] = PROTOCOL & 0xff;
}

/* Sends, and takes what comes back. */
static void bounce(struct ktstr_ctx *ctx, int fd, const unsigned char *frame, size_t length)
{
	struct pollfd socket = { .fd = fd, .events = POLLIN };
	unsigned char back[LONGEST + 100];
	ssize_t got;

	if (send(fd, frame, length, 0) != (ssize_t)length) {
		ktstr_fail(ctx, "cannot send %zu bytes: %s", length, strerror(errno));
		return;
	}
	got = poll(&socket, 1, PATIENCE_MS) == 1 ? recv(fd, back, sizeof(back), 0) : -1;
	if (got != (ssize_t)length || memcmp(back, frame, length))
		ktstr_fail(ctx, "of %zu bytes to %02x:%02x:... %zd came back, %s", length, frame[0], frame[1], got,
			   got == (ssize_t)length ? "others" : "not all");
}

/* Whoever it is for: to itself, to somebody else, to a group, to all. */
static void bounce_all(struct ktstr_ctx *ctx, int fd)
{
	static const unsigned char destinations[][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 }, { 2, 9, 9, 9, 9, 9 },
							 { 1, 0, 0x5e, 0, 0, 9 }, { 255, 255, 255, 255, 255, 255 } };
	static const size_t lengths[] = { 60, 61, 256, 1513, LONGEST };
	unsigned char frame[LONGEST];

	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int j = 0; j < 5; j++) {
			fill(frame, destinations[i], 5 * i + j);
			bounce(ctx, fd, frame, lengths[j]);
		}
}

KTSTR_TEST(echo, .description = "frames come back on their device, bit for bit, and on no other", .duration = KTSTR_MS(100),
	   .networks = BOTH, .post_vm = compare)
{
	struct device devices[DEVICES];
	int sockets[DEVICES];

	for (size_t i = 0; i < DEVICES; i++) {
		if (!find(ctx, i, &devices[i]))
			return;
		count(&devices[i]);
		/* A wire is silent until a test speaks. */
		for (size_t j = 0; j < STATISTICS; j++)
			KTSTR_CLAIM(ctx, devices[i].counts[j], eq, 0ull, .because = statistics[j]);
		sockets[i] = open_socket(ctx, &devices[i]);
	}
	for (size_t i = 0; i < DEVICES; i++) {
		struct pollfd other = { .fd = sockets[!i], .events = POLLIN };

		bounce_all(ctx, sockets[i]);
		KTSTR_CLAIM(ctx, poll(&other, 1, 0), eq, 0, .because = "the other device hears nothing");
		settle(&devices[i]);
		KTSTR_CLAIM(ctx, devices[i].counts[0], eq, 25ull);
		KTSTR_CLAIM(ctx, devices[i].counts[2], eq, devices[i].counts[0]);
		KTSTR_CLAIM(ctx, devices[i].counts[3], eq, devices[i].counts[1]);
	}
	close(sockets[0]);
	close(sockets[1]);
	hand_over(ctx);
}

/* --- work types --- */

/* The sum of a line of numbers, one a CPU, behind the first that has `key` at its place. */
static unsigned long long line_of(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	unsigned long long sum = 0;
	char line[4096];

	while (file && fgets(line, sizeof(line), file)) {
		char *at = strchr(line, ':'), *end;

		if (!at || !strstr(line, key))
			continue;
		for (at++;; at = end) {
			unsigned long long value = strtoull(at, &end, 10);

			if (end == at)
				break;
			sum += value;
		}
		break;
	}
	if (file)
		fclose(file);
	return sum;
}

struct pressure {
	unsigned long long interrupts, softirqs;
};

/* "/sys/class/net/eth0/device" leads to "virtio1", whose interrupts are called "virtio1-input.0". */
static struct pressure pressure_on(const struct device *device)
{
	char link[64], target[PATH_MAX], key[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/sys/class/net/%s/device", device->name);
	length = readlink(link, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	snprintf(key, sizeof(key), "%.40s-input.0", strrchr(target, '/') ? strrchr(target, '/') + 1 : "?");
	return (struct pressure){ line_of("/proc/interrupts", key), line_of("/proc/softirqs", "NET_RX:") };
}

/* Runs two workers until both have moved so far, or for `limit_ms`. Returns how far, and the least that a worker did. */
static struct pressure press(struct ktstr_ctx *ctx, const struct device *device, struct ktstr_work_type type,
			     unsigned long long least, unsigned int limit_ms, uint64_t *least_work)
{
	const struct ktstr_work_spec spec = { .type = type, .workers = 2 };
	const struct ktstr_workload_config config = { .specs = &spec, .specs_count = 1, .seed = ctx->seed };
	struct ktstr_workload_handle *handle;
	const struct ktstr_worker_report *reports;
	struct pressure before, now, moved = { 0 };
	size_t reports_count;

	if (ktstr_fail_error(ctx, ktstr_workload_spawn(&config, &handle)))
		return moved;
	before = pressure_on(device);
	ktstr_fail_error(ctx, ktstr_workload_start(handle));
	for (unsigned int ms = 0; ms < limit_ms && (moved.interrupts < least || moved.softirqs < least); ms += 20) {
		pause_ms(20);
		now = pressure_on(device);
		moved = (struct pressure){ now.interrupts - before.interrupts, now.softirqs - before.softirqs };
	}
	reports = ktstr_workload_stop_and_collect(handle, &reports_count);
	*least_work = UINT64_MAX;
	for (size_t i = 0; i < reports_count; i++)
		if (reports[i].work_units < *least_work)
			*least_work = reports[i].work_units;
	ktstr_workload_destroy(handle);
	return moved;
}

KTSTR_TEST(traffic, .description = "NetTraffic and IrqWake raise the interrupts of the first device", .duration = KTSTR_SEC(30),
	   .networks = BOTH, .post_vm = compare)
{
	static const struct ktstr_work_type types[] = { KTSTR_WORK(NET_TRAFFIC), KTSTR_WORK(IRQ_WAKE) };
	struct device devices[DEVICES];
	struct pressure moved;
	uint64_t least_work;

	if (!find(ctx, 0, &devices[0]) || !find(ctx, 1, &devices[1]))
		return;
	for (size_t i = 0; i < 2; i++) {
		moved = press(ctx, &devices[0], (struct ktstr_work_type)KTSTR_WORK(SPIN_WAIT), ULLONG_MAX, 200, &least_work);
		KTSTR_CLAIM(ctx, moved.interrupts, eq, 0ull, .because = "nobody sends");
		moved = press(ctx, &devices[0], types[i], 300, PATIENCE_MS, &least_work);
		KTSTR_CLAIM(ctx, moved.interrupts, at_least, 300ull);
		KTSTR_CLAIM(ctx, moved.softirqs, at_least, 300ull);
		KTSTR_CLAIM(ctx, least_work, at_least, 1u, .because = ktstr_work_type_name(types[i].kind));
		settle(&devices[0]);
	}
	settle(&devices[1]);
	KTSTR_CLAIM(ctx, devices[1].counts[0], eq, 0ull, .because = "the second device is not used");
	hand_over(ctx);
}

/* What compare() is worth: a guest whose counts are not those of the host. */
KTSTR_TEST(miscounted, .duration = KTSTR_MS(100), .networks = BOTH, .post_vm = compare)
{
	hand_over(ctx);
	ktstr_assert_note_value(&ctx->result, "1 rx_bytes", ktstr_value_uint(1));
}
