// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network devices: which declarations are refused, what QEMU is told of the others, the wire that echoes, and its counters
 * in results.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "ktstr/test.h"
#include "guest/registry.h"
#include "net/config.h"
#include "net/counters.h"
#include "vm/argv.h"
#include "vm/echo.h"
#include "unit.h"

#define assert_count(COUNTER, VALUE)                        \
	do {                                                \
		struct ktstr_opt_u64 counter_ = (COUNTER);  \
		assert_true(counter_.set);                  \
		assert_int_equal(counter_.value, (VALUE));  \
	} while (0)

/* --- declarations --- */

#define TWO KTSTR_NETWORKS({ 0 }, { .mac = "02:00:00:00:00:02", .queue_pairs = 1 })

static void assert_refused(struct ktstr_networks networks, const char *part)
{
	assert_fails(ktstr_networks_validate(&networks), KTSTR_ERR_INVALID, part);
}

#define assert_mac_refused(MAC, PART) assert_refused((struct ktstr_networks)KTSTR_NETWORKS({ .mac = (MAC) }), "[0]: .mac: " PART)

static void devices_without_a_fault_pass(void **state)
{
	struct ktstr_networks none = { 0 }, two = TWO;

	(void)state;
	assert_ok(ktstr_networks_validate(&none));
	assert_int_equal(two.count, 2);
	assert_ok(ktstr_networks_validate(&two));
}

static void addresses_that_no_device_can_have_are_refused(void **state)
{
	static const char *const malformed[] = { "", "02:00:00:00:00", "02:00:00:00:00:01:02", "2:0:0:0:0:1", "02-00-00-00-00-01",
						 "02:00:00:00:00:0g", "02:00:00:00:00:01,romfile=x", " 02:00:00:00:00:01" };

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_mac_refused(malformed[i], "\"");
	assert_mac_refused("03:00:00:00:00:01", "03:00:00:00:00:01 is a multicast address");
	assert_mac_refused("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff is a multicast address");
	assert_mac_refused("00:00:00:00:00:00", "00:00:00:00:00:00 is no device's address");
}

static void addresses_are_unique(void **state)
{
	(void)state;
	assert_refused((struct ktstr_networks)KTSTR_NETWORKS({ 0 }, { 0 }),
		       "[1]: .mac 02:00:00:00:00:01 (the default) is that of [0] already");
	/* However they are spelt. */
	assert_refused((struct ktstr_networks)KTSTR_NETWORKS({ .mac = "02:00:00:00:00:0a" }, { 0 }, { .mac = "02:00:00:00:00:0A" }),
		       "[2]: .mac 02:00:00:00:00:0A is that of [0] already");
}

static void queues_that_do_not_work_are_refused(void **state)
{
	(void)state;
	assert_refused((struct ktstr_networks)KTSTR_NETWORKS({ .queue_pairs = 2 }), "[0]: .queue_pairs is 2: QEMU's dgram backend");
	assert_refused((struct ktstr_networks)KTSTR_NETWORKS({ .queue_pairs = 256 }), "[0]: .queue_pairs is 256: QEMU's");
	assert_refused((struct ktstr_networks)KTSTR_NETWORKS({ .queue_pairs = 257 }), "[0]: .queue_pairs is 257, outside 1..256");
}

static void there_is_a_most_of_devices(void **state)
{
	const struct ktstr_net_config many[KTSTR_NETWORKS_MAX + 1] = { 0 };

	(void)state;
	assert_refused((struct ktstr_networks){ many, KTSTR_NETWORKS_MAX + 1 }, "9 devices, at most 8");
}

static void body(struct ktstr_ctx *ctx)
{
	(void)ctx;
}

static void a_test_names_the_field(void **state)
{
	struct ktstr_test_entry test = { .name = "t", .body = body, .networks = TWO };

	(void)state;
	assert_ok(ktstr_test_entry_validate(&test));
	test.deterministic = true;
	assert_fails(ktstr_test_entry_validate(&test), KTSTR_ERR_INVALID, "test t: .networks excludes .deterministic");
	test.deterministic = false;
	test.host_only = true;
	assert_fails(ktstr_test_entry_validate(&test), KTSTR_ERR_INVALID, "test t: .host_only excludes .networks");
	test.host_only = false;
	test.networks = (struct ktstr_networks)KTSTR_NETWORKS({ .mac = "x" });
	assert_fails(ktstr_test_entry_validate(&test), KTSTR_ERR_INVALID, "test t: .networks: [0]: .mac: \"x\" is no MAC address");
}

static void declarations_reach_the_runner_with_their_defaults(void **state)
{
	struct ktstr_networks two = TWO, read;
	json_t *json = ktstr_networks_to_json(&two), *odd = json_pack("[{ss}]", "mac", "02:00:00:00:00:01,x=y");

	(void)state;
	assert_ok(ktstr_networks_from_json(json, &read));
	assert_int_equal(read.count, 2);
	assert_string_equal(read.items[0].mac, "02:00:00:00:00:01");
	assert_int_equal(read.items[0].queue_pairs, 1);
	assert_string_equal(read.items[1].mac, "02:00:00:00:00:02");
	ktstr_networks_deinit(&read);
	/* Of a program that was built before there were any. */
	assert_ok(ktstr_networks_from_json(NULL, &read));
	assert_int_equal(read.count, 0);
	ktstr_networks_deinit(&read);
	/* It goes into a command line. */
	assert_fails(ktstr_networks_from_json(odd, &read), KTSTR_ERR_INVALID, "is no MAC address");
	ktstr_networks_deinit(&read);
	json_decref(json);
	json_decref(odd);
}

/* What a test in a guest without the driver is told. */
static void a_device_that_is_not_there_is_named(void **state)
{
	char name[KTSTR_NET_INTERFACE_BYTES];

	(void)state;
	assert_fails(ktstr_net_interface("02:6b:74:73:74:72", name), KTSTR_ERR_NOT_FOUND,
		     "no interface has the address 02:6b:74:73:74:72; there are: ");
	assert_fails(ktstr_net_interface("eth0", name), KTSTR_ERR_INVALID, "\"eth0\" is no MAC address");
}

/* --- QEMU's command line --- */

static struct ktstr_error *line_of(struct ktstr_networks networks, unsigned int major, unsigned int minor, char **line)
{
	static const struct ktstr_accel_choice tcg;
	static const struct ktstr_kernel kernel = { .image_path = (char *)"vmlinuz" };
	const struct ktstr_qemu qemu = { .path = (char *)"qemu", .major = major, .minor = minor };
	const struct ktstr_topology topology = { .numa_nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 };
	const struct ktstr_vm_config config = { .qemu = &qemu, .accel = &tcg, .kernel = &kernel,
					       .topology = &topology, .networks = networks };
	const struct ktstr_vm_names names = { .ram_path = "ram", .terminal = -1, .gdb = -1, .networks = { 40, 41 } };
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	struct ktstr_str text = { 0 };

	*line = NULL;
	KTSTR_TRY(ktstr_vm_argv(&config, &names, &argv));
	for (size_t i = 0; i < argv.count; i++)
		ktstr_str_addf(&text, "%s ", argv.items[i]);
	*line = ktstr_str_take(&text);
	return NULL;
}

static void qemu_is_told_of_each_device(void **state)
{
	struct ktstr_networks two = KTSTR_NETWORKS({ .mac = "02:00:00:00:00:01" }, { .mac = "02:00:00:00:00:02" });
	_cleanup_free_ char *with = NULL, *without = NULL, *old = NULL;

	(void)state;
	assert_ok(line_of(two, 7, 2, &with));
	assert_has(with, "-netdev dgram,id=net0,local.type=fd,local.str=40 "
			 "-device virtio-net-pci,netdev=net0,mac=02:00:00:00:00:01,ctrl_rx=off,guest_announce=off,romfile= "
			 "-netdev dgram,id=net1,local.type=fd,local.str=41 "
			 "-device virtio-net-pci,netdev=net1,mac=02:00:00:00:00:02,ctrl_rx=off,guest_announce=off,romfile= ");
	assert_ok(line_of((struct ktstr_networks){ 0 }, 7, 1, &without));
	assert_null(strstr(without, "net"));
	assert_fails(line_of(two, 7, 1, &old), KTSTR_ERR_UNSUPPORTED,
		     "need QEMU 7.2 or newer, which has the dgram backend; this is QEMU 7.1");
}

/* --- the wire --- */

enum { PATIENCE_MS = 60000 };

struct wires {
	struct ktstr_echo *echo;
	int ends[KTSTR_NETWORKS_MAX]; /* QEMU's */
	size_t count;
};

static struct wires wires_of(size_t count)
{
	struct wires wires = { .count = count };

	assert_ok(ktstr_echo_create(count, wires.ends, &wires.echo));
	return wires;
}

static void wires_end(struct wires *wires)
{
	ktstr_echo_destroy(wires->echo);
	for (size_t i = 0; i < wires->count; i++)
		close(wires->ends[i]);
}

static void send_frame(const struct wires *wires, size_t index, const void *frame, size_t length)
{
	assert_int_equal(send(wires->ends[index], frame, length, 0), length);
}

static bool comes_back(const struct wires *wires, size_t index)
{
	struct pollfd end = { .fd = wires->ends[index], .events = POLLIN };

	return poll(&end, 1, PATIENCE_MS) == 1;
}

static void assert_back(const struct wires *wires, size_t index, const void *frame, size_t length)
{
	static unsigned char back[1 << 17];

	assert_true(comes_back(wires, index));
	assert_int_equal(recv(wires->ends[index], back, sizeof(back), 0), length);
	assert_memory_equal(back, frame, length);
}

static void frames_come_back_unchanged(void **state)
{
	static const size_t lengths[] = { 60, 14, 1514, 4096 + 65536 };
	struct ktstr_virtio_net_counters_snapshot counters;
	static unsigned char frame[4096 + 65536];
	struct wires wires = wires_of(1);
	uint64_t bytes = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (unsigned char)(i * 31 + i / 256);
	for (size_t i = 0; i < 4; i++) {
		send_frame(&wires, 0, frame, lengths[i]);
		assert_back(&wires, 0, frame, lengths[i]);
		bytes += lengths[i];
	}
	counters = ktstr_echo_counters(wires.echo, 0);
	assert_count(counters.tx_packets, 4);
	assert_count(counters.rx_packets, 4);
	assert_count(counters.tx_bytes, bytes);
	assert_count(counters.rx_bytes, bytes);
	assert_count(counters.tx_dropped_no_rx_buffer, 0);
	wires_end(&wires);
}

static void wires_do_not_meet(void **state)
{
	struct wires wires = wires_of(2);
	struct pollfd other = { .fd = wires.ends[1], .events = POLLIN };

	(void)state;
	send_frame(&wires, 0, "one", 3);
	assert_back(&wires, 0, "one", 3);
	assert_int_equal(poll(&other, 1, 0), 0);
	assert_count(ktstr_echo_counters(wires.echo, 1).tx_packets, 0);
	send_frame(&wires, 1, "two", 3);
	assert_back(&wires, 1, "two", 3);
	assert_count(ktstr_echo_counters(wires.echo, 0).tx_packets, 1);
	wires_end(&wires);
}

static void what_qemu_could_not_take_is_dropped(void **state)
{
	static unsigned char frame[4096 + 65536 + 1];
	struct wires wires = wires_of(1);

	(void)state;
	send_frame(&wires, 0, frame, sizeof(frame));
	send_frame(&wires, 0, "fits", 4);
	assert_back(&wires, 0, "fits", 4);
	assert_count(ktstr_echo_counters(wires.echo, 0).tx_packets, 2);
	assert_count(ktstr_echo_counters(wires.echo, 0).tx_oversize_dropped, 1);
	assert_count(ktstr_echo_counters(wires.echo, 0).rx_packets, 1);
	wires_end(&wires);
}

/* A guest that sends and never reads: it can go on sending, and no frame is unaccounted for. */
static void a_guest_that_does_not_read_loses_frames(void **state)
{
	enum { FRAMES = 20000 };
	struct ktstr_virtio_net_counters_snapshot counters;
	static const unsigned char frame[1514];
	struct wires wires = wires_of(1);
	uint64_t kept = 0;

	(void)state;
	for (int i = 0; i < FRAMES; i++)
		send_frame(&wires, 0, frame, sizeof(frame)); /* blocks while the wire is behind, for ever if it stood still */
	do
		counters = ktstr_echo_counters(wires.echo, 0);
	while (counters.tx_packets.value < FRAMES && !usleep(1000));
	while (recv(wires.ends[0], (unsigned char[1514]){ 0 }, 1514, MSG_DONTWAIT) == 1514)
		kept++;
	assert_true(kept > 0);
	assert_count(counters.rx_packets, kept);
	assert_count(counters.tx_dropped_no_rx_buffer, FRAMES - kept);
	/* And it is still there. */
	send_frame(&wires, 0, "on", 2);
	assert_back(&wires, 0, "on", 2);
	wires_end(&wires);
}

/* Where QEMU died: the thread neither fails nor spins, and the rest goes on. */
static void a_wire_without_its_qemu_is_harmless(void **state)
{
	struct wires wires = wires_of(2);

	(void)state;
	send_frame(&wires, 0, "last", 4);
	assert_back(&wires, 0, "last", 4);
	close(wires.ends[0]);
	send_frame(&wires, 1, "alive", 5);
	assert_back(&wires, 1, "alive", 5);
	assert_count(ktstr_echo_counters(wires.echo, 0).tx_packets, 1);
	wires.ends[0] = dup(wires.ends[1]);
	wires_end(&wires);
	ktstr_echo_destroy(NULL);
}

/* --- results --- */

static void unknown_counters_are_null(void **state)
{
	struct ktstr_virtio_net_counters_snapshot counters = { .tx_packets = KTSTR_SOME(5), .rx_packets = KTSTR_SOME(0) }, read;
	json_t *json = ktstr_net_counters_to_json("02:00:00:00:00:01", &counters), *list = json_pack("[O]", json), *clean;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "mac")), "02:00:00:00:00:01");
	assert_int_equal(json_integer_value(json_object_get(json, "tx_packets")), 5);
	assert_true(json_is_integer(json_object_get(json, "rx_packets")));
	assert_true(json_is_null(json_object_get(json, "ctrl_mq_set")));
	read = ktstr_net_counters_from_json(json);
	assert_count(read.tx_packets, 5);
	assert_count(read.rx_packets, 0);
	assert_false(read.ctrl_mq_set.set);
	/* A sidecar of somebody else. */
	json_object_set_new(json, "tx_packets", json_integer(-1));
	json_object_set_new(json, "rx_packets", json_string("many"));
	json_object_set_new(json, "more", json_true());
	clean = ktstr_net_counters_clean(list);
	assert_true(json_is_null(json_object_get(json_array_get(clean, 0), "tx_packets")));
	assert_true(json_is_null(json_object_get(json_array_get(clean, 0), "rx_packets")));
	assert_null(json_object_get(json_array_get(clean, 0), "more"));
	assert_null(ktstr_net_counters_clean(NULL));
	json_decref(clean);
	json_decref(list);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_without_a_fault_pass),
		cmocka_unit_test(addresses_that_no_device_can_have_are_refused),
		cmocka_unit_test(addresses_are_unique),
		cmocka_unit_test(queues_that_do_not_work_are_refused),
		cmocka_unit_test(there_is_a_most_of_devices),
		cmocka_unit_test(a_test_names_the_field),
		cmocka_unit_test(declarations_reach_the_runner_with_their_defaults),
		cmocka_unit_test(a_device_that_is_not_there_is_named),
		cmocka_unit_test(qemu_is_told_of_each_device),
		cmocka_unit_test(frames_come_back_unchanged),
		cmocka_unit_test(wires_do_not_meet),
		cmocka_unit_test(what_qemu_could_not_take_is_dropped),
		cmocka_unit_test(a_guest_that_does_not_read_loses_frames),
		cmocka_unit_test(a_wire_without_its_qemu_is_harmless),
		cmocka_unit_test(unknown_counters_are_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
