// SPDX-License-Identifier: GPL-2.0-only
/* Payloads of captures and kernel operations: what is written is what is read, and nonsense is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "wire/host_request.h"
#include "unit.h"

static void capture_requests_round_trip(void **state)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	struct ktstr_opt_u32 phase = KTSTR_SOME(3), none = KTSTR_NONE;
	struct ktstr_capture_request request;
	char longest[KTSTR_TAG_BYTES];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(ktstr_capture_request_encode(KTSTR_CAPTURE_AT_WRITE, longest, none, &payload));
	assert_int_equal(payload.length, 68); /* and 4 for the id: 72 */
	assert_null(ktstr_capture_request_decode(payload.data, payload.length, &request));
	assert_int_equal(request.kind, KTSTR_CAPTURE_AT_WRITE);
	assert_string_equal(request.text, longest);
	assert_false(request.phase.set);
	payload.length = 0;
	assert_null(ktstr_capture_request_encode(KTSTR_CAPTURE_NOW, "now", phase, &payload));
	assert_null(ktstr_capture_request_decode(payload.data, payload.length, &request));
	assert_true(request.phase.set);
	assert_int_equal(request.phase.value, 3);
}

static void a_capture_needs_a_name_that_fits(void **state)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	struct ktstr_opt_u32 none = KTSTR_NONE;
	char too_long[KTSTR_TAG_BYTES + 1];

	(void)state;
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	assert_fails(ktstr_capture_request_encode(KTSTR_CAPTURE_NOW, "", none, &payload), KTSTR_ERR_INVALID, "1 to 63 bytes");
	assert_fails(ktstr_capture_request_encode(KTSTR_CAPTURE_NOW, too_long, none, &payload), KTSTR_ERR_INVALID, "xxx");
}

static void capture_requests_of_a_hostile_guest_are_refused(void **state)
{
	char payload[68] = { KTSTR_CAPTURE_NOW };
	struct ktstr_capture_request request;

	(void)state;
	assert_fails(ktstr_capture_request_decode(payload, 67, &request), KTSTR_ERR_CORRUPT, "67 bytes");
	assert_fails(ktstr_capture_request_decode(payload, 68, &request), KTSTR_ERR_CORRUPT, "no sense");
	memset(payload + 4, 'x', 64); /* never terminated */
	assert_fails(ktstr_capture_request_decode(payload, 68, &request), KTSTR_ERR_CORRUPT, "no sense");
	payload[67] = '\0';
	payload[0] = 3;
	assert_fails(ktstr_capture_request_decode(payload, 68, &request), KTSTR_ERR_CORRUPT, "no sense");
}

static void capture_replies_carry_a_reason(void **state)
{
	_cleanup_str_ struct ktstr_str good = { 0 }, bad = { 0 };

	(void)state;
	ktstr_capture_reply_encode(NULL, &good);
	ktstr_capture_reply_encode("no such symbol", &bad);
	assert_null(ktstr_capture_reply_decode(good.data, good.length));
	assert_fails(ktstr_capture_reply_decode(bad.data, bad.length), KTSTR_ERR_GUEST, "no such symbol");
	assert_fails(ktstr_capture_reply_decode(bad.data, 5), KTSTR_ERR_CORRUPT, "5 bytes");
}

static void kernel_operations_round_trip(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0xff, 0x7f };
	struct ktstr_kernel_op_entry entries[] = {
		{ KTSTR_KERNEL_SYMBOL("scx_watchdog_timeout"), ktstr_kernel_value_u64(UINT64_MAX) },
		{ KTSTR_KERNEL_DIRECT(0xffff888000001000), ktstr_kernel_value_u32(7) },
		{ KTSTR_KERNEL_KVA(0xffffc90000001000), ktstr_kernel_value_bytes(bytes, sizeof(bytes)) },
		{ KTSTR_KERNEL_PER_CPU("runqueues", "scx.flags", 3), ktstr_kernel_value_or_u32(0x10) },
		{ KTSTR_KERNEL_TASK(42, 0x8000000000000001, "scx.weight"), ktstr_kernel_value_u32(100) },
	};
	struct ktstr_kernel_op_request sent = { true, true, (char *)"", entries, 5 }, got;
	_cleanup_str_ struct ktstr_str payload = { 0 };

	(void)state;
	assert_null(ktstr_kernel_op_request_encode(&sent, &payload));
	assert_null(ktstr_kernel_op_request_decode(payload.data, payload.length, &got));
	assert_true(got.cold);
	assert_true(got.write);
	assert_int_equal(got.entries_count, 5);
	assert_string_equal(got.entries[0].target.symbol, "scx_watchdog_timeout");
	assert_true(got.entries[0].value.number == UINT64_MAX);
	assert_true(got.entries[1].target.address == 0xffff888000001000);
	assert_int_equal(got.entries[2].value.count, 3);
	assert_memory_equal(got.entries[2].value.bytes, bytes, 3);
	assert_int_equal(got.entries[3].value.kind, KTSTR_KERNEL_OR_U32);
	assert_int_equal(got.entries[3].target.cpu, 3);
	assert_int_equal(got.entries[4].target.pid, 42);
	assert_true(got.entries[4].target.start_time_ns == 0x8000000000000001);
	ktstr_kernel_op_request_deinit(&got);
}

static struct ktstr_error *encode(bool cold, bool write, struct ktstr_kernel_op_entry entry)
{
	struct ktstr_kernel_op_request request = { cold, write, (char *)"tag", &entry, 1 };
	_cleanup_str_ struct ktstr_str payload = { 0 };

	return ktstr_kernel_op_request_encode(&request, &payload);
}

static void rules_of_kernel_operations_hold_before_anything_is_sent(void **state)
{
	struct ktstr_kernel_target symbol = KTSTR_KERNEL_SYMBOL("jiffies_64");
	struct ktstr_kernel_op_entry or = { symbol, ktstr_kernel_value_or_u32(1) };
	struct ktstr_kernel_op_entry huge = { symbol, ktstr_kernel_width_bytes(KTSTR_KERNEL_BYTES_MAX + 1) };
	struct ktstr_kernel_op_entry nothing = { symbol, ktstr_kernel_width_bytes(8) };
	struct ktstr_kernel_op_entry fieldless = { KTSTR_KERNEL_PER_CPU("runqueues", "", 0), ktstr_kernel_width_u32() };
	struct ktstr_kernel_op_request none = { false, true, (char *)"", NULL, 0 };
	_cleanup_str_ struct ktstr_str payload = { 0 };

	(void)state;
	assert_null(encode(true, true, or));
	assert_fails(encode(false, true, or), KTSTR_ERR_INVALID, "entry[0]: an or is for cold writes only");
	assert_fails(encode(true, false, or), KTSTR_ERR_INVALID, "an or is for cold writes only");
	assert_fails(encode(true, false, huge), KTSTR_ERR_INVALID, "4097 bytes");
	assert_null(encode(true, false, nothing));
	assert_fails(encode(true, true, nothing), KTSTR_ERR_INVALID, "no bytes to write");
	assert_fails(encode(true, false, fieldless), KTSTR_ERR_INVALID, "no field is named");
	assert_fails(ktstr_kernel_op_request_encode(&none, &payload), KTSTR_ERR_INVALID, "0 entries");
}

static void kernel_operations_of_a_hostile_guest_are_refused(void **state)
{
	static const char *const payloads[] = {
		"",
		"[]",
		"{\"entries\": 5}",
		"{\"tag\": \"t\", \"entries\": [{}]}",
		"{\"tag\": \"t\", \"entries\": [{\"target\": {\"kind\": \"symbol\"}, \"value\": {\"kind\": \"u32\"}}]}",
		"{\"tag\": \"t\", \"entries\": [{\"target\": {\"kind\": \"kva\"}, \"value\": {\"kind\": \"bytes\", \"count\": -1}}]}",
		"{\"direction\": \"write\", \"entries\": [{\"target\": {\"kind\": \"kva\"}, "
		"\"value\": {\"kind\": \"bytes\", \"count\": 4096, \"bytes\": \"00\"}}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		struct ktstr_kernel_op_request request;
		struct ktstr_error *error =
			ktstr_kernel_op_request_decode(payloads[i], strlen(payloads[i]), &request);

		assert_non_null(error);
		ktstr_error_free(error);
		ktstr_kernel_op_request_deinit(&request);
	}
}

static void replies_round_trip(void **state)
{
	static const uint8_t bytes[] = { 1, 2 };
	struct ktstr_kernel_op_value values[] = { ktstr_kernel_value_u64(5), ktstr_kernel_value_bytes(bytes, 2) };
	struct ktstr_kernel_op_reply good = { 9, true, NULL, values, 2 }, bad = { 9, false, (char *)"entry[0]: no", NULL, 0 };
	_cleanup_str_ struct ktstr_str first = { 0 }, second = { 0 };
	struct ktstr_kernel_op_reply got;

	(void)state;
	assert_null(ktstr_kernel_op_reply_encode(&good, &first));
	assert_null(ktstr_kernel_op_reply_decode(first.data, first.length, &got));
	assert_int_equal(got.request_id, 9);
	assert_true(got.success);
	assert_int_equal(got.read_values[0].number, 5);
	assert_memory_equal(got.read_values[1].bytes, bytes, 2);
	ktstr_kernel_op_reply_deinit(&got);
	assert_null(ktstr_kernel_op_reply_encode(&bad, &second));
	assert_null(ktstr_kernel_op_reply_decode(second.data, second.length, &got));
	assert_false(got.success);
	assert_string_equal(got.reason, "entry[0]: no");
	ktstr_kernel_op_reply_deinit(&got);
}

static void outside_a_guest_there_is_nobody_to_ask(void **state)
{
	(void)state;
	unsetenv("KTSTR_WIRE_FD");
	assert_fails(ktstr_host_capture("now"), KTSTR_ERR_UNSUPPORTED, "snapshot \"now\"");
	assert_fails(ktstr_host_watch("jiffies_64"), KTSTR_ERR_UNSUPPORTED, "watch of jiffies_64");
	ktstr_host_record_cgroup_procs("tag", "cg_0", NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capture_requests_round_trip),
		cmocka_unit_test(a_capture_needs_a_name_that_fits),
		cmocka_unit_test(capture_requests_of_a_hostile_guest_are_refused),
		cmocka_unit_test(capture_replies_carry_a_reason),
		cmocka_unit_test(kernel_operations_round_trip),
		cmocka_unit_test(rules_of_kernel_operations_hold_before_anything_is_sent),
		cmocka_unit_test(kernel_operations_of_a_hostile_guest_are_refused),
		cmocka_unit_test(replies_round_trip),
		cmocka_unit_test(outside_a_guest_there_is_nobody_to_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
