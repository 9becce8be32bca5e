// SPDX-License-Identifier: GPL-2.0-only
/* Everything that reads what a guest made. Results are thrown away: what counts is that each of them ends. */
#include <bpf/btf.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "fuzz.h"
#include "ktstr/dump.h"
#include "observe/arena_allocators.h"
#include "observe/bpf_maps.h"
#include "observe/bpf_progs.h"
#include "observe/cpu_time.h"
#include "observe/psi.h"
#include "observe/render.h"
#include "observe/scx_state.h"
#include "observe/kallsyms.h"
#include "snapshot/select.h"
#include "wire/frame.h"

static void dump_of_scheduler(const struct ktstr_kernel_view *view)
{
	_cleanup_free_ struct ktstr_task_set *tasks = ktstr_xcalloc(1, sizeof(*tasks));
	const char *reason;

	json_decref(ktstr_rq_scx_states(view, tasks));
	json_decref(ktstr_dsq_states(view, tasks));
	json_decref(ktstr_scx_sched_state(view, &reason));
	ktstr_scx_tasks(view, tasks);
	json_decref(ktstr_task_enrichments(view, tasks, 250));
}

static uint8_t which_map;

/* One map of them: all of a real guest's take too long. */
static void dump_of_map(const struct ktstr_kernel_view *view)
{
	struct ktstr_bpf_maps *maps = ktstr_bpf_maps_find(view);
	size_t count;
	const struct ktstr_bpf_map *all = ktstr_bpf_maps_all(maps, &count);

	if (count)
		json_decref(ktstr_bpf_map_to_json(&all[which_map % count]));
	ktstr_bpf_maps_destroy(maps);
}

static void dump_of_all_maps(const struct ktstr_kernel_view *view)
{
	struct ktstr_bpf_maps *maps = ktstr_bpf_maps_find(view);
	size_t count;
	const struct ktstr_bpf_map *all = ktstr_bpf_maps_all(maps, &count);

	for (size_t i = 0; i < count; i++)
		json_decref(ktstr_bpf_map_to_json(&all[i]));
	ktstr_bpf_maps_destroy(maps);
}

static void dump_of_allocators(const struct ktstr_kernel_view *view)
{
	struct ktstr_bpf_maps *maps = ktstr_bpf_maps_find(view);
	struct ktstr_arena_allocators found;
	size_t count;
	const struct ktstr_bpf_map *all = ktstr_bpf_maps_all(maps, &count);

	ktstr_arena_allocators(all, count, &found);
	json_decref(found.allocations);
	json_decref(found.ranges);
	ktstr_bpf_maps_destroy(maps);
}

static void dump_of_machine(const struct ktstr_kernel_view *view)
{
	const char *reason;
	size_t count;
	_cleanup_free_ struct ktstr_bpf_prog *progs = ktstr_bpf_progs(view, &count);

	json_decref(ktstr_prog_runtime_stats(progs, count));
	json_decref(ktstr_per_cpu_time(view));
	json_decref(ktstr_per_node_numa(view, &reason));
}

static void dump_of_cgroups(const struct ktstr_kernel_view *view)
{
	struct ktstr_cgroup_pressures found;

	ktstr_cgroup_pressures(view, "/ktstr", &found);
	ktstr_cgroup_pressures_deinit(&found);
}

/* The names are decoded anew, as far as a patched count allows. */
static void symbols(const struct ktstr_kernel_view *view)
{
	struct ktstr_symbols *symbols = NULL;

	ktstr_error_free(ktstr_kallsyms_read(&view->space, &view->info, &symbols));
	ktstr_symbols_destroy(symbols);
}

static struct walker {
	void (*walk)(const struct ktstr_kernel_view *view);
	void (*walk_all)(const struct ktstr_kernel_view *view); /* NULL = the same */
	struct fuzz_pages pages; /* that it reads */
} walkers[] = {
	{ dump_of_scheduler, NULL, { 0 } },
	{ dump_of_map, dump_of_all_maps, { 0 } },
	{ dump_of_machine, NULL, { 0 } },
	{ dump_of_allocators, NULL, { 0 } },
	{ dump_of_cgroups, NULL, { 0 } },
	{ symbols, NULL, { 0 } },
};
enum { SYMBOLS = sizeof(walkers) / sizeof(walkers[0]) - 1 };

void fuzz_targets_init(struct fuzz_guest *guest)
{
	for (size_t i = 0; guest->view && i < sizeof(walkers) / sizeof(walkers[0]); i++) {
		fuzz_guest_pages_of(guest, walkers[i].walk_all ? walkers[i].walk_all : walkers[i].walk, &walkers[i].pages);
		fprintf(stderr, "fuzz: walker %zu reads %zu pages\n", i, walkers[i].pages.count);
	}
}

/* Symbols take a second each, under the sanitizers: one input in 32. */
static void run_walker(struct fuzz_guest *guest, uint8_t which, const uint8_t *input, size_t length)
{
	const struct walker *walker = &walkers[which == 31 ? SYMBOLS : which % SYMBOLS];

	if (!guest->view || !length)
		return;
	which_map = input[0];
	fuzz_guest_patch(guest, &walker->pages, input + 1, length - 1);
	ktstr_guest_freeze(guest->view->memory, true);
	walker->walk(guest->view);
	ktstr_guest_freeze(guest->view->memory, false);
	fuzz_guest_restore(guest);
}

/* Types and bytes of a guest: the first half is BTF, the second a value of each of its types. */
static void types(const uint8_t *input, size_t length)
{
	size_t half = length / 2;
	struct ktstr_types *types = NULL;
	struct btf *btf;

	ktstr_error_free(ktstr_types_parse(input, (uint32_t)half, NULL, &types));
	if (!types)
		return;
	btf = ktstr_types_btf(types);
	for (uint32_t id = 0; id < btf__type_cnt(btf) && id < 64; id++)
		json_decref(ktstr_render(btf, id, input + half, length - half));
	ktstr_types_field(types, "task_struct", "scx.dsq_list.node");
	ktstr_types_destroy(types);
}

/* BTF by hand, as random bytes are seldom any: one byte a type. */
static void made_types(const uint8_t *input, size_t length)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "u32", 4, 0), last = number;
	size_t count = length < 32 ? length : 32;

	for (size_t i = 0; i < count; i++) {
		int of = input[i] % (last + 1) + 1;

		if (input[i] < 64)
			last = btf__add_array(btf, number, of, input[i] * 1000u);
		else if (input[i] < 128)
			last = btf__add_typedef(btf, "t", of);
		else if (input[i] < 160)
			last = btf__add_ptr(btf, of);
		else if (input[i] < 176)
			last = btf__add_enum(btf, "e", 8);
		else if (input[i] < 192)
			last = btf__add_int(btf, "wide", 16, 0);
		else
			last = btf__add_struct(btf, input[i] % 2 ? "cpumask" : "s", input[i]);
		if (input[i] >= 192) {
			btf__add_field(btf, "a", of, 0, 0);
			btf__add_field(btf, "b", last, input[i] * 8u, 0);
			btf__add_field(btf, "c", number, 16, input[i] % 32);
		}
		if (last < 0)
			break;
	}
	json_decref(ktstr_render(btf, btf__type_cnt(btf) - 1, input, length));
	btf__free(btf);
}

static void vmcoreinfo(const uint8_t *input, size_t length)
{
	struct ktstr_vmcoreinfo info = { ktstr_xstrndup((const char *)input, length) };
	uint64_t address;
	int64_t number;

	ktstr_vmcoreinfo_symbol(&info, "init_top_pgt", &address);
	ktstr_vmcoreinfo_number(&info, "phys_base", &number);
	ktstr_vmcoreinfo_hex(&info, "KERNELOFFSET", &address);
	free(ktstr_vmcoreinfo_string(&info, "OSRELEASE"));
	ktstr_vmcoreinfo_deinit(&info);
}

static void frames(const uint8_t *input, size_t length)
{
	struct ktstr_frame_decoder decoder = { 0 };
	struct ktstr_frame frame;

	while (length) {
		size_t piece = input[0] % 64 + 1;

		piece = piece < length ? piece : length;
		ktstr_frame_decoder_feed(&decoder, input, piece);
		while (ktstr_frame_decoder_next(&decoder, &frame))
			;
		input += piece;
		length -= piece;
	}
	ktstr_frame_decoder_deinit(&decoder);
}

/* A dump file: what it parses to is written, printed and looked into. */
static void dump(const uint8_t *input, size_t length)
{
	struct ktstr_failure_dump_any dump;
	_cleanup_error_ struct ktstr_error *error = ktstr_failure_dump_parse((const char *)input, length, &dump);
	char *text = NULL;

	if (error)
		return;
	free(ktstr_failure_dump_to_json(&dump));
	free(ktstr_failure_dump_to_text(&dump, NULL));
	ktstr_error_free(ktstr_dump_select(&dump, "maps[0].value.a[3]", false, &text));
	free(text);
	ktstr_failure_dump_deinit(&dump);
}

void fuzz_target_run(struct fuzz_guest *guest, const uint8_t *input, size_t length)
{
	uint8_t which = input[0];

	input++;
	length--;
	switch (which % 8) {
	case 0:
		types(input, length);
		break;
	case 1:
		made_types(input, length);
		break;
	case 2:
		vmcoreinfo(input, length);
		break;
	case 3:
		frames(input, length);
		break;
	case 4:
		dump(input, length);
		break;
	default:
		run_walker(guest, which / 8, input, length);
	}
}
