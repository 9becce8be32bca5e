// SPDX-License-Identifier: GPL-2.0-only
/* Declared machines to JSON and back. */
#include <stdlib.h>

#include "base/str.h"
#include "topology/axes.h"
#include "topology/json.h"

static json_t *opt_to_json(struct ktstr_opt_u64 value)
{
	return value.set ? json_integer((json_int_t)value.value) : json_null();
}

static json_t *cache_to_json(const struct ktstr_mem_side_cache *cache)
{
	if (!cache)
		return json_null();
	return json_pack("{sI si si si}", "size_bytes", (json_int_t)cache->size_bytes, "associativity",
			 (int)cache->associativity, "write_policy", (int)cache->write_policy, "line_size_bytes",
			 (int)cache->line_size_bytes);
}

static json_t *node_to_json(const struct ktstr_numa_node *node)
{
	return json_pack("{si si so so so}", "llcs", (int)node->llcs, "memory_mib", (int)node->memory_mib, "latency_ns",
			 opt_to_json(node->latency_ns), "bandwidth_mbs", opt_to_json(node->bandwidth_mbs), "cache",
			 cache_to_json(node->cache));
}

static json_t *nodes_to_json(const struct ktstr_topology *topology)
{
	json_t *nodes;

	if (!topology->nodes)
		return json_null();
	nodes = json_array();
	for (size_t i = 0; i < topology->nodes_count; i++)
		json_array_append_new(nodes, node_to_json(&topology->nodes[i]));
	return nodes;
}

static json_t *distances_to_json(const struct ktstr_numa_distance *distances)
{
	json_t *cells;

	if (!distances)
		return json_null();
	cells = json_array();
	for (unsigned int i = 0; i < distances->n * distances->n; i++)
		json_array_append_new(cells, json_integer(distances->cells[i]));
	return cells;
}

json_t *ktstr_topology_to_json(const struct ktstr_topology *topology)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	return json_pack("{ss so so}", "shape", ktstr_topology_format(topology, shape), "nodes", nodes_to_json(topology),
			 "distances", distances_to_json(topology->distances));
}

/* Out of range is 0, which no count of a machine may be. */
static unsigned int read_uint(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value < 0 || value > UINT32_MAX ? 0 : (unsigned int)value;
}

static struct ktstr_opt_u64 read_opt(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return (struct ktstr_opt_u64){ json_is_integer(value), (uint64_t)json_integer_value(value) };
}

static struct ktstr_mem_side_cache *read_cache(const json_t *json)
{
	struct ktstr_mem_side_cache *cache;

	if (!json_is_object(json))
		return NULL;
	cache = ktstr_xcalloc(1, sizeof(*cache));
	*cache = (struct ktstr_mem_side_cache){
		.size_bytes = (uint64_t)json_integer_value(json_object_get(json, "size_bytes")),
		.associativity = read_uint(json, "associativity"),
		.write_policy = read_uint(json, "write_policy"),
		.line_size_bytes = read_uint(json, "line_size_bytes"),
	};
	return cache;
}

static void read_nodes(const json_t *json, struct ktstr_topology *topology)
{
	size_t count = json_array_size(json);
	struct ktstr_numa_node *nodes;

	if (!count)
		return;
	nodes = ktstr_xcalloc(count, sizeof(*nodes));
	for (size_t i = 0; i < count; i++) {
		const json_t *node = json_array_get(json, i);

		nodes[i] = (struct ktstr_numa_node){
			.llcs = read_uint(node, "llcs"),
			.memory_mib = read_uint(node, "memory_mib"),
			.latency_ns = read_opt(node, "latency_ns"),
			.bandwidth_mbs = read_opt(node, "bandwidth_mbs"),
			.cache = read_cache(json_object_get(node, "cache")),
		};
	}
	topology->nodes = nodes;
	topology->nodes_count = count;
}

static struct ktstr_error *read_distances(const json_t *json, struct ktstr_topology *topology)
{
	size_t count = json_array_size(json), n = topology->numa_nodes;
	struct ktstr_numa_distance *distances;
	uint8_t *cells;

	if (!json_is_array(json))
		return NULL;
	if (count != n * n)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%zu distances between %zu NUMA nodes; %zu belong there", count, n,
				       n * n);
	cells = ktstr_xcalloc(count, sizeof(*cells));
	distances = ktstr_xcalloc(1, sizeof(*distances));
	*distances = (struct ktstr_numa_distance){ topology->numa_nodes, cells };
	topology->distances = distances;
	for (size_t i = 0; i < count; i++) {
		json_int_t cell = json_integer_value(json_array_get(json, i));

		cells[i] = cell < 0 || cell > UINT8_MAX ? 0 : (uint8_t)cell;
	}
	return NULL;
}

struct ktstr_error *ktstr_topology_from_json(const json_t *json, struct ktstr_topology *topology)
{
	const char *shape = json_string_value(json_object_get(json, "shape"));

	*topology = (struct ktstr_topology){ 0 };
	if (!shape)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a topology without shape");
	/* Counts first: whether they fit together depends on the nodes. */
	KTSTR_TRY_WRAP(ktstr_topology_parse_axes(shape, topology), "topology \"%s\"", shape);
	read_nodes(json_object_get(json, "nodes"), topology);
	KTSTR_TRY(read_distances(json_object_get(json, "distances"), topology));
	return ktstr_topology_validate(topology);
}

void ktstr_topology_deinit(struct ktstr_topology *topology)
{
	for (size_t i = 0; i < topology->nodes_count; i++)
		free((void *)topology->nodes[i].cache);
	free((void *)topology->nodes);
	if (topology->distances)
		free((void *)topology->distances->cells);
	free((void *)topology->distances);
	*topology = (struct ktstr_topology){ 0 };
}
