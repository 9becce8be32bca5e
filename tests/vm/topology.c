// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proof that a guest has the machine which was asked for: its own sysfs, raw and as libktstr reads it, against
 * the declaration. A test per shape.
 */
#include <ktstr.h>

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shape {
	unsigned int nodes, llcs, cores, threads;
};

static void __attribute__((format(printf, 3, 4))) read_file(char *text, size_t size, const char *fmt, ...)
{
	char path[512];
	va_list args;
	FILE *file;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	file = fopen(path, "re");
	if (!file || !fgets(text, (int)size, file))
		snprintf(text, size, "(no file)");
	text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void expect_text(struct ktstr_ctx *ctx, const char *what, unsigned int index, const char *seen,
			struct ktstr_cpus expected)
{
	char *text = ktstr_cpus_to_text(&expected);

	if (strcmp(seen, text))
		ktstr_fail(ctx, "%s of %u is \"%s\", declared is \"%s\"", what, index, seen, text);
	free(text);
}

static void expect_count(struct ktstr_ctx *ctx, const char *what, unsigned int seen, unsigned int expected)
{
	if (seen != expected)
		ktstr_fail(ctx, "%u %s, declared are %u", seen, what, expected);
}

/* The cache directory of the last level: an LLC is what shares it. */
static void read_llc_list(unsigned int cpu, char *text, size_t size)
{
	for (int index = 0; index < 8; index++) {
		char level[16];

		read_file(level, sizeof(level), "/sys/devices/system/cpu/cpu%u/cache/index%d/level", cpu, index);
		if (strcmp(level, "3"))
			continue;
		read_file(text, size, "/sys/devices/system/cpu/cpu%u/cache/index%d/shared_cpu_list", cpu, index);
		return;
	}
	snprintf(text, size, "(no level 3 cache)");
}

static unsigned int online_nodes(void)
{
	DIR *dir = opendir("/sys/devices/system/node");
	unsigned int count = 0, id;

	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		count += sscanf(entry->d_name, "node%u", &id) == 1;
	if (dir)
		closedir(dir);
	return count;
}

static void check_raw_sysfs(struct ktstr_ctx *ctx, const struct shape *shape)
{
	unsigned int per_llc = shape->cores * shape->threads;
	unsigned int cpus = shape->llcs * per_llc;
	char text[200];

	read_file(text, sizeof(text), "/sys/devices/system/cpu/online");
	expect_text(ctx, "cpu/online", 0, text, ktstr_cpus_range(0, cpus));
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		read_llc_list(cpu, text, sizeof(text));
		expect_text(ctx, "L3 shared_cpu_list", cpu, text,
			    ktstr_cpus_range(cpu / per_llc * per_llc, per_llc));
		read_file(text, sizeof(text), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
		expect_text(ctx, "thread_siblings_list", cpu, text,
			    ktstr_cpus_range(cpu / shape->threads * shape->threads, shape->threads));
	}
	expect_count(ctx, "NUMA nodes in sysfs", online_nodes(), shape->nodes);
	for (unsigned int node = 0; node < shape->nodes; node++) {
		read_file(text, sizeof(text), "/sys/devices/system/node/node%u/cpulist", node);
		expect_text(ctx, "node cpulist", node, text,
			    ktstr_cpus_range(node * (cpus / shape->nodes), cpus / shape->nodes));
	}
}

static void expect_cpus(struct ktstr_ctx *ctx, const char *what, unsigned int index, struct ktstr_cpus seen,
			struct ktstr_cpus expected)
{
	char *text = ktstr_cpus_to_text(&seen);

	expect_text(ctx, what, index, text, expected);
	free(text);
}

static void check_read_topology(struct ktstr_ctx *ctx, const struct shape *shape)
{
	unsigned int per_llc = shape->cores * shape->threads;
	unsigned int cpus = shape->llcs * per_llc;
	size_t llcs;
	const struct ktstr_llc_info *llc = ktstr_test_topology_llcs(ctx->topo, &llcs);

	expect_count(ctx, "CPUs", ktstr_test_topology_total_cpus(ctx->topo), cpus);
	expect_count(ctx, "LLCs", ktstr_test_topology_num_llcs(ctx->topo), shape->llcs);
	expect_count(ctx, "NUMA nodes", ktstr_test_topology_num_numa_nodes(ctx->topo), shape->nodes);
	for (unsigned int i = 0; i < llcs; i++) {
		expect_cpus(ctx, "LLC", i, ktstr_test_topology_cpus_in_llc(ctx->topo, i),
			    ktstr_cpus_range(i * per_llc, per_llc));
		expect_count(ctx, "cores in an LLC", llc[i].num_cores, shape->cores);
		expect_count(ctx, "is the node of an LLC", llc[i].numa_node, i / (shape->llcs / shape->nodes));
	}
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		expect_cpus(ctx, "siblings", cpu, ktstr_test_topology_siblings(ctx->topo, cpu),
			    ktstr_cpus_range(cpu / shape->threads * shape->threads, shape->threads));
	for (unsigned int node = 0; node < shape->nodes; node++) {
		expect_cpus(ctx, "node", node, ktstr_test_topology_cpus_in_node(ctx->topo, node),
			    ktstr_cpus_range(node * (cpus / shape->nodes), cpus / shape->nodes));
		expect_count(ctx, "is the distance to itself",
			     ktstr_test_topology_numa_distance(ctx->topo, node, node), 10);
		if (node)
			expect_count(ctx, "is the distance to node 0",
				     ktstr_test_topology_numa_distance(ctx->topo, node, 0), 20);
	}
}

static void check(struct ktstr_ctx *ctx, struct shape shape)
{
	check_raw_sysfs(ctx, &shape);
	check_read_topology(ctx, &shape);
}

#define SHAPE(N, L, C, T)                                                                          \
	KTSTR_TEST(shape_##N##n##L##l##C##c##T##t, .description = "the guest has exactly this machine",  \
		   .topology = { .numa_nodes = N, .llcs = L, .cores_per_llc = C, .threads_per_core = T }) \
	{                                                                                          \
		check(ctx, (struct shape){ N, L, C, T });                                          \
	}

SHAPE(1, 1, 2, 1)
SHAPE(1, 2, 2, 1)
SHAPE(1, 2, 2, 2)
SHAPE(2, 4, 2, 1)
SHAPE(1, 3, 3, 1)

/* The ACPI tables of declared nodes, which no shape in letters can say. */
static const struct ktstr_mem_side_cache side_cache = { .size_bytes = 64 << 20, .associativity = 1, .write_policy = 1,
							.line_size_bytes = 64 };
static const struct ktstr_numa_node uneven[] = {
	{ .llcs = 1, .memory_mib = 512, .cache = &side_cache },
	{ .llcs = 2, .memory_mib = 256, .latency_ns = KTSTR_SOME(150) },
};

static void expect_file(struct ktstr_ctx *ctx, const char *path, const char *expected)
{
	char text[64];

	read_file(text, sizeof(text), "%s", path);
	if (strcmp(text, expected))
		ktstr_fail(ctx, "%s is \"%s\", declared is \"%s\"", path, text, expected);
}

KTSTR_TEST(uneven_nodes, .description = "1 and 2 LLCs, 512 and 256 MiB, a memory-side cache, a slower node",
	   .topology = { .numa_nodes = 2, .llcs = 3, .cores_per_llc = 1, .nodes = uneven, .nodes_count = 2 })
{
	expect_file(ctx, "/sys/devices/system/node/node0/cpulist", "0");
	expect_file(ctx, "/sys/devices/system/node/node1/cpulist", "1-2");
	expect_file(ctx, "/sys/devices/system/node/node0/access0/initiators/read_latency", "100");
	expect_file(ctx, "/sys/devices/system/node/node1/access0/initiators/read_latency", "150");
	expect_file(ctx, "/sys/devices/system/node/node0/memory_side_cache/index1/size", "67108864");
	if (ktstr_test_topology_node_meminfo(ctx->topo, 0)->total_kib <=
	    ktstr_test_topology_node_meminfo(ctx->topo, 1)->total_kib)
		ktstr_fail(ctx, "node 0 has no more memory than node 1");
}
