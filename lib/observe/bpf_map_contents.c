// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in a BPF map, one reader per kind of map (kernel/bpf/arraymap.c, hashtab.c, bpf_local_storage.c, ...). A
 * reader sees hostile structures: it stops at its cap and says that it did.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/bpf_map_special.h"
#include "observe/bpf_maps.h"
#include "observe/render.h"

enum {
	ENTRIES_MAX = 4096,
	PERCPU_KEYS_MAX = 256,
	BUCKETS_MAX = 1 << 20,
	CHAIN_MAX = 1024,
	VALUE_BYTES_MAX = 16 << 20,
	PERCPU_VALUE_BYTES_MAX = 32 << 10, /* PCPU_MIN_UNIT_SIZE: no map has larger ones */
	MAP_BYTES_MAX = 8 << 20, /* of all values of a map that has several: as JSON they take a hundred times as much */
	MAP_VALUES_MAX = 1 << 20, /* scalars and structures in them: types of a guest can make thousands of one byte */
	KEY_BYTES_MAX = 512,
};

static uint64_t round_up8(uint64_t size)
{
	return (size + 7) & ~UINT64_C(7);
}

/* How many entries of a map are shown: at most `most`, each with so many copies of its value. */
static uint32_t entries_cap(const struct ktstr_bpf_map *map, uint32_t most, uint32_t copies)
{
	uint64_t bytes = (uint64_t)map->value_size * copies, fit = bytes ? MAP_BYTES_MAX / bytes : most;

	return fit < 1 ? 1 : fit < most ? (uint32_t)fit : most;
}

static struct ktstr_object as(const struct ktstr_bpf_map *map, const char *type)
{
	return ktstr_object(map->view, type, map->address);
}

/* Bytes by a type of the map's BTF; as they are when it has none. */
static json_t *typed(const struct ktstr_bpf_map *map, uint32_t type_id, const void *bytes, size_t count)
{
	if (!map->types || !type_id)
		return ktstr_render_bytes(bytes, count);
	if (map->values_left)
		return ktstr_render_within(ktstr_types_btf(map->types), type_id, bytes, count, map->values_left);
	return ktstr_render(ktstr_types_btf(map->types), type_id, bytes, count);
}

/* Value bytes at an address, rendered; NULL when they cannot be read. */
static json_t *value_at(const struct ktstr_bpf_map *map, uint64_t address)
{
	_cleanup_free_ void *bytes = NULL;

	if (!address || map->value_size > VALUE_BYTES_MAX)
		return NULL;
	bytes = ktstr_xmalloc(map->value_size + 1);
	if (!ktstr_read(&map->view->space, address, bytes, map->value_size))
		return NULL;
	return typed(map, map->value_type_id, bytes, map->value_size);
}

/* One value per CPU; null for a CPU whose copy cannot be read. */
static json_t *values_per_cpu(const struct ktstr_bpf_map *map, uint64_t percpu)
{
	json_t *values = json_array();

	for (unsigned int cpu = 0; cpu < map->view->cpus; cpu++) {
		uint64_t copy = ktstr_view_per_cpu(map->view, percpu, cpu);
		json_t *value = map->value_size <= PERCPU_VALUE_BYTES_MAX ? value_at(map, copy) : NULL;

		json_array_append_new(values, value ? value : json_null());
	}
	return values;
}

uint64_t ktstr_bpf_array_element(const struct ktstr_bpf_map *map, uint32_t key)
{
	struct ktstr_object array = as(map, "bpf_array");
	uint64_t values = ktstr_member_address(&array, "value");

	return values && key < map->max_entries ? values + key * round_up8(map->value_size) : 0;
}

static void mark_truncated(json_t *json, uint64_t all, uint64_t shown)
{
	if (all > shown)
		json_object_set_new(json, "truncated", json_true());
}

/* One value stands for the map itself; several are listed by index. */
static void read_array(const struct ktstr_bpf_map *map, json_t *json)
{
	uint32_t cap = entries_cap(map, ENTRIES_MAX, 1);
	json_t *entries;

	if (map->max_entries == 1) {
		json_t *value = value_at(map, ktstr_bpf_array_element(map, 0));

		if (value)
			json_object_set_new(json, "value", value);
		else
			json_object_set_new(json, "error", json_string("its value cannot be read"));
		return;
	}
	entries = json_array();
	for (uint32_t key = 0; key < map->max_entries && key < cap; key++) {
		json_t *value = value_at(map, ktstr_bpf_array_element(map, key));

		json_array_append_new(entries, json_pack("{sI so*}", "key", (json_int_t)key, "value", value));
	}
	json_object_set_new(json, "array_entries", entries);
	mark_truncated(json, map->max_entries, cap);
}

static void read_percpu_array(const struct ktstr_bpf_map *map, json_t *json)
{
	struct ktstr_object array = as(map, "bpf_array");
	uint64_t pointers = ktstr_member_address(&array, "pptrs");
	uint32_t cap = entries_cap(map, PERCPU_KEYS_MAX, map->view->cpus);
	json_t *entries = json_array();

	for (uint32_t key = 0; key < map->max_entries && key < cap; key++) {
		uint64_t percpu = 0;

		ktstr_read_uint(&map->view->space, pointers + key * UINT64_C(8), 8, &percpu);
		json_array_append_new(entries, json_pack("{sI so}", "key", (json_int_t)key, "per_cpu",
							 values_per_cpu(map, percpu)));
	}
	json_object_set_new(json, "percpu_entries", entries);
	mark_truncated(json, map->max_entries, cap);
}

/* A table of buckets with a chain each: where it is, and how its elements look. */
struct chains {
	const struct ktstr_bpf_map *map;
	uint64_t buckets;
	uint32_t buckets_count, bucket_bytes, head_offset, node_offset;
	bool nulls; /* chains end at an odd pointer (hlist_nulls), else at NULL */
};

/* Visits elements until visit() returns false; false when a cap was hit. */
static bool walk_chains(const struct chains *chains, bool (*visit)(void *context, uint64_t element), void *context)
{
	for (uint32_t i = 0; i < chains->buckets_count; i++) {
		uint64_t node, bucket = chains->buckets + (uint64_t)i * chains->bucket_bytes;

		if (i == BUCKETS_MAX)
			return false;
		if (!ktstr_read_uint(&chains->map->view->space, bucket + chains->head_offset, 8, &node))
			continue;
		for (int steps = 0; node && !(chains->nulls && node & 1); steps++) {
			if (steps == CHAIN_MAX || !visit(context, node - chains->node_offset))
				return false;
			if (!ktstr_read_uint(&chains->map->view->space, node, 8, &node))
				break;
		}
	}
	return true;
}

enum hash_values { PLAIN, PER_CPU, INNER_MAPS /* pointers to struct bpf_map */ };

struct hash_reader {
	const struct ktstr_bpf_map *map;
	json_t *entries;
	uint32_t key_offset, cap;
	enum hash_values values;
};

static bool add_hash_entry(void *context, uint64_t element)
{
	struct hash_reader *reader = context;
	const struct ktstr_bpf_map *map = reader->map;
	uint64_t key_address = element + reader->key_offset, value_address = key_address + round_up8(map->key_size);
	_cleanup_free_ char *key_hex = NULL, *value_hex = NULL;
	_cleanup_free_ char *value = NULL;
	char key[KEY_BYTES_MAX];
	uint64_t pointer = 0;
	json_t *entry;

	if (map->key_size > sizeof(key) || map->value_size > VALUE_BYTES_MAX ||
	    !ktstr_read(&map->view->space, key_address, key, map->key_size))
		return true;
	key_hex = ktstr_hex(key, map->key_size);
	entry = json_pack("{so ss}", "key", typed(map, map->key_type_id, key, map->key_size), "key_hex", key_hex);
	ktstr_read_uint(&map->view->space, value_address, 8, &pointer);
	if (reader->values == PER_CPU) {
		json_object_set_new(entry, "per_cpu", values_per_cpu(map, pointer));
	} else if (reader->values == INNER_MAPS) {
		json_object_set_new(entry, "value",
				    json_pack("{ss so}", "kind", "ptr", "value", ktstr_json_address(pointer)));
	} else {
		value = ktstr_xmalloc(map->value_size + 1);
		if (ktstr_read(&map->view->space, value_address, value, map->value_size)) {
			value_hex = ktstr_hex(value, map->value_size);
			json_object_set_new(entry, "value", typed(map, map->value_type_id, value, map->value_size));
			json_object_set_new(entry, "value_hex", json_string(value_hex));
		}
	}
	json_array_append_new(reader->entries, entry);
	return json_array_size(reader->entries) < reader->cap;
}

static void read_hash_table(const struct ktstr_bpf_map *map, json_t *json, enum hash_values values)
{
	struct ktstr_object table = as(map, "bpf_htab");
	struct ktstr_field buckets = ktstr_types_field(map->view->types, "bpf_htab", "buckets");
	struct chains chains = {
		.map = map,
		.buckets = ktstr_get_or_zero(&table, "buckets"),
		.buckets_count = (uint32_t)ktstr_get_or_zero(&table, "n_buckets"),
		.bucket_bytes = ktstr_types_pointee_size(map->view->types, buckets.type_id),
		.nulls = true, /* hash_node is the first member of an element, head of a bucket */
	};
	struct ktstr_field key = ktstr_types_field(map->view->types, "htab_elem", "key");
	struct hash_reader reader = { map, json_array(), key.offset,
				      entries_cap(map, ENTRIES_MAX, values == PER_CPU ? map->view->cpus : 1), values };

	if (!key.found || !chains.bucket_bytes || !chains.buckets)
		json_object_set_new(json, "error", json_string("its table cannot be found in this kernel's types"));
	else if (!walk_chains(&chains, add_hash_entry, &reader))
		json_object_set_new(json, "truncated", json_true());
	json_object_set_new(json, values == PER_CPU ? "percpu_hash_entries" : "entries", reader.entries);
}

static void read_hash(const struct ktstr_bpf_map *map, json_t *json)
{
	read_hash_table(map, json, PLAIN);
}

static void read_percpu_hash(const struct ktstr_bpf_map *map, json_t *json)
{
	read_hash_table(map, json, PER_CPU);
}

static void read_hash_of_maps(const struct ktstr_bpf_map *map, json_t *json)
{
	read_hash_table(map, json, INNER_MAPS);
}

/* The key of an entry is the address of its owner: a task, inode, socket or cgroup. */
static bool add_storage_entry(void *context, uint64_t element_address)
{
	struct hash_reader *reader = context;
	const struct ktstr_bpf_map *map = reader->map;
	struct ktstr_object element = ktstr_object(map->view, "bpf_local_storage_elem", element_address);
	struct ktstr_object storage = ktstr_follow(&element, "local_storage", "bpf_local_storage");
	uint64_t owner = ktstr_get_or_zero(&storage, "owner");
	json_t *value = value_at(map, ktstr_member_address(&element, "sdata.data"));

	json_array_append_new(reader->entries, json_pack("{s{ss so} so*}", "key", "kind", "ptr", "value",
							 ktstr_json_address(owner), "value", value));
	return json_array_size(reader->entries) < reader->cap;
}

static void read_local_storage(const struct ktstr_bpf_map *map, json_t *json)
{
	struct ktstr_object table = as(map, "bpf_local_storage_map");
	struct ktstr_field buckets = ktstr_types_field(map->view->types, "bpf_local_storage_map", "buckets");
	uint64_t bits = ktstr_get_or_zero(&table, "bucket_log");
	struct chains chains = {
		.map = map,
		.buckets = ktstr_get_or_zero(&table, "buckets"),
		.buckets_count = bits < 21 ? 1u << bits : 0,
		.bucket_bytes = ktstr_types_pointee_size(map->view->types, buckets.type_id),
		.node_offset = ktstr_types_field(map->view->types, "bpf_local_storage_elem", "map_node").offset,
	};
	struct hash_reader reader = { map, json_array(), 0, entries_cap(map, ENTRIES_MAX, 1), PLAIN };

	if (!chains.bucket_bytes || !chains.buckets)
		json_object_set_new(json, "error", json_string("its table cannot be found in this kernel's types"));
	else if (!walk_chains(&chains, add_storage_entry, &reader))
		json_object_set_new(json, "truncated", json_true());
	json_object_set_new(json, "entries", reader.entries);
}

/* The value is a wrapper of the kernel's; what the user filled is its member `data`. */
static void read_struct_ops(const struct ktstr_bpf_map *map, json_t *json)
{
	struct ktstr_object ops = as(map, "bpf_struct_ops_map");
	struct ktstr_field data = { 0 };
	struct ktstr_bpf_map inner = *map;
	json_t *value;

	if (map->types && map->value_type_id)
		data = ktstr_types_field_of(map->types, map->value_type_id, "data");
	if (data.found) {
		inner.value_type_id = data.type_id;
		inner.value_size = data.bytes;
	}
	value = value_at(&inner, ktstr_member_address(&ops, "kvalue") + data.offset);
	if (value)
		json_object_set_new(json, "value", value);
	else
		json_object_set_new(json, "error", json_string("its value cannot be read"));
}

/* By number: enum bpf_map_type of include/uapi/linux/bpf.h, which only grows. */
static const struct map_kind {
	const char *name;
	void (*read)(const struct ktstr_bpf_map *map, json_t *json);
} kinds[] = {
	[1] = { "hash", read_hash },
	[2] = { "array", read_array },
	[3] = { "prog_array", ktstr_read_fd_array },
	[4] = { "perf_event_array", ktstr_read_fd_array },
	[5] = { "percpu_hash", read_percpu_hash },
	[6] = { "percpu_array", read_percpu_array },
	[7] = { "stack_trace", ktstr_read_stack_trace },
	[8] = { "cgroup_array", ktstr_read_fd_array },
	[9] = { "lru_hash", read_hash },
	[10] = { "lru_percpu_hash", read_percpu_hash },
	[11] = { "lpm_trie", NULL },
	[12] = { "array_of_maps", ktstr_read_fd_array },
	[13] = { "hash_of_maps", read_hash_of_maps },
	[14] = { "devmap", ktstr_read_fd_array },
	[15] = { "sockmap", ktstr_read_fd_array },
	[16] = { "cpumap", ktstr_read_fd_array },
	[17] = { "xskmap", ktstr_read_fd_array },
	[18] = { "sockhash", NULL },
	[19] = { "cgroup_storage", NULL },
	[20] = { "reuseport_sockarray", ktstr_read_fd_array },
	[21] = { "percpu_cgroup_storage", NULL },
	[22] = { "queue", NULL },
	[23] = { "stack", NULL },
	[24] = { "sk_storage", read_local_storage },
	[25] = { "devmap_hash", NULL },
	[26] = { "struct_ops", read_struct_ops },
	[27] = { "ringbuf", ktstr_read_ringbuf },
	[28] = { "inode_storage", read_local_storage },
	[29] = { "task_storage", read_local_storage },
	[30] = { "bloom_filter", NULL },
	[31] = { "user_ringbuf", ktstr_read_ringbuf },
	[32] = { "cgrp_storage", read_local_storage },
	[33] = { "arena", ktstr_read_arena },
	[34] = { "insn_array", NULL },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *ktstr_bpf_map_type_name(uint32_t type)
{
	return type < KINDS && kinds[type].name ? kinds[type].name : "unknown";
}

json_t *ktstr_bpf_map_to_json(const struct ktstr_bpf_map *map)
{
	struct ktstr_bpf_map shown = *map;
	unsigned int left = MAP_VALUES_MAX;
	json_t *json = json_pack("{ss so ss si sI sI}", "name", map->name, "map_kva", ktstr_json_address(map->address),
				 "map_type", ktstr_bpf_map_type_name(map->type), "map_id", (int)map->id, "value_size",
				 (json_int_t)map->value_size, "max_entries", (json_int_t)map->max_entries);

	if (!json) /* a name that is not UTF-8: the guest's map is no map of ours to show */
		return json_pack("{ss so ss sI sI ss}", "name", "?", "map_kva", ktstr_json_address(map->address), "map_type",
				 ktstr_bpf_map_type_name(map->type), "value_size", (json_int_t)map->value_size,
				 "max_entries", (json_int_t)map->max_entries, "error", "its name is not text");
	shown.values_left = &left;
	if (map->type < KINDS && kinds[map->type].read)
		kinds[map->type].read(&shown, json);
	else
		json_object_set_new(json, "error", json_string("contents of this type are not read"));
	return json;
}
