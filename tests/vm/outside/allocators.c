// SPDX-License-Identifier: GPL-2.0-only
/*
 * An arena as a scheduler with scx's BPF library leaves it: variables in a section, a tree of objects, and damage. The
 * structures are those of that library (lib/sdt_task_defs.h, tools/sched_ext/scx_sdt.h of the kernel); here they are
 * written by hand through the arena's mapping.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "guest.h"

enum { PAGES = 16, SLOTS = 512, ARENA = 33 /* BPF_MAP_TYPE_ARENA */ };

struct chunk {
	uint64_t slots[SLOTS];
};

struct desc {
	uint64_t allocated[SLOTS / 64], nr_free, chunk;
};

struct object {
	uint32_t idx, genn;
	uint64_t pid, runs, last;
};

struct allocator {
	uint64_t slab, elem_size, max_elems, idx; /* the pool */
	uint64_t root;
};

struct fixed {
	uint64_t max_contig_bytes, memory, off, lim_memusage, cur_memusage;
};

/* The section. */
struct section {
	struct allocator tasks, unused;
	struct fixed fixed;
};

static int u32, u64;

/* A structure of nothing but words; its id. */
static int add_words(struct btf *btf, const char *name, const char *const *members, size_t count)
{
	int id = btf__add_struct(btf, name, (uint32_t)count * 8);

	for (size_t i = 0; i < count; i++)
		btf__add_field(btf, members[i], u64, (uint32_t)i * 64, 0);
	return id;
}

#define WORDS(btf, name, ...)                                      \
	add_words(btf, name, (const char *const[]){ __VA_ARGS__ }, \
		  sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void add_chunk(struct btf *btf, int pointer)
{
	int index = btf__add_array(btf, u32, pointer, SLOTS);
	int either = btf__add_union(btf, NULL, sizeof(struct chunk));

	btf__add_field(btf, "descs", index, 0, 0);
	btf__add_field(btf, "data", index, 0, 0);
	btf__add_struct(btf, "sdt_chunk", sizeof(struct chunk));
	btf__add_field(btf, NULL, either, 0, 0);
}

static void add_desc(struct btf *btf, int pointer)
{
	int bitmap = btf__add_array(btf, u32, u64, SLOTS / 64);

	btf__add_struct(btf, "sdt_desc", sizeof(struct desc));
	btf__add_field(btf, "allocated", bitmap, 0, 0);
	btf__add_field(btf, "nr_free", u64, 512, 0);
	btf__add_field(btf, "chunk", pointer, 576, 0);
}

static void add_data(struct btf *btf)
{
	int none = btf__add_array(btf, u32, u64, 0), halves = btf__add_struct(btf, NULL, 8), id;

	btf__add_field(btf, "idx", u32, 0, 0);
	btf__add_field(btf, "genn", u32, 32, 0);
	id = btf__add_union(btf, "sdt_id", 8);
	btf__add_field(btf, "val", u64, 0, 0);
	btf__add_field(btf, NULL, halves, 0, 0);
	btf__add_struct(btf, "sdt_data", 8);
	btf__add_field(btf, "tid", id, 0, 0);
	btf__add_field(btf, "payload", none, 64, 0);
}

/* The id of the section. */
static uint32_t add_types(struct btf *btf)
{
	int pointer, pool, allocator, fixed, tasks, unused, pieces, section;

	u32 = btf__add_int(btf, "u32", 4, 0);
	u64 = btf__add_int(btf, "u64", 8, 0);
	pointer = btf__add_ptr(btf, 0);
	add_chunk(btf, pointer);
	add_desc(btf, pointer);
	add_data(btf);
	WORDS(btf, "task_ctx", "pid", "runs", "last");
	fixed = WORDS(btf, "scx_static", "max_contig_bytes", "memory", "off", "lim_memusage", "cur_memusage");
	pool = WORDS(btf, "sdt_pool", "slab", "elem_size", "max_elems", "idx");
	allocator = btf__add_struct(btf, "scx_allocator", sizeof(struct allocator));
	btf__add_field(btf, "pool", pool, 0, 0);
	btf__add_field(btf, "root", pointer, 256, 0);
	tasks = btf__add_var(btf, "tasks", BTF_VAR_GLOBAL_ALLOCATED, allocator);
	unused = btf__add_var(btf, "unused", BTF_VAR_GLOBAL_ALLOCATED, allocator);
	pieces = btf__add_var(btf, "pieces", BTF_VAR_GLOBAL_ALLOCATED, fixed);
	section = btf__add_datasec(btf, ".bss", sizeof(struct section));
	btf__add_datasec_var_info(btf, tasks, offsetof(struct section, tasks), sizeof(struct allocator));
	btf__add_datasec_var_info(btf, unused, offsetof(struct section, unused), sizeof(struct allocator));
	btf__add_datasec_var_info(btf, pieces, offsetof(struct section, fixed), sizeof(struct fixed));
	return (uint32_t)section;
}

static uint64_t address(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

static struct desc *add_node(char *memory, int number)
{
	struct desc *desc = (struct desc *)(memory + 4096) + number;

	desc->chunk = address(memory + (2 + number) * 4096);
	return desc;
}

static uint64_t *slots_of(struct desc *desc)
{
	return ((struct chunk *)(uintptr_t)desc->chunk)->slots;
}

/*
 * root[0] -> middle; middle[1] -> leaf, [2] -> nowhere, [3] -> root again. In the leaf: 3 is an object, 4 is said to be one and
 * lies where no page is, 5 has been freed.
 */
static void fill(char *memory, struct section *section)
{
	struct desc *root = add_node(memory, 0), *middle = add_node(memory, 1), *leaf = add_node(memory, 2);
	struct object *objects = (struct object *)(memory + 6 * 4096);

	slots_of(root)[0] = address(middle);
	slots_of(middle)[1] = address(leaf);
	slots_of(middle)[2] = address(memory + 13 * 4096);
	slots_of(middle)[3] = address(root);
	leaf->allocated[0] = 1 << 3 | 1 << 4;
	slots_of(leaf)[3] = address(&objects[0]);
	slots_of(leaf)[4] = address(memory + 14 * 4096);
	slots_of(leaf)[5] = address(&objects[1]);
	objects[0] = (struct object){ SLOTS + 3, 7, 4711, 12, UINT64_C(1) << 40 };
	objects[1] = (struct object){ SLOTS + 5, 8, 815, 1, 1 };
	section->tasks = (struct allocator){ .elem_size = sizeof(struct object), .root = address(root) };
	section->fixed = (struct fixed){ .max_contig_bytes = 8192, .memory = address(memory + 8 * 4096), .off = 96 };
}

void outside_fill_allocators(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, of_arena, .map_flags = BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_map_create_opts, of_section);
	struct btf *btf = btf__new_empty(); /* the kernel keeps it as long as we do */
	struct section values = { 0 };
	uint32_t section = add_types(btf), key = 0;
	int arena = outside_must(bpf_map_create((enum bpf_map_type)ARENA, "f_objects", 0, 0, PAGES, &of_arena),
				 "f_objects");
	char *memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, arena, 0);
	int map;

	outside_must(memory == MAP_FAILED ? -1 : 0, "mapping f_objects");
	outside_must(btf__load_into_kernel(btf), "BTF of allocators");
	fill(memory, &values);
	of_section.btf_fd = (uint32_t)btf__fd(btf);
	of_section.btf_value_type_id = section;
	map = outside_must(bpf_map_create(BPF_MAP_TYPE_ARRAY, "f_alloc.bss", 4, sizeof(values), 1, &of_section),
			   "f_alloc.bss");
	outside_must(bpf_map_update_elem(map, &key, &values, BPF_ANY), "f_alloc.bss");
}
