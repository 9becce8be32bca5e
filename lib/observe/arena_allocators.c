// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout is that of sched_ext's lib/sdt_task (also tools/sched_ext/scx_sdt of the kernel): scx_allocator.root is a
 * sdt_desc, which has a bitmap and a sdt_chunk of 512 pointers; three levels of these, then the objects, each behind a
 * union sdt_id. In the last level a bit says that an object is allocated; above that it says that a subtree is full, so
 * there the pointers count. All pointers are addresses of user space.
 */
#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/arena_allocators.h"
#include "observe/bpf_map_special.h"
#include "observe/fields_json.h"
#include "observe/render.h"

enum {
	LEVELS = 3,            /* SDT_TASK_LEVELS */
	SLOTS_MAX = 512,       /* SDT_TASK_ENTS_PER_CHUNK */
	ENTRIES_MAX = 4096,    /* shown of one allocator */
	NODES_MAX = 16 * 1024, /* looked at in one dump: pointers may lead back */
	ARENAS_MAX = 64,
	VARIABLES_MAX = 256,
	OBJECT_BYTES_MAX = 64 * 1024,
	OBJECTS_BYTES_MAX = 16 << 20, /* shown in one dump: as JSON they take a hundred times as much */
	VARIABLE_BYTES_MAX = 4096,
	BPF_ARRAY = 2, /* BPF_MAP_TYPE_ARRAY: what sections are kept in */
};

/* Places in the allocator's structures. */
struct layout {
	struct ktstr_field elem_size, root, allocated, chunk, slots, idx, genn, payload;
};

/* So far, for all allocators of a dump. */
struct spent {
	uint64_t nodes, bytes;
};

struct walk {
	const struct ktstr_types *types; /* of the scheduler */
	struct ktstr_arena arena;
	struct layout at;
	uint64_t elem_size;
	uint32_t payload_type; /* 0 = not known */
	json_t *entries;
	struct spent *spent;
	uint64_t skipped;
	bool truncated;
};

static bool find_layout(const struct ktstr_types *types, struct layout *at)
{
	const struct {
		struct ktstr_field *field;
		const char *type, *path;
	} wanted[] = {
		{ &at->elem_size, "scx_allocator", "pool.elem_size" },
		{ &at->root, "scx_allocator", "root" },
		{ &at->allocated, "sdt_desc", "allocated" },
		{ &at->chunk, "sdt_desc", "chunk" },
		{ &at->slots, "sdt_chunk", "descs" },
		{ &at->idx, "sdt_data", "tid.idx" },
		{ &at->genn, "sdt_data", "tid.genn" },
		{ &at->payload, "sdt_data", "payload" },
	};

	/* Compilers leave out what a scheduler only points to. */
	at->genn.offset = sizeof(uint32_t);
	at->payload.offset = 2 * sizeof(uint32_t);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct ktstr_field field = ktstr_types_field(types, wanted[i].type, wanted[i].path);

		if (field.found)
			*wanted[i].field = field;
		else if (strcmp(wanted[i].type, "sdt_data"))
			return false;
	}
	return at->chunk.bytes == 8 && at->slots.bytes && at->slots.bytes <= SLOTS_MAX * 8 &&
	       at->allocated.bytes * 8 >= at->slots.bytes / 8 && at->allocated.bytes <= SLOTS_MAX / 8;
}

static uint32_t u32_at(const char *bytes, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/* A variable of the scheduler, as it lies in its section. */
struct variable {
	const struct ktstr_bpf_map *section;
	const char *name;
	uint32_t bytes_count;
	char bytes[VARIABLE_BYTES_MAX];
};

/* A member of 8 bytes; false when the types, which are the guest's, place it elsewhere. */
static bool u64_of(const struct variable *variable, struct ktstr_field field, uint64_t *value)
{
	*value = 0;
	if (!field.found || field.bytes != sizeof(*value) || field.offset + UINT64_C(8) > variable->bytes_count)
		return false;
	memcpy(value, variable->bytes + field.offset, sizeof(*value));
	return true;
}

static void add_object(struct walk *walk, uint64_t pointer)
{
	_cleanup_free_ char *bytes = ktstr_xmalloc(walk->elem_size);
	uint32_t payload = walk->at.payload.offset;
	json_t *entry, *rendered;

	if (json_array_size(walk->entries) == ENTRIES_MAX || walk->spent->bytes + walk->elem_size > OBJECTS_BYTES_MAX) {
		walk->truncated = true;
		return;
	}
	if (!ktstr_arena_read(&walk->arena, pointer, bytes, walk->elem_size)) {
		walk->skipped++;
		return;
	}
	walk->spent->bytes += walk->elem_size;
	rendered = walk->payload_type ? ktstr_render(ktstr_types_btf(walk->types), walk->payload_type, bytes + payload,
						     walk->elem_size - payload) :
					ktstr_render_bytes(bytes + payload, walk->elem_size - payload);
	entry = json_pack("{sI sI so so}", "idx", (json_int_t)u32_at(bytes, walk->at.idx.offset), "genn",
			  (json_int_t)u32_at(bytes, walk->at.genn.offset), "user_addr",
			  ktstr_json_address((uint32_t)pointer), "payload", rendered);
	json_array_append_new(walk->entries, entry);
}

static bool read_node(const struct walk *walk, uint64_t desc, uint8_t *allocated, uint64_t *slots)
{
	uint64_t chunk;

	return desc &&
	       ktstr_arena_read(&walk->arena, desc + walk->at.allocated.offset, allocated, walk->at.allocated.bytes) &&
	       ktstr_arena_read(&walk->arena, desc + walk->at.chunk.offset, &chunk, sizeof(chunk)) && chunk &&
	       ktstr_arena_read(&walk->arena, chunk + walk->at.slots.offset, slots, walk->at.slots.bytes);
}

static void walk_node(struct walk *walk, uint64_t desc, int level)
{
	uint8_t allocated[SLOTS_MAX / 8];
	uint64_t slots[SLOTS_MAX];

	if (walk->truncated)
		return;
	if (++walk->spent->nodes > NODES_MAX) {
		walk->truncated = true;
		return;
	}
	if (!read_node(walk, desc, allocated, slots)) {
		walk->skipped++;
		return;
	}
	for (size_t i = 0; i < walk->at.slots.bytes / 8; i++)
		if (level + 1 < LEVELS && slots[i])
			walk_node(walk, slots[i], level + 1);
		else if (level + 1 == LEVELS && allocated[i / 8] >> i % 8 & 1)
			add_object(walk, slots[i]);
}

/*
 * Objects carry no type. When just one struct of the scheduler is as large as they are (in words), that is taken to be it;
 * the reason says so.
 */
static char *guess_payload(struct walk *walk)
{
	const struct btf *btf = ktstr_types_btf(walk->types);
	uint64_t bytes = walk->elem_size - walk->at.payload.offset;
	size_t count = 0;

	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);

		if (!btf_is_struct(type) || !name || !*name || (type->size + UINT64_C(7)) / 8 * 8 != bytes)
			continue;
		walk->payload_type = count++ ? 0 : id;
	}
	if (walk->payload_type)
		return ktstr_xasprintf("the only struct of %llu bytes in the scheduler's types",
				       (unsigned long long)bytes);
	return ktstr_xasprintf("%zu structs of the scheduler have %llu bytes", count, (unsigned long long)bytes);
}

/* The header of an object is in it, and something behind that. */
static bool fits(const struct layout *at, uint64_t elem_size)
{
	return elem_size <= OBJECT_BYTES_MAX && at->payload.offset < elem_size &&
	       at->idx.offset + UINT64_C(4) <= elem_size && at->genn.offset + UINT64_C(4) <= elem_size;
}

static json_t *allocations(const struct variable *variable, const struct ktstr_arena *arena, struct spent *spent)
{
	struct walk walk = { .types = variable->section->types, .arena = *arena, .spent = spent };
	_cleanup_free_ char *reason = NULL;
	uint64_t root;
	json_t *json;

	if (!find_layout(walk.types, &walk.at) || !u64_of(variable, walk.at.root, &root) || !root ||
	    !u64_of(variable, walk.at.elem_size, &walk.elem_size) || !fits(&walk.at, walk.elem_size))
		return NULL; /* not used yet, or nonsense */
	reason = guess_payload(&walk);
	walk.entries = json_array();
	walk_node(&walk, root, 0);
	json = json_pack("{so so so sI ss}", "allocator_name", ktstr_guest_text_to_json(variable->name), "entries",
			 walk.entries, "elem_size", ktstr_json_exact_u64(walk.elem_size), "skipped_subtrees",
			 (json_int_t)walk.skipped, "payload_type_reason", reason);
	if (walk.payload_type)
		json_object_set_new(json, "target_type_id", json_integer(walk.payload_type));
	if (walk.truncated)
		json_object_set_new(json, "truncated", json_true());
	return json;
}

/* The limit's name has changed once. */
static json_t *static_range(const struct variable *variable, const struct ktstr_arena *arena, struct spent *spent)
{
	const struct ktstr_types *types = variable->section->types;
	struct ktstr_field limit = ktstr_types_field(types, "scx_static", "max_contig_bytes");
	uint64_t memory, bytes, used;

	(void)arena, (void)spent;
	if (!limit.found)
		limit = ktstr_types_field(types, "scx_static", "max_alloc_bytes");
	if (!u64_of(variable, ktstr_types_field(types, "scx_static", "memory"), &memory) || !memory ||
	    !u64_of(variable, ktstr_types_field(types, "scx_static", "off"), &used) || !u64_of(variable, limit, &bytes))
		return NULL;
	return json_pack("{so so so so}", "name", ktstr_guest_text_to_json(variable->name), "user_addr",
			 ktstr_json_address(memory), "bytes", ktstr_json_exact_u64(bytes), "used_bytes",
			 ktstr_json_exact_u64(used));
}

static const struct kind {
	const char *type, *pointer; /* a variable of that type; what of it points into the arena */
	json_t *(*read)(const struct variable *variable, const struct ktstr_arena *arena, struct spent *spent);
} kinds[] = {
	{ "scx_allocator", "root", allocations },
	{ "scx_static", "memory", static_range },
};

struct search {
	struct ktstr_arena arenas[ARENAS_MAX];
	size_t arenas_count, variables; /* the latter: seen that are allocators */
	struct spent spent;
	struct ktstr_arena_allocators *found;
};

/* The arena that the pointer leads into; the only one when it leads nowhere. */
static const struct ktstr_arena *find_arena(const struct search *search, uint64_t pointer)
{
	for (size_t i = 0; i < search->arenas_count; i++)
		if (pointer - search->arenas[i].user_start < search->arenas[i].bytes)
			return &search->arenas[i];
	return search->arenas_count == 1 ? &search->arenas[0] : NULL;
}

static void read_variable(struct search *search, const struct kind *kind, struct variable *variable, uint32_t offset)
{
	const struct ktstr_bpf_map *section = variable->section;
	uint64_t address = ktstr_bpf_array_element(section, 0), pointer;
	const struct ktstr_arena *arena;
	json_t *json;

	if (search->variables++ >= VARIABLES_MAX || !address || variable->bytes_count > VARIABLE_BYTES_MAX ||
	    (uint64_t)offset + variable->bytes_count > section->value_size ||
	    !ktstr_read(&section->view->space, address + offset, variable->bytes, variable->bytes_count) ||
	    !u64_of(variable, ktstr_types_field(section->types, kind->type, kind->pointer), &pointer))
		return;
	arena = find_arena(search, pointer);
	json = arena ? kind->read(variable, arena, &search->spent) : NULL;
	if (json)
		json_array_append_new(kind->read == allocations ? search->found->allocations : search->found->ranges,
				      json);
}

static const char *name_of(const struct btf *btf, const struct btf_type *type)
{
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	return name ? name : "";
}

/* A section's variables that are allocators. */
static void search_section(struct search *search, const struct ktstr_bpf_map *map)
{
	const struct btf *btf = ktstr_types_btf(map->types);
	const struct btf_type *section = btf__type_by_id(btf, map->value_type_id);
	const struct btf_var_secinfo *infos = section && btf_is_datasec(section) ? btf_var_secinfos(section) : NULL;

	for (uint32_t i = 0; infos && i < btf_vlen(section); i++) {
		const struct btf_type *named = btf__type_by_id(btf, infos[i].type), *type;
		struct variable variable = { .section = map, .name = name_of(btf, named) };

		if (!named || !btf_is_var(named))
			continue;
		type = btf__type_by_id(btf, ktstr_types_peel(map->types, named->type));
		variable.bytes_count = type && btf_is_struct(type) ? type->size : 0;
		for (size_t k = 0; variable.bytes_count && k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (!strcmp(name_of(btf, type), kinds[k].type))
				read_variable(search, &kinds[k], &variable, infos[i].offset);
	}
}

void ktstr_arena_allocators(const struct ktstr_bpf_map *maps, size_t count, struct ktstr_arena_allocators *found)
{
	struct search search = { .found = found };

	*found = (struct ktstr_arena_allocators){ json_array(), json_array(), NULL };
	for (size_t i = 0; i < count && search.arenas_count < ARENAS_MAX; i++)
		search.arenas_count += ktstr_arena_open(&maps[i], &search.arenas[search.arenas_count]);
	for (size_t i = 0; search.arenas_count && i < count; i++)
		if (maps[i].type == BPF_ARRAY && maps[i].types && maps[i].value_type_id)
			search_section(&search, &maps[i]);
	if (json_array_size(found->allocations) || json_array_size(found->ranges))
		return;
	found->unavailable = !search.arenas_count ? "no arena is there" :
			     !search.variables    ? "no variable is a struct scx_allocator or scx_static: the arena's "
						    "allocator is none that is known" :
						    "its allocators have handed out nothing yet, or cannot be read";
}
