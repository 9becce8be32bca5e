// SPDX-License-Identifier: GPL-2.0-only
/* A dump as a whole: maps by name, global variables, which copy of them is the active scheduler's. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "snapshot/store.h"

/* Maps of an object's sections are called "<object><suffix>". */
static const char *const section_suffixes[] = { ".bss", ".data", ".rodata" };

enum { SECTIONS = sizeof(section_suffixes) / sizeof(section_suffixes[0]) };

/* Length of the object's name when the map is one of its sections, else 0. */
static size_t object_length(const char *map_name, int *section)
{
	for (int i = 0; i < SECTIONS; i++) {
		if (!ktstr_str_ends_with(map_name, section_suffixes[i]))
			continue;
		*section = i;
		return strlen(map_name) - strlen(section_suffixes[i]);
	}
	return 0;
}

static bool is_of_object(const char *map_name, const char *object)
{
	size_t length = strlen(object);

	/* The kernel keeps 15 characters: a long object's section may be cut to its dot. */
	return !strncmp(map_name, object, length) && map_name[length] == '.';
}

static bool is_listed(const struct ktstr_failure_dump *dump, uint64_t kva)
{
	for (size_t i = 0; i < dump->active_map_kvas_count; i++)
		if (dump->active_map_kvas[i] == kva)
			return true;
	return !dump->active_map_kvas_count;
}

/* Does the snapshot's filter let the map through? */
static bool is_seen(const struct ktstr_snapshot *snapshot, const struct ktstr_failure_dump_map *map)
{
	return !snapshot->active_obj ||
	       (is_of_object(map->name, snapshot->active_obj) && is_listed(snapshot->dump, map->map_kva));
}

static const struct ktstr_snapshot_error *fail(const struct ktstr_snapshot *snapshot, struct ktstr_snapshot_error error)
{
	return ktstr_snapshot_fail(snapshot->store, &error);
}

struct ktstr_snapshot ktstr_snapshot_open(const struct ktstr_failure_dump *dump)
{
	struct ktstr_snapshot snapshot = { .dump = dump, .store = ktstr_snapshot_store_create() };

	if (dump->is_placeholder)
		snapshot.error = fail(&snapshot, (struct ktstr_snapshot_error){
							 .kind = KTSTR_SNAPSHOT_PLACEHOLDER_SNAPSHOT,
							 .reason = dump->scx_walker_unavailable ? dump->scx_walker_unavailable :
												  "no reason is given" });
	return snapshot;
}

void ktstr_snapshot_close(struct ktstr_snapshot *snapshot)
{
	ktstr_snapshot_store_destroy(snapshot->store);
	memset(snapshot, 0, sizeof(*snapshot));
}

struct ktstr_snapshot_map ktstr_snapshot_map(const struct ktstr_snapshot *snapshot, const char *name)
{
	struct ktstr_snapshot_map found = { .store = snapshot->store, .error = snapshot->error };
	_cleanup_free_ char **names = NULL;
	size_t count = 0;

	if (found.error)
		return found;
	names = ktstr_xcalloc(snapshot->dump->maps_count + 1, sizeof(*names));
	for (size_t i = 0; i < snapshot->dump->maps_count; i++) {
		const struct ktstr_failure_dump_map *map = &snapshot->dump->maps[i];

		if (!is_seen(snapshot, map))
			continue;
		if (!strcmp(map->name, name)) {
			found.raw = map;
			return found;
		}
		names[count++] = map->name;
	}
	found.error = fail(snapshot, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_MAP_NOT_FOUND,
								   .requested = (char *)name, .names = names,
								   .names_count = count });
	return found;
}

/* Calls visit() for the value of each section map that is seen. */
static void each_section(const struct ktstr_snapshot *snapshot,
			 void (*visit)(void *context, const struct ktstr_failure_dump_map *map,
				       const struct ktstr_rendered_value *value),
			 void *context)
{
	int section;

	for (size_t i = 0; !snapshot->error && i < snapshot->dump->maps_count; i++) {
		const struct ktstr_failure_dump_map *map = &snapshot->dump->maps[i];
		const struct ktstr_rendered_value *value = ktstr_rendered_peel(map->value);

		if (value && object_length(map->name, &section) && is_seen(snapshot, map))
			visit(context, map, value);
	}
}

/* The copies of a variable and the maps they are in; else all names that there are. */
struct search {
	const char *name;
	struct ktstr_snapshot_field *fields;
	char **maps;
	size_t count;
	char **names;
	size_t names_count;
	struct ktstr_snapshot_store *store;
};

static void search_deinit(struct search *search)
{
	free(search->fields);
	free(search->maps);
	free(search->names);
}

static void search_section(void *context, const struct ktstr_failure_dump_map *map, const struct ktstr_rendered_value *value)
{
	struct search *search = context;

	for (size_t i = 0; i < value->members_count; i++) {
		const struct ktstr_rendered_member *member = &value->members[i];

		if (strcmp(member->name, search->name)) {
			search->names = ktstr_xrealloc(search->names, (search->names_count + 1) * sizeof(char *));
			search->names[search->names_count++] = member->name;
			continue;
		}
		search->fields = ktstr_xrealloc(search->fields, (search->count + 1) * sizeof(*search->fields));
		search->maps = ktstr_xrealloc(search->maps, (search->count + 1) * sizeof(*search->maps));
		search->fields[search->count] = ktstr_snapshot_value(search->store, member->value);
		search->maps[search->count++] = map->name;
	}
}

static struct search search_for(const struct ktstr_snapshot *snapshot, const char *name)
{
	struct search search = { .name = name, .store = snapshot->store };

	each_section(snapshot, search_section, &search);
	return search;
}

/* Nothing was found: because of the filter, or at all. */
static const struct ktstr_snapshot_error *not_found(const struct ktstr_snapshot *snapshot, const struct search *search)
{
	struct ktstr_snapshot all = { .dump = snapshot->dump, .store = snapshot->store };
	struct search others = snapshot->active_obj ? search_for(&all, search->name) : (struct search){ 0 };
	const struct ktstr_snapshot_error *error;

	if (others.count)
		error = fail(snapshot, (struct ktstr_snapshot_error){
					       .kind = KTSTR_SNAPSHOT_ACTIVE_FILTER_EXCLUDED_MAPS,
					       .requested = (char *)search->name, .active_obj = (char *)snapshot->active_obj,
					       .names = others.maps, .names_count = others.count,
					       .kvas = snapshot->dump->active_map_kvas,
					       .kvas_count = snapshot->dump->active_map_kvas_count });
	else
		error = fail(snapshot, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_VAR_NOT_FOUND,
								      .requested = (char *)search->name,
								      .names = search->names,
								      .names_count = search->names_count });
	search_deinit(&others);
	return error;
}

static struct ktstr_snapshot_field the_one(const struct ktstr_snapshot *snapshot, const char *name)
{
	struct search search = search_for(snapshot, name);
	struct ktstr_snapshot_field field;

	if (search.count == 1)
		field = search.fields[0];
	else if (!search.count)
		field = ktstr_snapshot_missing(snapshot->store, not_found(snapshot, &search));
	else
		field = ktstr_snapshot_missing(
			snapshot->store,
			fail(snapshot, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_AMBIGUOUS_VAR,
								      .requested = (char *)name, .names = search.maps,
								      .names_count = search.count }));
	search_deinit(&search);
	return field;
}

struct ktstr_snapshot_field ktstr_snapshot_var(const struct ktstr_snapshot *snapshot, const char *name)
{
	struct ktstr_snapshot_field field = ktstr_snapshot_missing(snapshot->store, snapshot->error), live;
	struct ktstr_snapshot active;

	if (snapshot->error)
		return field;
	field = the_one(snapshot, name);
	if (!field.error || field.error->kind != KTSTR_SNAPSHOT_AMBIGUOUS_VAR || snapshot->active_obj)
		return field;
	active = ktstr_snapshot_active(snapshot);
	live = active.error ? field : the_one(&active, name);
	return live.error ? field : live;
}

struct ktstr_snapshot_field *ktstr_snapshot_vars(const struct ktstr_snapshot *snapshot, const char *name, size_t *count)
{
	struct search search = search_for(snapshot, name);

	*count = search.count;
	free(search.maps);
	free(search.names);
	return search.fields;
}

/* The object that the section maps belong to, when there is but one; else why not. */
static const char *only_object(const struct ktstr_failure_dump *dump, char *object, size_t room)
{
	unsigned int copies[SECTIONS] = { 0 };
	size_t length = 0;
	int section;

	for (size_t i = 0; i < dump->maps_count; i++) {
		const char *name = dump->maps[i].name;
		size_t found = object_length(name, &section);

		if (!found || found >= room)
			continue;
		if (length && (found != length || strncmp(name, object, length)))
			return "the dump names none, and maps of several objects are there";
		if (++copies[section] > 1)
			return "the dump names none, and several copies of its maps are there";
		length = found;
		memcpy(object, name, length);
		object[length] = '\0';
	}
	return length ? NULL : "the dump names none, and no map of global variables is there";
}

struct ktstr_snapshot ktstr_snapshot_active(const struct ktstr_snapshot *snapshot)
{
	struct ktstr_snapshot active = *snapshot;
	char object[32];
	const char *reason;

	if (active.error || active.active_obj)
		return active;
	if (active.dump->active_obj_name) {
		active.active_obj = active.dump->active_obj_name;
		return active;
	}
	reason = only_object(active.dump, object, sizeof(object));
	/* Only one object's maps are there: nothing needs filtering. */
	if (reason)
		active.error = fail(snapshot, (struct ktstr_snapshot_error){ .kind = KTSTR_SNAPSHOT_NO_ACTIVE_SCHEDULER,
									     .reason = (char *)reason });
	return active;
}

struct ktstr_snapshot_field ktstr_snapshot_live_var(const struct ktstr_snapshot *snapshot, const char *name)
{
	struct ktstr_snapshot active = ktstr_snapshot_active(snapshot);

	return ktstr_snapshot_var(&active, name);
}

#define DEFINE_BY_KEY(NAME, LIST, STRUCT, KEY_TYPE, KEY)                                                               \
	const struct STRUCT *ktstr_snapshot_##NAME(const struct ktstr_snapshot *snapshot, KEY_TYPE key)                \
	{                                                                                                              \
		for (size_t i = 0; snapshot->dump && i < snapshot->dump->LIST##_count; i++)                            \
			if (snapshot->dump->LIST[i].KEY == key)                                                        \
				return &snapshot->dump->LIST[i];                                                       \
		return NULL;                                                                                           \
	}

DEFINE_BY_KEY(per_cpu_time_at, per_cpu_time, ktstr_per_cpu_time_stats, uint32_t, cpu)
DEFINE_BY_KEY(per_node_numa_at, per_node_numa, ktstr_per_node_numa_stats, uint32_t, node)
DEFINE_BY_KEY(task_enrichment_by_pid, task_enrichments, ktstr_task_enrichment, int64_t, pid)

const struct ktstr_cgroup_psi *ktstr_snapshot_cgroup_psi_of(const struct ktstr_snapshot *snapshot, const char *cgroup)
{
	for (size_t i = 0; snapshot->dump && i < snapshot->dump->cgroup_psi_count; i++)
		if (!strcmp(snapshot->dump->cgroup_psi[i].cgroup, cgroup))
			return &snapshot->dump->cgroup_psi[i];
	return NULL;
}

const struct ktstr_prog_runtime_stats *ktstr_snapshot_prog_runtime_stats_by_name(const struct ktstr_snapshot *snapshot,
										 const char *name)
{
	for (size_t i = 0; snapshot->dump && i < snapshot->dump->prog_runtime_stats_count; i++)
		if (!strcmp(snapshot->dump->prog_runtime_stats[i].name, name))
			return &snapshot->dump->prog_runtime_stats[i];
	return NULL;
}
