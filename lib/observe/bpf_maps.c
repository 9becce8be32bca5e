// SPDX-License-Identifier: GPL-2.0-only
/* Finding BPF maps: map_idr, their headers, and the BTF that describes what is in them. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/bpf_maps.h"
#include "observe/xarray.h"

enum {
	IDR_SLOTS_MAX = 128 * 1024,
	MAPS_MAX = 4096,
	BTFS_MAX = 256,
	BTF_BYTES_MAX = 64 << 20, /* of all together; that of a scheduler has some 100 KiB, that of a kernel 6 MiB */
};

/* BTF of programs is shared by their maps: parsed once. */
struct guest_btf {
	uint64_t address;
	struct ktstr_types *types; /* NULL = it could not be parsed */
};

struct ktstr_bpf_maps {
	const struct ktstr_kernel_view *view;
	struct ktstr_bpf_map *all;
	size_t count;
	struct guest_btf btfs[BTFS_MAX];
	size_t btfs_count;
	uint64_t btf_bytes; /* parsed */
};

static struct ktstr_types *parse_btf(struct ktstr_bpf_maps *maps, uint64_t address)
{
	const struct ktstr_kernel_view *view = maps->view;
	struct ktstr_object btf = ktstr_object(view, "btf", address);
	uint64_t data = ktstr_get_or_zero(&btf, "data"), size = ktstr_get_or_zero(&btf, "data_size");
	_cleanup_free_ void *bytes = NULL;
	struct ktstr_types *types = NULL;
	struct ktstr_error *error;

	if (!size || size > BTF_BYTES_MAX - maps->btf_bytes)
		return NULL;
	maps->btf_bytes += size;
	bytes = ktstr_xmalloc(size);
	if (!ktstr_read(&view->space, data, bytes, size))
		return NULL;
	error = ktstr_types_parse(bytes, (uint32_t)size, ktstr_get_or_zero(&btf, "base_btf") ? view->types : NULL,
				  &types);
	ktstr_error_free(error); /* no types: values are shown as bytes */
	return types;
}

static const struct ktstr_types *btf_of(struct ktstr_bpf_maps *maps, uint64_t address)
{
	struct ktstr_object btf = ktstr_object(maps->view, "btf", address);
	char name[16];

	if (!address)
		return NULL;
	if (ktstr_get_or_zero(&btf, "kernel_btf") && ktstr_get_text(&btf, "name", name, sizeof(name)) &&
	    !strcmp(name, "vmlinux"))
		return maps->view->types;
	for (size_t i = 0; i < maps->btfs_count; i++)
		if (maps->btfs[i].address == address)
			return maps->btfs[i].types;
	if (maps->btfs_count == BTFS_MAX)
		return NULL;
	maps->btfs[maps->btfs_count++] = (struct guest_btf){ address, parse_btf(maps, address) };
	return maps->btfs[maps->btfs_count - 1].types;
}

static bool add_map(void *context, uint64_t id, uint64_t address)
{
	struct ktstr_bpf_maps *maps = context;
	struct ktstr_object object = ktstr_object(maps->view, "bpf_map", address);
	struct ktstr_bpf_map map = { .view = maps->view, .address = address, .id = (uint32_t)id };
	uint64_t type;

	if (!ktstr_get(&object, "map_type", &type))
		return true;
	map.type = (uint32_t)type;
	map.flags = (uint32_t)ktstr_get_or_zero(&object, "map_flags");
	map.key_size = (uint32_t)ktstr_get_or_zero(&object, "key_size");
	map.value_size = (uint32_t)ktstr_get_or_zero(&object, "value_size");
	map.max_entries = (uint32_t)ktstr_get_or_zero(&object, "max_entries");
	map.key_type_id = (uint32_t)ktstr_get_or_zero(&object, "btf_key_type_id");
	map.value_type_id = (uint32_t)ktstr_get_or_zero(&object, "btf_value_type_id");
	map.types = btf_of(maps, ktstr_get_or_zero(&object, "btf"));
	ktstr_get_text(&object, "name", map.name, sizeof(map.name));
	/* The wrapper of a struct_ops value is a type of the kernel or of a module of it, which the map knows apart. */
	if (ktstr_get_or_zero(&object, "btf_vmlinux_value_type_id")) {
		struct ktstr_object ops = ktstr_object(maps->view, "bpf_struct_ops_map", address);

		map.types = ktstr_has(&ops, "btf") ? btf_of(maps, ktstr_get_or_zero(&ops, "btf")) : maps->view->types;
		map.value_type_id = (uint32_t)ktstr_get_or_zero(&object, "btf_vmlinux_value_type_id");
	}
	maps->all = ktstr_xrealloc(maps->all, (maps->count + 1) * sizeof(*maps->all));
	maps->all[maps->count++] = map;
	return maps->count < MAPS_MAX;
}

struct ktstr_bpf_maps *ktstr_bpf_maps_find(const struct ktstr_kernel_view *view)
{
	struct ktstr_bpf_maps *maps = ktstr_xcalloc(1, sizeof(*maps));
	struct ktstr_object idr = ktstr_object(view, "idr", ktstr_view_symbol(view, "map_idr"));

	maps->view = view;
	ktstr_walk_xarray(view, ktstr_member_address(&idr, "idr_rt"), IDR_SLOTS_MAX, add_map, maps);
	return maps;
}

void ktstr_bpf_maps_destroy(struct ktstr_bpf_maps *maps)
{
	if (!maps)
		return;
	for (size_t i = 0; i < maps->btfs_count; i++)
		ktstr_types_destroy(maps->btfs[i].types);
	free(maps->all);
	free(maps);
}

const struct ktstr_bpf_map *ktstr_bpf_maps_all(const struct ktstr_bpf_maps *maps, size_t *count)
{
	*count = maps->count;
	return maps->all;
}
