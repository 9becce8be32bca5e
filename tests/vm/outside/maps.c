// SPDX-License-Identifier: GPL-2.0-only
/* A BPF map of every kind, filled with values that compare.c of the host knows. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

enum { CPUS_MAX = 256, BIG = 5000, ARENA_PAGES = 16 };

/* Newer than the headers of Debian 12; enum bpf_map_type. */
enum { CGRP_STORAGE = 32, ARENA = 33 };

/* The value of typed maps; `struct pair` in their BTF. */
struct pair {
	uint32_t a;
	uint32_t zero;
	uint64_t b;
};

static int btf_fd, hold_fd;
static uint32_t type_u32, type_u64, type_pair;

int outside_must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "outside: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return result;
}

static void make_types(void)
{
	struct btf *btf = btf__new_empty();

	type_u32 = (uint32_t)btf__add_int(btf, "u32", 4, 0);
	type_u64 = (uint32_t)btf__add_int(btf, "u64", 8, 0);
	type_pair = (uint32_t)btf__add_struct(btf, "pair", sizeof(struct pair));
	btf__add_field(btf, "a", (int)type_u32, 0, 0);
	btf__add_field(btf, "zero", (int)type_u32, 32, 0);
	btf__add_field(btf, "b", (int)type_u64, 64, 0);
	outside_must(btf__load_into_kernel(btf), "BTF");
	btf_fd = btf__fd(btf); /* the kernel keeps it as long as we keep btf */
}

/* With types, when `values` is one: u32 keys. */
static int make(enum bpf_map_type type, const char *name, uint32_t key, uint32_t value, uint32_t entries, uint32_t values,
		uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);

	if (values) {
		options.btf_fd = (uint32_t)btf_fd;
		options.btf_key_type_id = type_u32;
		options.btf_value_type_id = values;
	}
	return bpf_map_create(type, name, key, value, entries, &options);
}

static int make_pairs(enum bpf_map_type type, const char *name, uint32_t entries, uint32_t flags)
{
	return outside_must(make(type, name, 4, sizeof(struct pair), entries, type_pair, flags), name);
}

static void put(int map, const void *key, const void *value, const char *what)
{
	outside_must(bpf_map_update_elem(map, key, value, BPF_ANY), what);
}

/* Entry k: a = 10 k + 1, b = 2^40 + k. */
static struct pair pair_of(uint32_t k)
{
	return (struct pair){ 10 * k + 1, 0, (UINT64_C(1) << 40) + k };
}

static void fill_pairs(int map, uint32_t count)
{
	for (uint32_t k = 0; k < count; k++) {
		struct pair pair = pair_of(k);

		put(map, &k, &pair, "pairs");
	}
}

/* CPU c of entry k: a = 100 k + c. */
static void fill_per_cpu(int map, uint32_t count)
{
	static struct pair copies[CPUS_MAX];

	for (uint32_t k = 0; k < count; k++) {
		for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++)
			copies[cpu] = (struct pair){ 100 * k + cpu, 0, k };
		put(map, &k, copies, "per-CPU values");
	}
}

static void plain_maps(void)
{
	uint32_t key = 7;
	uint64_t value = 49;

	fill_pairs(make_pairs(BPF_MAP_TYPE_ARRAY, "f_array", 3, 0), 3);
	fill_pairs(make_pairs(BPF_MAP_TYPE_HASH, "f_hash", 8, 0), 3);
	fill_pairs(make_pairs(BPF_MAP_TYPE_LRU_HASH, "f_lru_hash", 64, 0), 3);
	fill_per_cpu(make_pairs(BPF_MAP_TYPE_PERCPU_ARRAY, "f_pc_array", 2, 0), 2);
	fill_per_cpu(make_pairs(BPF_MAP_TYPE_PERCPU_HASH, "f_pc_hash", 8, 0), 2);
	fill_per_cpu(make_pairs(BPF_MAP_TYPE_LRU_PERCPU_HASH, "f_lru_pc_hash", 64, 0), 2);
	/* Beyond what a dump shows, each in its own way; without types. */
	fill_pairs(make_pairs(BPF_MAP_TYPE_ARRAY, "f_big_array", BIG, 0), 1);
	fill_pairs(make_pairs(BPF_MAP_TYPE_HASH, "f_big_hash", BIG, 0), BIG);
	fill_per_cpu(make_pairs(BPF_MAP_TYPE_PERCPU_ARRAY, "f_big_pc", 300, 0), 1);
	put(outside_must(make(BPF_MAP_TYPE_HASH, "f_untyped", 4, 8, 4, 0, BPF_F_NO_PREALLOC), "f_untyped"), &key, &value,
	    "f_untyped");
	hold_fd = outside_must(make(BPF_MAP_TYPE_ARRAY, OUTSIDE_HOLD_MAP, 4, 8, 1, 0, 0), OUTSIDE_HOLD_MAP);
}

static void local_storage(void)
{
	int pidfd = outside_must((int)syscall(SYS_pidfd_open, getpid(), 0), "pidfd");
	int file = outside_must(open("/proc/self/exe", O_RDONLY), "a file");
	int socket_fd = outside_must(socket(AF_INET, SOCK_DGRAM, 0), "a socket");
	int cgroup = outside_must(open("/sys/fs/cgroup", O_RDONLY), "the cgroup");
	const struct {
		enum bpf_map_type type;
		const char *name;
		int owner;
	} kinds[] = {
		{ BPF_MAP_TYPE_TASK_STORAGE, "f_task", pidfd },
		{ BPF_MAP_TYPE_INODE_STORAGE, "f_inode", file },
		{ BPF_MAP_TYPE_SK_STORAGE, "f_sk", socket_fd },
		{ (enum bpf_map_type)CGRP_STORAGE, "f_cgrp", cgroup },
	};

	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int map = make(kinds[i].type, kinds[i].name, 4, sizeof(struct pair), 0, type_pair, BPF_F_NO_PREALLOC);
		struct pair pair = pair_of(i);

		/* Inode storage needs the BPF LSM, which a kernel may have compiled in and not started. */
		if (map < 0 || bpf_map_update_elem(map, &kinds[i].owner, &pair, BPF_NOEXIST))
			printf("unavailable %s %s\n", kinds[i].name, strerror(errno));
	}
}

/* r1 = map, loaded from a descriptor. */
#define LOAD_MAP(fd)                                                                                                   \
	{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = (fd) }, { 0 }
#define MOVE(to, from) { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from) }
#define SET(to, value) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value) }
#define CALL(helper)   { .code = BPF_JMP | BPF_CALL, .imm = (helper) }
#define EXIT	       { .code = BPF_JMP | BPF_EXIT }

/* Loads and runs a program once; its descriptor. */
static int run_program(const char *name, const struct bpf_insn *insns, size_t count)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int fd = outside_must(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, name, "GPL", insns, count, NULL), name);

	outside_must(bpf_prog_test_run_opts(fd, &options), name);
	return fd;
}

/* What only programs can fill: 16 bytes in a ring, and a stack. */
static int maps_of_programs(void)
{
	int ring = outside_must(make(BPF_MAP_TYPE_RINGBUF, "f_ring", 0, 0, 4096, 0, 0), "f_ring");
	int stacks = outside_must(make(BPF_MAP_TYPE_STACK_TRACE, "f_stacks", 4, 8 * 16, 64, 0, 0), "f_stacks");
	const struct bpf_insn to_ring[] = {
		SET(BPF_REG_0, 7),
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0, .off = -8 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0, .off = -16 },
		LOAD_MAP(ring),
		MOVE(BPF_REG_2, BPF_REG_10),
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -16 },
		SET(BPF_REG_3, 16),
		SET(BPF_REG_4, 0),
		CALL(BPF_FUNC_ringbuf_output),
		SET(BPF_REG_0, 0),
		EXIT,
	};
	const struct bpf_insn to_stacks[] = {
		MOVE(BPF_REG_6, BPF_REG_1),
		LOAD_MAP(stacks),
		MOVE(BPF_REG_2, BPF_REG_1),
		MOVE(BPF_REG_1, BPF_REG_6),
		SET(BPF_REG_3, 0),
		CALL(BPF_FUNC_get_stackid),
		SET(BPF_REG_0, 0),
		EXIT,
	};

	run_program("f_to_stacks", to_stacks, sizeof(to_stacks) / sizeof(to_stacks[0]));
	return run_program("f_to_ring", to_ring, sizeof(to_ring) / sizeof(to_ring[0]));
}

static void maps_of_descriptors(int program)
{
	struct perf_event_attr event = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .config = PERF_COUNT_SW_BPF_OUTPUT };
	int perf = outside_must((int)syscall(SYS_perf_event_open, &event, -1, 0, -1, 0), "a perf event");
	int cgroup = outside_must(open("/sys/fs/cgroup", O_RDONLY), "the cgroup");
	int progs = outside_must(make(BPF_MAP_TYPE_PROG_ARRAY, "f_progs", 4, 4, 8, 0, 0), "f_progs");
	int perfs = outside_must(make(BPF_MAP_TYPE_PERF_EVENT_ARRAY, "f_perf", 4, 4, 8, 0, 0), "f_perf");
	int cgroups = outside_must(make(BPF_MAP_TYPE_CGROUP_ARRAY, "f_cgroups", 4, 4, 8, 0, 0), "f_cgroups");
	uint32_t key = 3;

	put(progs, &key, &program, "f_progs");
	key = 5;
	put(progs, &key, &program, "f_progs");
	key = 1;
	put(perfs, &key, &perf, "f_perf");
	put(cgroups, &key, &cgroup, "f_cgroups");
}

static void maps_of_maps(void)
{
	int inner = outside_must(make(BPF_MAP_TYPE_ARRAY, "f_inner", 4, 8, 1, 0, 0), "f_inner");
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t)inner);
	int array = outside_must(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "f_aom", 4, 4, 4, &options), "f_aom");
	int hash = outside_must(bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "f_hom", 4, 4, 4, &options), "f_hom");
	uint32_t key = 2;

	put(array, &key, &inner, "f_aom");
	put(hash, &key, &inner, "f_hom");
}

static void maps_of_devices(void)
{
	uint32_t key = 1, loopback = 1, frames = 16;
	int cpus = make(BPF_MAP_TYPE_CPUMAP, "f_cpumap", 4, 4, 2, 0, 0);
	int devices = make(BPF_MAP_TYPE_DEVMAP, "f_devmap", 4, 4, 4, 0, 0);
	int sockets = make(BPF_MAP_TYPE_SOCKMAP, "f_sockmap", 4, 4, 4, 0, 0), pair[2];

	outside_must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "a socket pair");
	if (cpus < 0 || bpf_map_update_elem(cpus, &key, &frames, 0))
		printf("unavailable f_cpumap %s\n", strerror(errno));
	if (devices < 0 || bpf_map_update_elem(devices, &key, &loopback, 0))
		printf("unavailable f_devmap %s\n", strerror(errno));
	if (sockets < 0 || bpf_map_update_elem(sockets, &key, &pair[0], 0))
		printf("unavailable f_sockmap %s\n", strerror(errno));
}

/* Pages of an arena come to be when they are written. */
static void arena(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	size_t bytes = ARENA_PAGES * 4096;
	int map = outside_must(bpf_map_create((enum bpf_map_type)ARENA, "f_arena", 0, 0, ARENA_PAGES, &options), "f_arena");
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	outside_must(memory == MAP_FAILED ? -1 : 0, "mapping f_arena");
	memset(memory + 2 * 4096, 0xa5, 4096);
	memory[5 * 4096] = 0x5a;
	printf("note arena %llx\n", (unsigned long long)(uintptr_t)memory);
}

/* Kinds that dumps do not read, and say so. */
static void unread_maps(void)
{
	uint64_t value = 1;
	struct {
		uint32_t prefix;
		uint32_t address;
	} network = { 8, htonl(0x0a000000) };

	put(outside_must(make(BPF_MAP_TYPE_QUEUE, "f_queue", 0, 8, 4, 0, 0), "f_queue"), NULL, &value, "f_queue");
	put(outside_must(make(BPF_MAP_TYPE_STACK, "f_stack", 0, 8, 4, 0, 0), "f_stack"), NULL, &value, "f_stack");
	put(outside_must(make(BPF_MAP_TYPE_BLOOM_FILTER, "f_bloom", 0, 8, 4, 0, 0), "f_bloom"), NULL, &value, "f_bloom");
	put(outside_must(make(BPF_MAP_TYPE_LPM_TRIE, "f_lpm", 8, 8, 4, 0, BPF_F_NO_PREALLOC), "f_lpm"), &network, &value,
	    "f_lpm");
}

void outside_fill_maps(void)
{
	make_types();
	plain_maps();
	local_storage();
	maps_of_descriptors(maps_of_programs());
	maps_of_maps();
	maps_of_devices();
	arena();
	outside_fill_allocators();
	unread_maps();
}

void outside_hold(void)
{
	uint32_t key = 0;
	uint64_t value = 0;

	while (!bpf_map_lookup_elem(hold_fd, &key, &value) && !value)
		usleep(50 * 1000);
}
