// SPDX-License-Identifier: GPL-2.0-only
/* Variables of the sections of a BPF object: BTF calls a section DATASEC, which lists variables by offset. */
#include <bpf/btf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/map_field.h"

enum { MAP_ARRAY = 2, MAP_PERCPU_ARRAY = 6 };

/* Offset of the variable that the path begins with, its type, and the rest of the path. */
static bool find_variable(const struct btf *btf, const struct btf_type *section, const char **path, uint32_t *offset,
			  uint32_t *type_id)
{
	const struct btf_var_secinfo *info = btf_var_secinfos(section);
	size_t length = strcspn(*path, ".[");

	for (uint32_t i = 0; i < btf_vlen(section); i++) {
		const struct btf_type *variable = btf__type_by_id(btf, info[i].type);
		const char *name = variable ? btf__name_by_offset(btf, variable->name_off) : NULL;

		if (!name || strlen(name) != length || memcmp(name, *path, length))
			continue;
		*offset = info[i].offset;
		*type_id = variable->type;
		*path += length;
		return true;
	}
	return false;
}

/* "[3].x" of an array variable: the element. */
static bool take_index(const struct ktstr_types *types, const char **path, uint32_t *offset, uint32_t *type_id)
{
	const struct btf *btf = ktstr_types_btf(types);
	const struct btf_type *type = btf__type_by_id(btf, ktstr_types_peel(types, *type_id));
	unsigned long index;
	int64_t bytes;
	char *end;

	if (**path != '[')
		return true;
	index = strtoul(*path + 1, &end, 10);
	if (!type || !btf_is_array(type) || index >= btf_array(type)->nelems || *end != ']')
		return false;
	*type_id = btf_array(type)->type;
	bytes = btf__resolve_size(btf, *type_id);
	*offset += bytes > 0 ? (uint32_t)((int64_t)index * bytes) : 0;
	*path = end + 1;
	return bytes > 0;
}

static bool find_in_value(const struct ktstr_bpf_map *map, const char *path, uint32_t *offset, uint32_t *bytes)
{
	const struct btf *btf = map->types ? ktstr_types_btf(map->types) : NULL;
	const struct btf_type *type = btf ? btf__type_by_id(btf, map->value_type_id) : NULL;
	uint32_t type_id = map->value_type_id, at = 0;
	struct ktstr_field field;

	if (type && btf_is_datasec(type) &&
	    (!find_variable(btf, type, &path, &at, &type_id) || !take_index(map->types, &path, &at, &type_id)))
		return false;
	if (!type)
		return false;
	field = ktstr_types_field_of(map->types, type_id, *path == '.' ? path + 1 : path);
	*offset = at + field.offset;
	*bytes = field.bytes;
	return field.found && (uint64_t)*offset + *bytes <= map->value_size;
}

static bool fits(uint32_t bytes)
{
	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

static uint64_t value_address(const struct ktstr_bpf_map *map, bool *per_cpu)
{
	struct ktstr_object array = ktstr_object(map->view, "bpf_array", map->address);
	uint64_t percpu = 0;

	*per_cpu = map->type == MAP_PERCPU_ARRAY;
	if (!*per_cpu)
		return map->type == MAP_ARRAY ? ktstr_bpf_array_element(map, 0) : 0;
	ktstr_read_uint(&map->view->space, ktstr_member_address(&array, "pptrs"), 8, &percpu);
	return percpu;
}

struct ktstr_error *ktstr_map_field_find(const struct ktstr_bpf_maps *maps, const char *map_suffix, const char *path,
					 struct ktstr_map_field *field)
{
	size_t count, matching = 0;
	const struct ktstr_bpf_map *all = ktstr_bpf_maps_all(maps, &count);
	uint32_t offset, bytes;
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		struct ktstr_map_field candidate;
		uint64_t address;

		if (!ktstr_str_ends_with(all[i].name, map_suffix))
			continue;
		address = value_address(&all[i], &candidate.per_cpu);
		matching++;
		if (!address || !find_in_value(&all[i], path, &offset, &bytes) || !fits(bytes))
			continue;
		memcpy(candidate.map_name, all[i].name, sizeof(candidate.map_name));
		candidate.address = address + offset;
		candidate.bytes = bytes;
		*field = candidate; /* ids ascend: the last is the newest */
		found = true;
	}
	if (found)
		return NULL;
	if (!matching)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no BPF map's name ends with \"%s\" (%zu maps are loaded)",
				       map_suffix, count);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "no array map \"*%s\" has \"%s\" of 1, 2, 4 or 8 bytes (%zu maps of such a name)", map_suffix,
			       path, matching);
}
