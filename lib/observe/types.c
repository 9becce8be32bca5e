// SPDX-License-Identifier: GPL-2.0-only
/* Member lookup in BTF through libbpf, with an index of struct names and of enums made once. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/types.h"

enum { PEEL_MAX = 32, NESTING_MAX = 32 };

struct named_type {
	const char *name;
	uint32_t id;
};

struct ktstr_types {
	struct btf *btf;
	struct named_type *structs; /* by name */
	size_t structs_count;
	uint32_t *enums; /* ids: few among all types of a kernel */
	size_t enums_count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named_type *)a)->name, ((const struct named_type *)b)->name);
}

/* Arrays have as much room as the next power of two. */
static bool is_full(size_t count)
{
	return !(count & (count - 1));
}

static void add_struct(struct ktstr_types *types, const char *name, uint32_t id)
{
	size_t count = types->structs_count;

	if (is_full(count))
		types->structs = ktstr_xrealloc(types->structs, (count ? 2 * count : 1) * sizeof(*types->structs));
	types->structs[types->structs_count++] = (struct named_type){ name, id };
}

static void add_enum(struct ktstr_types *types, uint32_t id)
{
	size_t count = types->enums_count;

	if (is_full(count))
		types->enums = ktstr_xrealloc(types->enums, (count ? 2 * count : 1) * sizeof(*types->enums));
	types->enums[types->enums_count++] = id;
}

static void index_types(struct ktstr_types *types)
{
	uint32_t count = btf__type_cnt(types->btf);

	for (uint32_t id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(types->btf, id);
		const char *name = btf__name_by_offset(types->btf, type->name_off);

		if (btf_is_composite(type) && name && *name)
			add_struct(types, name, id);
		if (btf_is_any_enum(type))
			add_enum(types, id);
	}
	if (types->structs_count)
		qsort(types->structs, types->structs_count, sizeof(*types->structs), by_name);
}

static struct ktstr_types *wrap(struct btf *btf)
{
	struct ktstr_types *types = ktstr_xcalloc(1, sizeof(*types));

	types->btf = btf;
	index_types(types);
	return types;
}

struct ktstr_error *ktstr_types_load(const char *path, struct ktstr_types **types)
{
	struct btf *btf = btf__parse(path, NULL);

	if (!btf)
		return ktstr_error_sys(errno, "%s has no type information (.BTF, CONFIG_DEBUG_INFO_BTF)", path);
	*types = wrap(btf);
	return NULL;
}

struct ktstr_error *ktstr_types_parse(const void *data, uint32_t bytes, struct ktstr_types *base,
				      struct ktstr_types **types)
{
	struct btf *btf = base ? btf__new_split(data, bytes, base->btf) : btf__new(data, bytes);

	if (!btf)
		return ktstr_error_sys(errno, "%u bytes of BTF cannot be parsed", bytes);
	*types = wrap(btf);
	return NULL;
}

void ktstr_types_destroy(struct ktstr_types *types)
{
	if (!types)
		return;
	btf__free(types->btf);
	free(types->structs);
	free(types->enums);
	free(types);
}

struct btf *ktstr_types_btf(const struct ktstr_types *types)
{
	return types->btf;
}

uint32_t ktstr_types_peel(const struct ktstr_types *types, uint32_t type_id)
{
	for (int i = 0; i < PEEL_MAX; i++) {
		const struct btf_type *type = btf__type_by_id(types->btf, type_id);

		if (!type)
			return 0;
		if (!btf_is_mod(type) && !btf_is_typedef(type))
			return type_id;
		type_id = type->type;
	}
	return 0;
}

/* "name", "name[3]" up to the next '.'; what follows is left in *path. */
struct component {
	const char *name;
	size_t length;
	bool indexed;
	uint32_t index;
};

static struct component next_component(const char **path)
{
	struct component component = { .name = *path, .length = strcspn(*path, ".[") };
	const char *at = *path + component.length;

	if (*at == '[') {
		char *end;

		component.indexed = true;
		component.index = (uint32_t)strtoul(at + 1, &end, 10);
		at = *end == ']' ? end + 1 : end;
	}
	*path = *at == '.' ? at + 1 : at;
	return component;
}

/* The member of that name, looked for in anonymous members, too. offset in bytes from the struct's start. */
static bool find_member(const struct ktstr_types *types, uint32_t struct_id, const struct component *wanted,
			int depth, uint32_t *member_type, uint32_t *offset)
{
	const struct btf_type *type = btf__type_by_id(types->btf, struct_id);

	if (!type || !btf_is_composite(type) || depth > NESTING_MAX)
		return false;
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *name = btf__name_by_offset(types->btf, member->name_off);
		uint32_t bits = btf_member_bit_offset(type, i), inner;

		if (!name || !*name) {
			inner = ktstr_types_peel(types, member->type);
			if (!find_member(types, inner, wanted, depth + 1, member_type, offset))
				continue;
			*offset += bits / 8;
			return true;
		}
		if (strlen(name) != wanted->length || memcmp(name, wanted->name, wanted->length))
			continue;
		if (btf_member_bitfield_size(type, i) || bits % 8)
			return false;
		*member_type = ktstr_types_peel(types, member->type);
		*offset = bits / 8;
		return true;
	}
	return false;
}

/* An element of an array member; false when it is none or has no such element. One of no declared length has any. */
static bool index_array(const struct ktstr_types *types, uint32_t index, struct ktstr_field *field)
{
	const struct btf_type *type = btf__type_by_id(types->btf, field->type_id);
	int64_t size;

	if (!type || !btf_is_array(type) || (btf_array(type)->nelems && index >= btf_array(type)->nelems))
		return false;
	field->type_id = ktstr_types_peel(types, btf_array(type)->type);
	size = btf__resolve_size(types->btf, field->type_id);
	if (size <= 0)
		return false;
	field->offset += index * (uint32_t)size;
	return true;
}

struct ktstr_field ktstr_types_field_of(const struct ktstr_types *types, uint32_t type_id, const char *path)
{
	struct ktstr_field field = { .type_id = ktstr_types_peel(types, type_id) }, none = { 0 };
	int64_t size;

	while (*path) {
		struct component component = next_component(&path);
		uint32_t offset;

		if (!find_member(types, field.type_id, &component, 0, &field.type_id, &offset))
			return none;
		field.offset += offset;
		if (component.indexed && !index_array(types, component.index, &field))
			return none;
	}
	size = btf__resolve_size(types->btf, field.type_id);
	field.bytes = size > 0 ? (uint32_t)size : 0;
	field.found = true;
	return field;
}

/* The first of that name in the index, and how many there are. */
static const struct named_type *find_structs(const struct ktstr_types *types, const char *name, size_t *count)
{
	const struct named_type key = { .name = name };
	const struct named_type *hit =
		types->structs_count ?
			bsearch(&key, types->structs, types->structs_count, sizeof(key), by_name) :
			NULL;
	const struct named_type *first = hit, *end = types->structs + types->structs_count;

	*count = 0;
	if (!hit)
		return NULL;
	while (first > types->structs && !by_name(first - 1, &key))
		first--;
	while (first + *count < end && !by_name(first + *count, &key))
		++*count;
	return first;
}

static uint32_t size_of(const struct ktstr_types *types, uint32_t id)
{
	return btf__type_by_id(types->btf, id)->size;
}

struct ktstr_field ktstr_types_field(const struct ktstr_types *types, const char *struct_name, const char *path)
{
	struct ktstr_field best = { 0 };
	uint32_t best_size = 0;
	size_t count;
	const struct named_type *named = find_structs(types, struct_name, &count);

	for (size_t i = 0; i < count; i++) {
		struct ktstr_field field = ktstr_types_field_of(types, named[i].id, path);

		if (!field.found || size_of(types, named[i].id) < best_size)
			continue;
		best = field;
		best_size = size_of(types, named[i].id);
	}
	return best;
}

uint32_t ktstr_types_pointee_size(const struct ktstr_types *types, uint32_t pointer_type_id)
{
	const struct btf_type *type = btf__type_by_id(types->btf, ktstr_types_peel(types, pointer_type_id));
	int64_t size = type && btf_is_ptr(type) ? btf__resolve_size(types->btf, type->type) : 0;

	return size > 0 ? (uint32_t)size : 0;
}

uint32_t ktstr_types_size(const struct ktstr_types *types, const char *struct_name)
{
	uint32_t size = 0;
	size_t count;
	const struct named_type *named = find_structs(types, struct_name, &count);

	for (size_t i = 0; i < count; i++)
		if (size_of(types, named[i].id) > size)
			size = size_of(types, named[i].id);
	return size;
}

/* The enumerator at i of a 32- or 64-bit enum. */
static const char *enumerator(const struct ktstr_types *types, const struct btf_type *type, uint32_t i, int64_t *value)
{
	if (btf_is_enum64(type)) {
		*value = (int64_t)btf_enum64_value(&btf_enum64(type)[i]);
		return btf__name_by_offset(types->btf, btf_enum64(type)[i].name_off);
	}
	*value = btf_kflag(type) ? btf_enum(type)[i].val : (int64_t)(uint32_t)btf_enum(type)[i].val;
	return btf__name_by_offset(types->btf, btf_enum(type)[i].name_off);
}

bool ktstr_types_enumerator(const struct ktstr_types *types, const char *name, int64_t *value)
{
	for (size_t k = 0; k < types->enums_count; k++) {
		const struct btf_type *type = btf__type_by_id(types->btf, types->enums[k]);

		for (uint32_t i = 0; i < btf_vlen(type); i++) {
			const char *found = enumerator(types, type, i, value);

			if (found && !strcmp(found, name))
				return true;
		}
	}
	return false;
}
