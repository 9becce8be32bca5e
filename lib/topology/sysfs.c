// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the topology of a running kernel from sysfs. Only cpu/online must be there; whatever else
 * is missing falls back to a plain value with a warning, so that odd machines can still be tested
 * on.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "topology/test_topology.h"

KTSTR_DEFINE_CLEANUP(struct ktstr_test_topology *, cleanup_topology, ktstr_test_topology_destroy)

/* What one CPU's directory tells. */
struct cpu_place {
	unsigned int llc, node;
	struct ktstr_opt_u64 llc_kib;
};

struct reader {
	const char *root; /* "/sys" */
	struct ktstr_test_topology *topology;
	struct cpu_place places[KTSTR_MAX_CPUS];
	/* CPUs for which something was missing: one warning for all of them. */
	struct ktstr_cpus no_cache, no_node, no_siblings;
};

/* A line of a file below <root>/devices/system, NULL when it is not there. */
static char *read_text(const struct reader *reader, const char *fmt, ...) KTSTR_PRINTF(2, 3);

static char *read_text(const struct reader *reader, const char *fmt, ...)
{
	struct ktstr_str path = { 0 };
	va_list args;
	char *text;

	ktstr_str_addf(&path, "%s/devices/system/", reader->root);
	va_start(args, fmt);
	ktstr_str_vaddf(&path, fmt, args);
	va_end(args);
	text = ktstr_read_line(path.data);
	ktstr_str_deinit(&path);
	return text;
}

static bool parse_number(const char *text, unsigned int *value)
{
	char *end;
	unsigned long number;

	if (!text || *text < '0' || *text > '9')
		return false;
	number = strtoul(text, &end, 10);
	if (*end || number > 0x7fffffff)
		return false;
	*value = number;
	return true;
}

/* Parses a list and keeps only CPUs that are online. False when there is none. */
static bool parse_online(const struct reader *reader, const char *text, struct ktstr_cpus *cpus)
{
	_cleanup_error_ struct ktstr_error *error = NULL;

	if (!text)
		return false;
	error = ktstr_cpus_parse(text, cpus);
	if (error)
		return false;
	*cpus = ktstr_cpus_and(cpus, &reader->topology->all);
	return ktstr_cpus_count(cpus) > 0;
}

static void warn_cpus(const struct ktstr_cpus *cpus, const char *missing, const char *instead)
{
	_cleanup_free_ char *list = ktstr_cpus_to_text(cpus);

	if (*list)
		fprintf(stderr, "ktstr: warning: sysfs has no %s for CPUs %s: %s\n", missing, list,
			instead);
}

static struct ktstr_error *read_online(struct reader *reader)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/devices/system/cpu/online", reader->root);
	_cleanup_free_ char *text = NULL;

	KTSTR_TRY_WRAP(ktstr_read_file(path, &text, NULL), "cannot tell which CPUs are online");
	text[strcspn(text, "\n")] = '\0';
	KTSTR_TRY_WRAP(ktstr_cpus_parse(text, &reader->topology->all), "%s", path);
	if (!ktstr_cpus_count(&reader->topology->all))
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s lists no CPUs; is sysfs mounted there? It should read like 0-3", path);
	return NULL;
}

/* Index of the highest-level cache directory of a CPU, -1 when it has none. */
static int highest_cache(const struct reader *reader, int cpu)
{
	unsigned int highest = 0;
	int best = -1;

	for (int i = 0;; i++) {
		_cleanup_free_ char *text =
			read_text(reader, "cpu/cpu%d/cache/index%d/level", cpu, i);
		unsigned int level;

		if (!text)
			return best;
		if (parse_number(text, &level) && level > highest) {
			highest = level;
			best = i;
		}
	}
}

/* "16384K" as the kernel prints it. */
static struct ktstr_opt_u64 parse_size_kib(const char *text)
{
	char *end;
	unsigned long long size = text ? strtoull(text, &end, 10) : 0;

	if (!size || strcmp(end, "K"))
		return (struct ktstr_opt_u64)KTSTR_NONE;
	return (struct ktstr_opt_u64)KTSTR_SOME(size);
}

static void read_cache(struct reader *reader, int cpu)
{
	struct cpu_place *place = &reader->places[cpu];
	int index = highest_cache(reader, cpu);
	_cleanup_free_ char *id = read_text(reader, "cpu/cpu%d/cache/index%d/id", cpu, index);
	_cleanup_free_ char *size = read_text(reader, "cpu/cpu%d/cache/index%d/size", cpu, index);
	_cleanup_free_ char *shared =
		read_text(reader, "cpu/cpu%d/cache/index%d/shared_cpu_list", cpu, index);
	struct ktstr_cpus cpus;

	place->llc_kib = parse_size_kib(size);
	if (parse_number(id, &place->llc))
		return;
	if (parse_online(reader, shared, &cpus))
		place->llc = ktstr_cpus_next(&cpus, 0);
	else
		ktstr_cpus_add(&reader->no_cache, cpu);
}

/* CPUs of the same LLC with the same core_id. False without a core_id. */
static bool siblings_by_core_id(const struct reader *reader, int cpu, struct ktstr_cpus *siblings)
{
	_cleanup_free_ char *own = read_text(reader, "cpu/cpu%d/topology/core_id", cpu);

	if (!own)
		return false;
	ktstr_for_each_cpu (other, &reader->topology->all) {
		_cleanup_free_ char *id = read_text(reader, "cpu/cpu%d/topology/core_id", other);

		if (id && !strcmp(id, own) && reader->places[other].llc == reader->places[cpu].llc)
			ktstr_cpus_add(siblings, other);
	}
	return true;
}

static struct ktstr_cpus read_siblings(struct reader *reader, int cpu)
{
	_cleanup_free_ char *list =
		read_text(reader, "cpu/cpu%d/topology/thread_siblings_list", cpu);
	struct ktstr_cpus siblings = { 0 };

	if (parse_online(reader, list, &siblings) && ktstr_cpus_has(&siblings, cpu))
		return siblings;
	siblings = (struct ktstr_cpus){ 0 };
	if (!siblings_by_core_id(reader, cpu, &siblings)) {
		ktstr_cpus_add(&reader->no_siblings, cpu);
		ktstr_cpus_add(&siblings, cpu);
	}
	return siblings;
}

/* Every CPU ends up in exactly one core, the one of its lowest sibling. */
static void read_cores(struct reader *reader)
{
	struct ktstr_test_topology *topology = reader->topology;
	struct ktstr_cpus left = topology->all;

	topology->cores = ktstr_xcalloc(ktstr_cpus_count(&left), sizeof(*topology->cores));
	ktstr_for_each_cpu (cpu, &topology->all) {
		struct ktstr_cpus siblings;

		if (!ktstr_cpus_has(&left, cpu))
			continue;
		siblings = read_siblings(reader, cpu);
		siblings = ktstr_cpus_and(&siblings, &left);
		left = ktstr_cpus_minus(&left, &siblings);
		topology->cores[topology->cores_count++] = siblings;
	}
}

static struct ktstr_llc_info *find_or_add_llc(struct ktstr_test_topology *topology, unsigned int id)
{
	for (size_t i = 0; i < topology->llcs_count; i++)
		if (topology->llcs[i].id == id)
			return &topology->llcs[i];
	topology->llcs[topology->llcs_count].id = id;
	return &topology->llcs[topology->llcs_count++];
}

static int compare_llcs(const void *a, const void *b)
{
	const struct ktstr_llc_info *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

static void build_llcs(struct reader *reader)
{
	struct ktstr_test_topology *topology = reader->topology;

	topology->llcs = ktstr_xcalloc(ktstr_cpus_count(&topology->all), sizeof(*topology->llcs));
	ktstr_for_each_cpu (cpu, &topology->all) {
		const struct cpu_place *place = &reader->places[cpu];
		struct ktstr_llc_info *llc = find_or_add_llc(topology, place->llc);

		if (!ktstr_cpus_count(&llc->cpus)) {
			llc->numa_node = place->node;
			llc->cache_size_kib = place->llc_kib;
		}
		ktstr_cpus_add(&llc->cpus, cpu);
	}
	qsort(topology->llcs, topology->llcs_count, sizeof(*topology->llcs), compare_llcs);
	for (size_t i = 0; i < topology->cores_count; i++) {
		unsigned int first = ktstr_cpus_next(&topology->cores[i], 0);

		find_or_add_llc(topology, reader->places[first].llc)->num_cores++;
	}
}

static void add_node(struct ktstr_test_topology *topology, unsigned int id)
{
	size_t count = topology->nodes_count, at = 0;

	topology->node_ids =
		ktstr_xrealloc(topology->node_ids, (count + 1) * sizeof(*topology->node_ids));
	topology->nodes = ktstr_xrealloc(topology->nodes, (count + 1) * sizeof(*topology->nodes));
	while (at < count && topology->node_ids[at] < id)
		at++;
	memmove(&topology->node_ids[at + 1], &topology->node_ids[at],
		(count - at) * sizeof(*topology->node_ids));
	memmove(&topology->nodes[at + 1], &topology->nodes[at],
		(count - at) * sizeof(*topology->nodes));
	topology->node_ids[at] = id;
	topology->nodes[at] = (struct ktstr_test_node){ 0 };
	topology->nodes_count++;
}

static void list_nodes(struct reader *reader)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/devices/system/node", reader->root);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int id;

	while (dir && (entry = readdir(dir)))
		if (ktstr_str_starts_with(entry->d_name, "node") &&
		    parse_number(entry->d_name + strlen("node"), &id))
			add_node(reader->topology, id);
}

/* "Node 0 MemTotal:  470040 kB" */
static bool find_kib(const char *meminfo, const char *key, uint64_t *kib)
{
	const char *at = strstr(meminfo, key);
	unsigned long long value;

	if (!at || sscanf(at + strlen(key), " %llu", &value) != 1)
		return false;
	*kib = value;
	return true;
}

static void read_node(struct reader *reader, size_t index)
{
	struct ktstr_test_node *node = &reader->topology->nodes[index];
	unsigned int id = reader->topology->node_ids[index];
	_cleanup_free_ char *list = read_text(reader, "node/node%u/cpulist", id);
	_cleanup_free_ char *meminfo = read_text(reader, "node/node%u/meminfo", id);

	if (!parse_online(reader, list, &node->cpus))
		node->cpus = (struct ktstr_cpus){ 0 };
	node->has_memory = meminfo && find_kib(meminfo, "MemTotal:", &node->memory.total_kib) &&
			   find_kib(meminfo, "MemFree:", &node->memory.free_kib);
	ktstr_for_each_cpu (cpu, &node->cpus)
		reader->places[cpu].node = id;
}

static void read_nodes(struct reader *reader)
{
	struct ktstr_test_topology *topology = reader->topology;

	list_nodes(reader);
	reader->no_node = topology->all;
	for (size_t i = 0; i < topology->nodes_count; i++) {
		read_node(reader, i);
		reader->no_node = ktstr_cpus_minus(&reader->no_node, &topology->nodes[i].cpus);
	}
	if (!ktstr_cpus_count(&reader->no_node))
		return;
	if (!topology->nodes_count || topology->node_ids[0] != 0)
		add_node(topology, 0);
	topology->nodes[0].cpus = ktstr_cpus_or(&topology->nodes[0].cpus, &reader->no_node);
}

/* One row of n distances. False when it does not read "10 20 ...". */
static bool parse_distances(char *text, uint8_t *row, size_t n)
{
	char *save = NULL;
	size_t count = 0;
	unsigned int value;

	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (count == n || !parse_number(word, &value) || value < 10 || value > 255)
			return false;
		row[count++] = value;
	}
	return count == n;
}

static void default_distances(struct ktstr_test_topology *topology)
{
	size_t n = topology->nodes_count;

	for (size_t i = 0; i < n * n; i++)
		topology->distances[i] = i / n == i % n ? 10 : 20;
}

static void read_distances(struct reader *reader)
{
	struct ktstr_test_topology *topology = reader->topology;
	size_t n = topology->nodes_count;

	topology->distances = ktstr_xcalloc(n * n, 1);
	for (size_t i = 0; i < n; i++) {
		unsigned int id = topology->node_ids[i];
		_cleanup_free_ char *row = read_text(reader, "node/node%u/distance", id);

		if (row && parse_distances(row, &topology->distances[i * n], n))
			continue;
		/* A kernel without NUMA has one node and nothing to say about it. */
		if (n > 1)
			fprintf(stderr,
				"ktstr: warning: node%u/distance in sysfs is missing or not %zu "
				"distances: taking 10 local, 20 remote for all nodes\n",
				id, n);
		default_distances(topology);
		return;
	}
}

struct ktstr_error *ktstr_test_topology_from_system(const char *sysfs_root,
						    struct ktstr_test_topology **out)
{
	_cleanup_(cleanup_topology) struct ktstr_test_topology *topology =
		ktstr_xcalloc(1, sizeof(*topology));
	_cleanup_free_ struct reader *reader = ktstr_xcalloc(1, sizeof(*reader));

	reader->root = sysfs_root ? sysfs_root : "/sys";
	reader->topology = topology;
	KTSTR_TRY(read_online(reader));
	ktstr_for_each_cpu (cpu, &topology->all)
		read_cache(reader, cpu);
	read_nodes(reader);
	read_cores(reader);
	build_llcs(reader);
	read_distances(reader);
	warn_cpus(&reader->no_cache, "cache information", "counting them to LLC 0");
	warn_cpus(&reader->no_node, "NUMA node", "counting them to node 0");
	warn_cpus(&reader->no_siblings, "SMT siblings", "taking each for a core of its own");
	*out = ktstr_take(topology);
	return NULL;
}
