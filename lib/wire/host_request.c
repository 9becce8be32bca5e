// SPDX-License-Identifier: GPL-2.0-only
/* The guest's side of captures and kernel operations, and how their payloads look. */
#include <endian.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "ktstr/units.h"
#include "wire/host_request.h"
#include "wire/program.h"

/* The host gives up on a freeze after 30 s, and may be busy with a capture of its own before ours. */
#define CAPTURE_LIMIT KTSTR_SEC(90)

enum { TEXT_MAX = 256, PIDS_MAX = 1 << 16, STATUS_OK = 1, STATUS_ERROR = 2 };

KTSTR_DEFINE_CLEANUP(json_t *, cleanup_json, json_decref)
#define _cleanup_json_ _cleanup_(cleanup_json)

struct ktstr_error *ktstr_capture_request_encode(enum ktstr_capture_kind kind, const char *text,
						 struct ktstr_opt_u32 phase, struct ktstr_str *payload)
{
	uint16_t head[2] = { htole16(kind), htole16(phase.set && phase.value < UINT16_MAX ? phase.value + 1 : 0) };
	char padded[KTSTR_TAG_BYTES] = "";

	if (!text || !*text || strlen(text) >= sizeof(padded))
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" is no name of a capture: 1 to %d bytes",
				       text ? text : "", KTSTR_TAG_BYTES - 1);
	memcpy(padded, text, strlen(text));
	ktstr_str_add_bytes(payload, head, sizeof(head));
	ktstr_str_add_bytes(payload, padded, sizeof(padded));
	return NULL;
}

struct ktstr_error *ktstr_capture_request_decode(const void *payload, size_t length,
						 struct ktstr_capture_request *request)
{
	uint16_t head[2];

	if (length != sizeof(head) + KTSTR_TAG_BYTES)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a capture request of %zu bytes", length);
	memcpy(head, payload, sizeof(head));
	memcpy(request->text, (const char *)payload + sizeof(head), KTSTR_TAG_BYTES);
	request->kind = (enum ktstr_capture_kind)le16toh(head[0]);
	request->phase = (struct ktstr_opt_u32){ head[1] != 0, le16toh(head[1]) - 1u };
	if ((request->kind != KTSTR_CAPTURE_NOW && request->kind != KTSTR_CAPTURE_AT_WRITE) || !*request->text ||
	    request->text[KTSTR_TAG_BYTES - 1])
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a capture request that makes no sense");
	return NULL;
}

void ktstr_capture_reply_encode(const char *reason, struct ktstr_str *payload)
{
	uint32_t status = htole32(reason ? STATUS_ERROR : STATUS_OK);
	char padded[KTSTR_TAG_BYTES] = "";

	if (reason)
		memcpy(padded, reason, strnlen(reason, sizeof(padded) - 1));
	ktstr_str_add_bytes(payload, &status, sizeof(status));
	ktstr_str_add_bytes(payload, padded, sizeof(padded));
}

struct ktstr_error *ktstr_capture_reply_decode(const void *payload, size_t length)
{
	const char *reason = (const char *)payload + sizeof(uint32_t);
	uint32_t status;

	if (length != sizeof(status) + KTSTR_TAG_BYTES)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a reply of %zu bytes to a capture request", length);
	memcpy(&status, payload, sizeof(status));
	if (le32toh(status) == STATUS_OK)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_GUEST, "%.*s", (int)strnlen(reason, KTSTR_TAG_BYTES), reason);
}

/* --- kernel operations: JSON --- */

static const char *const target_kinds[] = {
	[KTSTR_TARGET_SYMBOL] = "symbol",
	[KTSTR_TARGET_DIRECT] = "direct",
	[KTSTR_TARGET_KVA] = "kva",
	[KTSTR_TARGET_PER_CPU_FIELD] = "per_cpu_field",
	[KTSTR_TARGET_TASK_FIELD] = "task_field",
};

static const char *const value_kinds[] = {
	[KTSTR_KERNEL_U32] = "u32",
	[KTSTR_KERNEL_U64] = "u64",
	[KTSTR_KERNEL_BYTES] = "bytes",
	[KTSTR_KERNEL_OR_U32] = "or_u32",
};

enum {
	TARGET_KINDS = sizeof(target_kinds) / sizeof(target_kinds[0]),
	VALUE_KINDS = sizeof(value_kinds) / sizeof(value_kinds[0]),
};

/* 64-bit numbers travel as text: JSON integers are signed. */
static json_t *number_text(uint64_t number)
{
	return json_sprintf("0x%" PRIx64, number);
}

static uint64_t text_number(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? strtoull(text, NULL, 16) : 0;
}

static json_t *target_to_json(const struct ktstr_kernel_target *target)
{
	json_t *json = json_pack("{ss ss* ss*}", "kind", target_kinds[target->kind], "symbol", target->symbol, "field",
				 target->field);

	if (target->kind == KTSTR_TARGET_DIRECT || target->kind == KTSTR_TARGET_KVA)
		json_object_set_new(json, "address", number_text(target->address));
	if (target->kind == KTSTR_TARGET_PER_CPU_FIELD)
		json_object_set_new(json, "cpu", json_integer(target->cpu));
	if (target->kind == KTSTR_TARGET_TASK_FIELD) {
		json_object_set_new(json, "pid", json_integer(target->pid));
		json_object_set_new(json, "start_time_ns", number_text(target->start_time_ns));
	}
	return json;
}

/* Bytes as hexadecimal text; a width has none, and its count. */
static json_t *value_to_json(const struct ktstr_kernel_op_value *value)
{
	json_t *json = json_pack("{ss}", "kind", value_kinds[value->kind]);
	_cleanup_str_ struct ktstr_str hex = { 0 };

	if (value->kind != KTSTR_KERNEL_BYTES) {
		json_object_set_new(json, "number", number_text(value->number));
		return json;
	}
	json_object_set_new(json, "count", json_integer((json_int_t)value->count));
	for (size_t i = 0; value->bytes && i < value->count; i++)
		ktstr_str_addf(&hex, "%02x", value->bytes[i]);
	if (value->bytes)
		json_object_set_new(json, "bytes", json_string(ktstr_str_text(&hex)));
	return json;
}

static struct ktstr_error *check_entry(const struct ktstr_kernel_op_entry *entry)
{
	const struct ktstr_kernel_target *target = &entry->target;

	if ((unsigned int)target->kind >= TARGET_KINDS || (unsigned int)entry->value.kind >= VALUE_KINDS)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a kind of target or value that does not exist");
	if ((target->kind == KTSTR_TARGET_SYMBOL || target->kind == KTSTR_TARGET_PER_CPU_FIELD) &&
	    (!target->symbol || !*target->symbol))
		return ktstr_error_new(KTSTR_ERR_INVALID, "no symbol is named");
	if (target->kind >= KTSTR_TARGET_PER_CPU_FIELD && (!target->field || !*target->field))
		return ktstr_error_new(KTSTR_ERR_INVALID, "no field is named");
	if (entry->value.kind == KTSTR_KERNEL_BYTES &&
	    (!entry->value.count || entry->value.count > KTSTR_KERNEL_BYTES_MAX))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%zu bytes: 1 to %u", entry->value.count,
				       KTSTR_KERNEL_BYTES_MAX);
	return NULL;
}

static struct ktstr_error *check_request(const struct ktstr_kernel_op_request *request)
{
	if (!request->entries_count || request->entries_count > KTSTR_KERNEL_OP_ENTRIES_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%zu entries: 1 to %u", request->entries_count,
				       KTSTR_KERNEL_OP_ENTRIES_MAX);
	if (!request->write && !*request->tag)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a read needs a tag under which its values are stored");
	for (size_t i = 0; i < request->entries_count; i++) {
		const struct ktstr_kernel_op_value *value = &request->entries[i].value;

		KTSTR_TRY_WRAP(check_entry(&request->entries[i]), "entry[%zu]", i);
		if (value->kind == KTSTR_KERNEL_OR_U32 && !(request->write && request->cold))
			return ktstr_error_new(KTSTR_ERR_INVALID, "entry[%zu]: an or is for cold writes only", i);
		if (request->write && value->kind == KTSTR_KERNEL_BYTES && !value->bytes)
			return ktstr_error_new(KTSTR_ERR_INVALID, "entry[%zu]: no bytes to write", i);
	}
	return NULL;
}

static struct ktstr_error *dump_json(const json_t *json, struct ktstr_str *payload)
{
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (!text)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a name that is not UTF-8");
	ktstr_str_add(payload, text);
	return NULL;
}

struct ktstr_error *ktstr_kernel_op_request_encode(const struct ktstr_kernel_op_request *request,
						   struct ktstr_str *payload)
{
	_cleanup_json_ json_t *json = NULL;
	json_t *entries;

	KTSTR_TRY(check_request(request));
	entries = json_array();
	for (size_t i = 0; i < request->entries_count; i++)
		json_array_append_new(entries, json_pack("{so so}", "target",
							 target_to_json(&request->entries[i].target), "value",
							 value_to_json(&request->entries[i].value)));
	json = json_pack("{ss ss ss so}", "mode", request->cold ? "cold" : "hot", "direction",
			 request->write ? "write" : "read", "tag", request->tag, "entries", entries);
	return dump_json(json, payload);
}

/* The index of a name; count when it is none of them. */
static size_t index_of(const json_t *name, const char *const *names, size_t count)
{
	const char *text = json_string_value(name);
	size_t i = 0;

	while (i < count && !(text && !strcmp(text, names[i])))
		i++;
	return i;
}

static char *copy_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && strlen(text) <= TEXT_MAX ? ktstr_xstrdup(text) : NULL;
}

static void target_from_json(const json_t *json, struct ktstr_kernel_target *target)
{
	*target = (struct ktstr_kernel_target){
		.kind = (enum ktstr_kernel_target_kind)index_of(json_object_get(json, "kind"), target_kinds,
								TARGET_KINDS),
		.symbol = copy_text(json, "symbol"),
		.field = copy_text(json, "field"),
		.address = text_number(json, "address"),
		.cpu = (uint32_t)json_integer_value(json_object_get(json, "cpu")),
		.pid = (int32_t)json_integer_value(json_object_get(json, "pid")),
		.start_time_ns = text_number(json, "start_time_ns"),
	};
}

static const uint8_t *bytes_from_hex(const char *hex, size_t count)
{
	uint8_t *bytes;

	if (!hex || !count || strlen(hex) != 2 * count)
		return NULL;
	bytes = ktstr_xmalloc(count);
	for (size_t i = 0; i < count; i++) {
		unsigned int byte = 0;

		sscanf(hex + 2 * i, "%2x", &byte);
		bytes[i] = (uint8_t)byte;
	}
	return bytes;
}

static void value_from_json(const json_t *json, struct ktstr_kernel_op_value *value)
{
	json_int_t count = json_integer_value(json_object_get(json, "count"));

	*value = (struct ktstr_kernel_op_value){
		.kind = (enum ktstr_kernel_value_kind)index_of(json_object_get(json, "kind"), value_kinds,
							       VALUE_KINDS),
		.number = text_number(json, "number"),
	};
	if (value->kind != KTSTR_KERNEL_BYTES || count < 0 || count > (json_int_t)KTSTR_KERNEL_BYTES_MAX)
		return;
	value->count = (size_t)count;
	value->bytes = bytes_from_hex(json_string_value(json_object_get(json, "bytes")), value->count);
}

static struct ktstr_error *load_json(const void *payload, size_t length, json_t **json)
{
	json_error_t why;

	*json = json_loadb(payload, length, 0, &why);
	return *json ? NULL : ktstr_error_new(KTSTR_ERR_CORRUPT, "a kernel operation that is not JSON: %s", why.text);
}

void ktstr_kernel_op_request_deinit(struct ktstr_kernel_op_request *request)
{
	for (size_t i = 0; i < request->entries_count; i++) {
		free((char *)request->entries[i].target.symbol);
		free((char *)request->entries[i].target.field);
		free((uint8_t *)request->entries[i].value.bytes);
	}
	free(request->entries);
	free(request->tag);
	*request = (struct ktstr_kernel_op_request){ 0 };
}

struct ktstr_error *ktstr_kernel_op_request_decode(const void *payload, size_t length,
						   struct ktstr_kernel_op_request *request)
{
	_cleanup_json_ json_t *json = NULL;
	static const char *const modes[] = { "hot", "cold" }, *const directions[] = { "read", "write" };
	const json_t *entries, *entry;
	size_t i;

	*request = (struct ktstr_kernel_op_request){ 0 };
	KTSTR_TRY(load_json(payload, length, &json));
	entries = json_object_get(json, "entries");
	if (json_array_size(entries) > KTSTR_KERNEL_OP_ENTRIES_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a kernel operation of %zu entries", json_array_size(entries));
	request->cold = index_of(json_object_get(json, "mode"), modes, 2) == 1;
	request->write = index_of(json_object_get(json, "direction"), directions, 2) == 1;
	request->tag = copy_text(json, "tag") ?: ktstr_xstrdup("");
	request->entries = ktstr_xcalloc(json_array_size(entries) + 1, sizeof(*request->entries));
	request->entries_count = json_array_size(entries);
	json_array_foreach(entries, i, entry) {
		target_from_json(json_object_get(entry, "target"), &request->entries[i].target);
		value_from_json(json_object_get(entry, "value"), &request->entries[i].value);
	}
	return check_request(request);
}

struct ktstr_error *ktstr_kernel_op_reply_encode(const struct ktstr_kernel_op_reply *reply, struct ktstr_str *payload)
{
	_cleanup_json_ json_t *json = NULL;
	json_t *values = json_array();

	for (size_t i = 0; i < reply->read_values_count; i++)
		json_array_append_new(values, value_to_json(&reply->read_values[i]));
	json = json_pack("{sI sb ss* so}", "request_id", (json_int_t)reply->request_id, "success", reply->success,
			 "reason", reply->reason, "read_values", values);
	return dump_json(json, payload);
}

struct ktstr_error *ktstr_kernel_op_reply_decode(const void *payload, size_t length,
						 struct ktstr_kernel_op_reply *reply)
{
	_cleanup_json_ json_t *json = NULL;
	const json_t *values, *value;
	size_t i;

	*reply = (struct ktstr_kernel_op_reply){ 0 };
	KTSTR_TRY(load_json(payload, length, &json));
	values = json_object_get(json, "read_values");
	if (json_array_size(values) > KTSTR_KERNEL_OP_ENTRIES_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a reply of %zu values", json_array_size(values));
	reply->request_id = (uint32_t)json_integer_value(json_object_get(json, "request_id"));
	reply->success = json_is_true(json_object_get(json, "success"));
	reply->reason = copy_text(json, "reason");
	reply->read_values = ktstr_xcalloc(json_array_size(values) + 1, sizeof(*reply->read_values));
	reply->read_values_count = json_array_size(values);
	json_array_foreach(values, i, value) {
		value_from_json(value, &reply->read_values[i]);
		if ((unsigned int)reply->read_values[i].kind >= VALUE_KINDS) {
			ktstr_kernel_op_reply_deinit(reply);
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "a value of no known kind in a reply");
		}
	}
	return NULL;
}

void ktstr_kernel_op_reply_deinit(struct ktstr_kernel_op_reply *reply)
{
	for (size_t i = 0; i < reply->read_values_count; i++)
		free((uint8_t *)reply->read_values[i].bytes);
	free(reply->read_values);
	free(reply->reason);
	*reply = (struct ktstr_kernel_op_reply){ 0 };
}

/* --- the guest's calls --- */

static struct ktstr_error *ask_for_capture(enum ktstr_capture_kind kind, const char *text, struct ktstr_opt_u32 phase)
{
	_cleanup_str_ struct ktstr_str payload = { 0 }, reply = { 0 };

	KTSTR_TRY(ktstr_capture_request_encode(kind, text, phase, &payload));
	KTSTR_TRY(ktstr_wire_request(KTSTR_FRAME_SNAPSHOT_REQUEST, payload.data, payload.length,
				     KTSTR_FRAME_SNAPSHOT_REPLY, CAPTURE_LIMIT, &reply));
	return ktstr_capture_reply_decode(reply.data, reply.length);
}

struct ktstr_error *ktstr_host_capture(const char *tag)
{
	KTSTR_TRY_WRAP(ask_for_capture(KTSTR_CAPTURE_NOW, tag, (struct ktstr_opt_u32)KTSTR_NONE), "snapshot \"%s\"", tag);
	return NULL;
}

struct ktstr_error *ktstr_host_capture_in_phase(const char *tag, unsigned int phase)
{
	KTSTR_TRY_WRAP(ask_for_capture(KTSTR_CAPTURE_NOW, tag, (struct ktstr_opt_u32)KTSTR_SOME(phase)),
		       "snapshot \"%s\"", tag);
	return NULL;
}

struct ktstr_error *ktstr_host_watch(const char *symbol)
{
	KTSTR_TRY_WRAP(ask_for_capture(KTSTR_CAPTURE_AT_WRITE, symbol, (struct ktstr_opt_u32)KTSTR_NONE), "watch of %s",
		       symbol);
	return NULL;
}

static struct ktstr_error *kernel_op(const struct ktstr_kernel_op_request *request,
				     struct ktstr_kernel_op_reply *answer)
{
	_cleanup_str_ struct ktstr_str payload = { 0 }, reply = { 0 };

	KTSTR_TRY(ktstr_kernel_op_request_encode(request, &payload));
	KTSTR_TRY(ktstr_wire_request(KTSTR_FRAME_KERNEL_OP_REQUEST, payload.data, payload.length,
				     KTSTR_FRAME_KERNEL_OP_REPLY, CAPTURE_LIMIT, &reply));
	KTSTR_TRY(ktstr_kernel_op_reply_decode(reply.data, reply.length, answer));
	if (answer->success)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_GUEST, "%s", answer->reason ? answer->reason : "refused without a reason");
}

struct ktstr_error *ktstr_host_kernel_write(bool cold, const struct ktstr_kernel_op_entry *entries, size_t count)
{
	struct ktstr_kernel_op_request request = { cold, true, (char *)"", (struct ktstr_kernel_op_entry *)entries,
						   count };
	struct ktstr_kernel_op_reply answer = { 0 };
	struct ktstr_error *error = kernel_op(&request, &answer);

	ktstr_kernel_op_reply_deinit(&answer);
	return error ? ktstr_error_wrap(error, "write to the kernel") : NULL;
}

struct ktstr_error *ktstr_host_kernel_read(bool cold, const char *tag, const struct ktstr_kernel_op_entry *entries,
					   size_t count, struct ktstr_kernel_op_reply *reply)
{
	struct ktstr_kernel_op_request request = { cold, false, (char *)tag, (struct ktstr_kernel_op_entry *)entries,
						   count };
	struct ktstr_kernel_op_reply answer = { 0 };
	struct ktstr_error *error = kernel_op(&request, &answer);

	if (error || !reply)
		ktstr_kernel_op_reply_deinit(&answer);
	if (error)
		return ktstr_error_wrap(error, "read of the kernel (\"%s\")", tag);
	if (reply)
		*reply = answer;
	return NULL;
}

void ktstr_host_record_cgroup_procs(const char *tag, const char *cgroup, const int *pids, size_t count)
{
	_cleanup_json_ json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *list = json_array();

	for (size_t i = 0; i < count && i < PIDS_MAX; i++)
		json_array_append_new(list, json_integer(pids[i]));
	json = json_pack("{ss ss so}", "tag", tag, "cgroup", cgroup, "pids", list);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (text)
		ktstr_wire_send(KTSTR_FRAME_CGROUP_PROCS, text, strlen(text));
}
