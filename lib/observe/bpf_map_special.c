// SPDX-License-Identifier: GPL-2.0-only
/* Contents of descriptor arrays, ring buffers, stack traces and arenas. */
#include "base/cleanup.h"
#include "base/str.h"
#include "observe/bpf_map_special.h"
#include "observe/render.h"

enum {
	FD_SLOTS_MAX = 4096,
	FD_INDICES_MAX = 1024,
	STACK_BUCKETS_MAX = 16384,
	STACK_PCS_MAX = 128,
	ARENA_PAGES_MAX = 4096, /* read one by one */
	ARENA_PROBES = 256, /* and over the rest */
	PAGE = 4096,
	ARENA = 33, /* BPF_MAP_TYPE_ARENA */
	ARENA_GUARD_BYTES = 64 * 1024, /* GUARD_SZ of kernel/bpf/arena.c: half of it lies below the first page */
	STACK_BUILD_ID = 1 << 5, /* BPF_F_STACK_BUILD_ID */
};

#define ARENA_SPAN_MAX (UINT64_C(4) << 30)

static void set_error(json_t *json, const char *text)
{
	json_object_set_new(json, "error", json_string(text));
}

/* Where each kind of map has its slots; some behind a pointer. */
static const struct slots {
	uint32_t type; /* enum bpf_map_type */
	const char *object, *member;
	bool behind_pointer;
} slots_of[] = {
	{ 14, "bpf_dtab", "netdev_map", true }, /* DEVMAP */
	{ 15, "bpf_stab", "sks", true }, /* SOCKMAP */
	{ 16, "bpf_cpu_map", "cpu_map", true }, /* CPUMAP */
	{ 17, "xsk_map", "xsk_map", false }, /* XSKMAP */
	{ 20, "reuseport_array", "ptrs", false }, /* REUSEPORT_SOCKARRAY */
	{ 0, "bpf_array", "ptrs", false }, /* all others */
};

static uint64_t find_slots(const struct ktstr_bpf_map *map)
{
	const struct slots *slots = slots_of;
	struct ktstr_object object;

	while (slots->type && slots->type != map->type)
		slots++;
	object = ktstr_object(map->view, slots->object, map->address);
	return slots->behind_pointer ? ktstr_get_or_zero(&object, slots->member) :
				       ktstr_member_address(&object, slots->member);
}

void ktstr_read_fd_array(const struct ktstr_bpf_map *map, json_t *json)
{
	uint64_t slots = find_slots(map);
	uint32_t scanned = map->max_entries < FD_SLOTS_MAX ? map->max_entries : FD_SLOTS_MAX;
	json_t *indices = json_array(), *fd_array;
	json_int_t populated = 0, unreadable = 0;

	if (!slots) {
		json_decref(indices);
		set_error(json, "its slots cannot be found in this kernel's types");
		return;
	}
	for (uint32_t i = 0; i < scanned; i++) {
		uint64_t pointer;

		if (!ktstr_read_uint(&map->view->space, slots + i * UINT64_C(8), 8, &pointer)) {
			unreadable++;
			continue;
		}
		if (!pointer)
			continue;
		if (populated++ < FD_INDICES_MAX)
			json_array_append_new(indices, json_integer(i));
	}
	fd_array = json_pack("{sI sI so}", "populated", populated, "scanned", (json_int_t)scanned, "indices", indices);
	if (map->max_entries > scanned)
		json_object_set_new(fd_array, "truncated", json_true());
	if (populated > FD_INDICES_MAX)
		json_object_set_new(fd_array, "indices_truncated", json_true());
	if (unreadable)
		json_object_set_new(fd_array, "unreadable", json_integer(unreadable));
	json_object_set_new(json, "fd_array", fd_array);
}

void ktstr_read_ringbuf(const struct ktstr_bpf_map *map, json_t *json)
{
	struct ktstr_object ring_map = ktstr_object(map->view, "bpf_ringbuf_map", map->address);
	struct ktstr_object ring = ktstr_follow(&ring_map, "rb", "bpf_ringbuf");
	uint64_t mask, consumer, producer;

	if (!ktstr_get(&ring, "mask", &mask) || !ktstr_get(&ring, "consumer_pos", &consumer) ||
	    !ktstr_get(&ring, "producer_pos", &producer)) {
		set_error(json, "its ring cannot be read");
		return;
	}
	json_object_set_new(json, "ringbuf",
			    json_pack("{so so so so so}", "capacity", ktstr_json_exact_u64(mask + 1), "consumer_pos",
				      ktstr_json_exact_u64(consumer), "producer_pos", ktstr_json_exact_u64(producer), "pending_pos",
				      ktstr_json_exact_u64(ktstr_get_or_zero(&ring, "pending_pos")), "pending_bytes",
				      ktstr_json_exact_u64(producer - consumer)));
}

static json_t *stack_entry(const struct ktstr_bpf_map *map, uint32_t id, uint64_t bucket_address)
{
	struct ktstr_object bucket = ktstr_object(map->view, "stack_map_bucket", bucket_address);
	uint64_t count = ktstr_get_or_zero(&bucket, "nr"), data = ktstr_member_address(&bucket, "data");
	uint32_t bytes = map->value_size < STACK_PCS_MAX * 8 ? map->value_size : STACK_PCS_MAX * 8;
	_cleanup_free_ uint64_t *pcs = ktstr_xcalloc(STACK_PCS_MAX, sizeof(*pcs));
	_cleanup_free_ char *hex = NULL;
	json_t *list = json_array();

	if (!ktstr_read(&map->view->space, data, pcs, bytes))
		bytes = 0;
	hex = ktstr_hex(pcs, bytes);
	for (uint64_t i = 0; !(map->flags & STACK_BUILD_ID) && i < count && i < bytes / 8; i++)
		json_array_append_new(list, ktstr_json_address(pcs[i]));
	return json_pack("{sI so so ss}", "bucket_id", (json_int_t)id, "nr", ktstr_json_exact_u64(count), "pcs", list,
			 "data_hex", hex);
}

void ktstr_read_stack_trace(const struct ktstr_bpf_map *map, json_t *json)
{
	struct ktstr_object stack = ktstr_object(map->view, "bpf_stack_map", map->address);
	uint64_t buckets = ktstr_member_address(&stack, "buckets"), count = ktstr_get_or_zero(&stack, "n_buckets");
	json_t *entries = json_array(), *trace;
	json_int_t unreadable = 0;

	for (uint32_t i = 0; buckets && i < count && i < STACK_BUCKETS_MAX; i++) {
		uint64_t bucket;

		if (!ktstr_read_uint(&map->view->space, buckets + i * UINT64_C(8), 8, &bucket))
			unreadable++;
		else if (bucket)
			json_array_append_new(entries, stack_entry(map, i, bucket));
	}
	trace = json_pack("{so so}", "n_buckets", ktstr_json_exact_u64(count), "entries", entries);
	if (count > STACK_BUCKETS_MAX)
		json_object_set_new(trace, "truncated", json_true());
	if (unreadable)
		json_object_set_new(trace, "buckets_unreadable", json_integer(unreadable));
	json_object_set_new(json, "stack_trace", trace);
}

bool ktstr_arena_open(const struct ktstr_bpf_map *map, struct ktstr_arena *arena)
{
	struct ktstr_object object = ktstr_object(map->view, "bpf_arena", map->address);
	struct ktstr_object area = ktstr_follow(&object, "kern_vm", "vm_struct");
	uint64_t start = map->type == ARENA ? ktstr_get_or_zero(&area, "addr") : 0;

	*arena = (struct ktstr_arena){ map->view, start + ARENA_GUARD_BYTES / 2,
				       ktstr_get_or_zero(&object, "user_vm_start"), (uint64_t)map->max_entries * PAGE };
	return start != 0;
}

/* arena_vm_fault() */
bool ktstr_arena_read(const struct ktstr_arena *arena, uint64_t user_address, void *out, size_t bytes)
{
	uint32_t low = (uint32_t)user_address;

	return low + (uint64_t)bytes <= ARENA_SPAN_MAX &&
	       ktstr_read(&arena->view->space, arena->kernel_start + low, out, bytes);
}

static void add_page(const struct ktstr_arena *arena, uint64_t at, json_t *pages)
{
	_cleanup_free_ char *hex = NULL;
	char page[PAGE];

	if (!ktstr_arena_read(arena, arena->user_start + at, page, PAGE))
		return;
	hex = ktstr_hex(page, PAGE);
	json_array_append_new(pages, json_pack("{so ss}", "user_addr", ktstr_json_address(arena->user_start + at), "bytes",
					       hex));
}

/* The first pages, one after the other, then some of the rest; only those that are there: an arena is mostly a promise. */
static bool add_pages(const struct ktstr_arena *arena, uint64_t count, json_t *pages)
{
	uint64_t first = count < ARENA_PAGES_MAX ? count : ARENA_PAGES_MAX, rest = count - first;

	for (uint64_t i = 0; i < first; i++)
		add_page(arena, i * PAGE, pages);
	for (uint64_t i = 0; i < ARENA_PROBES && i < rest; i++)
		add_page(arena, (first + (rest <= ARENA_PROBES ? i : rest / ARENA_PROBES * i)) * PAGE, pages);
	return rest > ARENA_PROBES;
}

void ktstr_read_arena(const struct ktstr_bpf_map *map, json_t *json)
{
	struct ktstr_arena arena;
	bool truncated;
	json_t *snapshot, *pages;

	if (!ktstr_arena_open(map, &arena)) {
		set_error(json, "its memory cannot be found");
		return;
	}
	pages = json_array();
	truncated = add_pages(&arena, (arena.bytes < ARENA_SPAN_MAX ? arena.bytes : ARENA_SPAN_MAX) / PAGE, pages);
	snapshot = json_pack("{so sI so so}", "pages", pages, "declared_pages", (json_int_t)map->max_entries,
			     "kern_vm_start", ktstr_json_address(arena.kernel_start), "user_vm_start",
			     ktstr_json_address(arena.user_start));
	if (truncated)
		json_object_set_new(snapshot, "truncated", json_true());
	if (arena.bytes > ARENA_SPAN_MAX)
		json_object_set_new(snapshot, "span_capped", json_true());
	json_object_set_new(json, "arena", snapshot);
}
