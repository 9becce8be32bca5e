// SPDX-License-Identifier: GPL-2.0-only
/* Dumps from JSON and to JSON, whatever their schema. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "dump/shape.h"

static const struct {
	const struct ktstr_shape *shape;
	size_t offset; /* of the pointer in struct ktstr_failure_dump_any */
} schemas[] = {
	[KTSTR_DUMP_SINGLE] = { &ktstr_single_shape, offsetof(struct ktstr_failure_dump_any, single) },
	[KTSTR_DUMP_DUAL] = { &ktstr_dual_shape, offsetof(struct ktstr_failure_dump_any, dual) },
	[KTSTR_DUMP_DEGRADED] = { &ktstr_degraded_shape, offsetof(struct ktstr_failure_dump_any, degraded) },
};

enum { SCHEMAS = sizeof(schemas) / sizeof(schemas[0]) };

static void **slot_of(const struct ktstr_failure_dump_any *dump)
{
	return (void **)((char *)dump + schemas[dump->schema].offset);
}

static struct ktstr_error *from_json(const json_t *json, struct ktstr_failure_dump_any *dump)
{
	const char *schema = json_string_value(json_object_get(json, "schema"));
	const struct ktstr_shape *shape;
	struct ktstr_error *error;

	for (int i = 0; i < SCHEMAS; i++) {
		shape = schemas[i].shape;
		if (!schema || strcmp(schema, shape->schema))
			continue;
		dump->schema = (enum ktstr_failure_dump_schema)i;
		*slot_of(dump) = ktstr_xcalloc(1, shape->bytes);
		error = ktstr_shape_from_json(shape, json, *slot_of(dump));
		if (error)
			ktstr_failure_dump_deinit(dump);
		return error;
	}
	if (json_object_get(json, "test_name"))
		return ktstr_error_new(KTSTR_ERR_INVALID, "this is a result, no dump: `ktstr runs show` shows it");
	return ktstr_error_new(KTSTR_ERR_CORRUPT,
			       "no dump: it has %s \"schema\" (single, dual and degraded are known)",
			       schema ? "an unknown" : "no");
}

struct ktstr_error *ktstr_failure_dump_parse(const char *json, size_t length, struct ktstr_failure_dump_any *dump)
{
	json_error_t problem;
	json_t *tree = json_loadb(json, length, 0, &problem);
	struct ktstr_error *error;

	memset(dump, 0, sizeof(*dump));
	if (!tree)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "not JSON: line %d, column %d: %s", problem.line, problem.column,
				       problem.text);
	error = from_json(tree, dump);
	json_decref(tree);
	return error;
}

struct ktstr_error *ktstr_failure_dump_load(const char *path, struct ktstr_failure_dump_any *dump)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	memset(dump, 0, sizeof(*dump));
	KTSTR_TRY(ktstr_read_file(path, &text, &length));
	KTSTR_TRY_WRAP(ktstr_failure_dump_parse(text, length, dump), "%s", path);
	return NULL;
}

char *ktstr_failure_dump_to_json(const struct ktstr_failure_dump_any *dump)
{
	json_t *json = ktstr_shape_to_json(schemas[dump->schema].shape, *slot_of(dump));
	char *text = json_dumps(json, JSON_INDENT(1));

	json_decref(json);
	return text ? text : ktstr_xstrdup("");
}

void ktstr_failure_dump_deinit(struct ktstr_failure_dump_any *dump)
{
	void *held = *slot_of(dump);

	if (held)
		ktstr_shape_deinit(schemas[dump->schema].shape, held);
	free(held);
	memset(dump, 0, sizeof(*dump));
}

void ktstr_failure_dump_free(struct ktstr_failure_dump *dump)
{
	if (dump)
		ktstr_shape_deinit(&ktstr_single_shape, dump);
	free(dump);
}

struct ktstr_failure_dump *ktstr_failure_dump_placeholder(const char *reason)
{
	struct ktstr_failure_dump *dump = ktstr_xcalloc(1, sizeof(*dump));
	char **const reasons[] = { &dump->sdt_alloc_unavailable, &dump->prog_runtime_stats_unavailable,
				   &dump->per_node_numa_unavailable, &dump->cgroup_psi_unavailable,
				   &dump->task_enrichments_unavailable, &dump->scx_walker_unavailable };

	dump->is_placeholder = true;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		*reasons[i] = ktstr_xstrdup(reason);
	return dump;
}
