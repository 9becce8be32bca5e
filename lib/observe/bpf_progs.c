// SPDX-License-Identifier: GPL-2.0-only
/* Walks prog_idr. */
#include <stdlib.h>

#include "base/str.h"
#include "observe/bpf_progs.h"
#include "observe/render.h"
#include "observe/xarray.h"

enum { IDR_SLOTS_MAX = 128 * 1024, PROGS_MAX = 8192 };

struct prog_list {
	const struct ktstr_kernel_view *view;
	struct ktstr_bpf_prog *all;
	size_t count;
};

void ktstr_bpf_prog_read_stats(const struct ktstr_kernel_view *view, struct ktstr_bpf_prog *prog)
{
	struct ktstr_object object = ktstr_object(view, "bpf_prog", prog->address);
	uint64_t percpu = ktstr_get_or_zero(&object, "stats");

	prog->cnt = prog->nsecs = prog->misses = 0;
	for (unsigned int cpu = 0; percpu && cpu < view->cpus; cpu++) {
		struct ktstr_object stats =
			ktstr_object(view, "bpf_prog_stats", ktstr_view_per_cpu(view, percpu, cpu));

		prog->cnt += ktstr_get_or_zero(&stats, "cnt");
		prog->nsecs += ktstr_get_or_zero(&stats, "nsecs");
		prog->misses += ktstr_get_or_zero(&stats, "misses");
	}
}

static void add_used_maps(const struct ktstr_object *aux, struct ktstr_bpf_prog *prog)
{
	uint64_t array = ktstr_get_or_zero(aux, "used_maps"), count = ktstr_get_or_zero(aux, "used_map_cnt");

	for (uint64_t i = 0; array && i < count && i < KTSTR_PROG_MAPS_MAX; i++)
		if (ktstr_read_uint(&aux->view->space, array + 8 * i, 8, &prog->maps[prog->maps_count]))
			prog->maps_count++;
}

static bool add_prog(void *context, uint64_t id, uint64_t address)
{
	struct prog_list *list = context;
	struct ktstr_object object = ktstr_object(list->view, "bpf_prog", address);
	struct ktstr_object aux = ktstr_follow(&object, "aux", "bpf_prog_aux");
	struct ktstr_bpf_prog prog = { .address = address, .type = (uint32_t)ktstr_get_or_zero(&object, "type") };

	(void)id;
	if (!aux.address)
		return true;
	ktstr_get_text(&aux, "name", prog.name, sizeof(prog.name));
	prog.verified_insns = ktstr_get_or_zero(&aux, "verified_insns");
	ktstr_bpf_prog_read_stats(list->view, &prog);
	add_used_maps(&aux, &prog);
	list->all = ktstr_xrealloc(list->all, (list->count + 1) * sizeof(*list->all));
	list->all[list->count++] = prog;
	return list->count < PROGS_MAX;
}

struct ktstr_bpf_prog *ktstr_bpf_progs(const struct ktstr_kernel_view *view, size_t *count)
{
	struct prog_list list = { .view = view };
	struct ktstr_object idr = ktstr_object(view, "idr", ktstr_view_symbol(view, "prog_idr"));

	ktstr_walk_xarray(view, ktstr_member_address(&idr, "idr_rt"), IDR_SLOTS_MAX, add_prog, &list);
	*count = list.count;
	return list.all;
}

json_t *ktstr_prog_runtime_stats(const struct ktstr_bpf_prog *progs, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *json;

		if (progs[i].type != KTSTR_BPF_PROG_STRUCT_OPS)
			continue;
		json = json_pack("{ss so so so so}", "name", progs[i].name, "cnt", ktstr_json_exact_u64(progs[i].cnt), "nsecs",
				 ktstr_json_exact_u64(progs[i].nsecs), "misses", ktstr_json_exact_u64(progs[i].misses),
				 "verified_insns", ktstr_json_exact_u64(progs[i].verified_insns));
		if (json)
			json_array_append_new(array, json);
	}
	return array;
}
