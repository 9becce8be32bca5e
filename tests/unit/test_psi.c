// SPDX-License-Identifier: GPL-2.0-only
/* Pressure of cgroups in a kernel made up here, IRQ time included, which no kernel of Debian has; and one that lies. */
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "observe/kallsyms.h"
#include "observe/psi.h"
#include "guest_ram.h"
#include "unit.h"

enum {
	RAM_BYTES = 8 << 20,
	KALLSYMS = 0x10000, /* count, token table, token index, offsets, names: a page each */
	ROOT = 0x20000, /* struct cgroup_root */
	CLOCK = 0x30000, /* sched_clock_irqtime */
	OBJECTS = 0x100000, /* a cgroup with all that belongs to it every OBJECT_BYTES */
	OBJECT_BYTES = 1024,
};

/* Members of the made-up structures; offsets within an object's 1024 bytes. */
enum { CGROUP_IN_ROOT = 64, SIBLING = 16, CHILDREN = 32, FLAGS = 48, KN = 64, PSI = 72, NODE = 128, NAME = 160, GROUP = 512 };
enum { NODE_NAME = 8, NODE_ID = 16, PSI_TOTAL = 16, PSI_AVG = 128 };
enum { IO_SOME, IO_FULL, MEM_SOME, MEM_FULL, CPU_SOME, CPU_FULL, IRQ_FULL, STATES };
enum { ONLINE = 2 };

struct kernel {
	char *ram;
	struct ktstr_kernel_view view;
	size_t cgroups; /* that were made */
};

static uint64_t kva(uint64_t physical)
{
	return KTSTR_DEFAULT_PAGE_OFFSET + physical;
}

static void put(struct kernel *kernel, uint64_t physical, uint64_t value)
{
	memcpy(kernel->ram + physical, &value, sizeof(value));
}

/* --- its types --- */

static void add_states(struct btf *btf, bool irq)
{
	static const char *const names[] = { "PSI_IO_SOME", "PSI_IO_FULL",  "PSI_MEM_SOME", "PSI_MEM_FULL",
					     "PSI_CPU_SOME", "PSI_CPU_FULL", "PSI_IRQ_FULL" };

	btf__add_enum(btf, "psi_states", 4);
	for (int i = 0; i < STATES - !irq; i++)
		btf__add_enum_value(btf, names[i], i);
	btf__add_enum_value(btf, "PSI_NONIDLE", STATES - !irq);
	btf__add_enum(btf, NULL, 4);
	btf__add_enum_value(btf, "CSS_ONLINE", ONLINE);
}

static struct ktstr_types *make_types(bool irq, bool psi)
{
	struct btf *btf = btf__new_empty();
	int u64 = btf__add_int(btf, "u64", 8, 0), index = btf__add_int(btf, "u32", 4, 0), pointer = btf__add_ptr(btf, 0);
	int list = btf__add_array(btf, index, u64, 2), averages, totals, css, cgroup;
	struct ktstr_types *types = NULL;
	uint32_t bytes;
	const void *data;

	/* avg[7][3] and total[2][7], as pahole has them. */
	averages = btf__add_array(btf, index, u64, 7 * 3);
	totals = btf__add_array(btf, index, u64, 2 * 7);
	if (psi)
		add_states(btf, irq);
	btf__add_struct(btf, "psi_group", 512);
	btf__add_field(btf, "total", totals, PSI_TOTAL * 8, 0);
	btf__add_field(btf, "avg", averages, PSI_AVG * 8, 0);
	css = btf__add_struct(btf, "cgroup_subsys_state", KN);
	btf__add_field(btf, "sibling", list, SIBLING * 8, 0);
	btf__add_field(btf, "children", list, CHILDREN * 8, 0);
	btf__add_field(btf, "flags", index, FLAGS * 8, 0);
	cgroup = btf__add_struct(btf, "cgroup", NODE);
	btf__add_field(btf, "self", css, 0, 0);
	btf__add_field(btf, "kn", pointer, KN * 8, 0);
	btf__add_field(btf, "psi", pointer, PSI * 8, 0);
	btf__add_struct(btf, "cgroup_root", CGROUP_IN_ROOT + NODE);
	btf__add_field(btf, "cgrp", cgroup, CGROUP_IN_ROOT * 8, 0);
	btf__add_struct(btf, "kernfs_node", NAME - NODE);
	btf__add_field(btf, "name", pointer, NODE_NAME * 8, 0);
	btf__add_field(btf, "id", u64, NODE_ID * 8, 0);
	data = btf__raw_data(btf, &bytes);
	assert_null(ktstr_types_parse(data, bytes, NULL, &types));
	btf__free(btf);
	return types;
}

/* --- its symbols: each token of kallsyms is one character --- */

static void make_symbols(struct kernel *kernel)
{
	static const struct {
		const char *name;
		uint32_t physical;
	} symbols[] = { { "Dcgrp_dfl_root", ROOT }, { "bsched_clock_irqtime", CLOCK } };
	struct ktstr_vmcoreinfo info = { ktstr_xasprintf("SYMBOL(kallsyms_num_syms)=%llx\nSYMBOL(kallsyms_token_table)=%llx\n"
							 "SYMBOL(kallsyms_token_index)=%llx\nSYMBOL(kallsyms_offsets)=%llx\n"
							 "SYMBOL(kallsyms_relative_base)=%llx\nSYMBOL(kallsyms_names)=%llx\n",
							 (unsigned long long)kva(KALLSYMS),
							 (unsigned long long)kva(KALLSYMS + 0x1000),
							 (unsigned long long)kva(KALLSYMS + 0x2000),
							 (unsigned long long)kva(KALLSYMS + 0x3000),
							 (unsigned long long)kva(KALLSYMS + 8),
							 (unsigned long long)kva(KALLSYMS + 0x4000)) };
	char *names = kernel->ram + KALLSYMS + 0x4000;

	put(kernel, KALLSYMS, 2);
	put(kernel, KALLSYMS + 8, kva(0));
	for (size_t i = 0; i < 256; i++) {
		uint16_t start = (uint16_t)(2 * i);

		kernel->ram[KALLSYMS + 0x1000 + 2 * i] = (char)i;
		memcpy(kernel->ram + KALLSYMS + 0x2000 + 2 * i, &start, sizeof(start));
	}
	for (size_t i = 0; i < 2; i++) {
		memcpy(kernel->ram + KALLSYMS + 0x3000 + 4 * i, &symbols[i].physical, 4);
		*names++ = (char)strlen(symbols[i].name);
		names = stpcpy(names, symbols[i].name);
	}
	assert_null(ktstr_kallsyms_read(&kernel->view.space, &info, &kernel->view.symbols));
	ktstr_vmcoreinfo_deinit(&info);
}

/* --- its cgroups --- */

static void make_list(struct kernel *kernel, uint64_t head)
{
	put(kernel, head, kva(head));
	put(kernel, head + 8, kva(head));
}

static void append(struct kernel *kernel, uint64_t head, uint64_t node)
{
	uint64_t last;

	memcpy(&last, kernel->ram + head + 8, sizeof(last));
	put(kernel, last - kva(0), kva(node));
	put(kernel, node, kva(head));
	put(kernel, node + 8, last);
	put(kernel, head + 8, kva(node));
}

/* Its physical address. parent 0: no cgroup. Its id is its number, counted from 1; state s of it has 1000 * id + s us. */
static uint64_t make_cgroup(struct kernel *kernel, uint64_t parent, const char *name)
{
	uint64_t at = OBJECTS + OBJECT_BYTES * kernel->cgroups++;

	make_list(kernel, at + CHILDREN);
	append(kernel, parent + CHILDREN, at + SIBLING);
	put(kernel, at + FLAGS, ONLINE);
	put(kernel, at + KN, kva(at + NODE));
	put(kernel, at + PSI, kva(at + GROUP));
	put(kernel, at + NODE + NODE_NAME, kva(at + NAME));
	put(kernel, at + NODE + NODE_ID, kernel->cgroups);
	strcpy(kernel->ram + at + NAME, name);
	for (uint64_t state = 0; state < STATES; state++) {
		put(kernel, at + GROUP + PSI_TOTAL + 8 * state, (1000 * kernel->cgroups + state) * 1000 + 999);
		put(kernel, at + GROUP + PSI_AVG + 24 * state, 2048 * state + 512);
	}
	return at;
}

static int set_up(void **state)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	kernel->ram = make_guest_ram(&kernel->view, RAM_BYTES);
	kernel->view.space.page_table = 0x1000;
	kernel->view.space.page_offset = KTSTR_DEFAULT_PAGE_OFFSET;
	kernel->view.types = make_types(true, true);
	make_symbols(kernel);
	put(kernel, CLOCK, 1);
	make_list(kernel, ROOT + CGROUP_IN_ROOT + CHILDREN);
	*state = kernel;
	return 0;
}

static int tear_down(void **state)
{
	struct kernel *kernel = *state;

	end_guest_ram(&kernel->view, kernel->ram, RAM_BYTES);
	free(kernel);
	return 0;
}

static void use_types(struct kernel *kernel, struct ktstr_types *types)
{
	ktstr_types_destroy(kernel->view.types);
	kernel->view.types = types;
}

/* The workload's cgroup, beside another one. */
static uint64_t make_workload(struct kernel *kernel)
{
	make_cgroup(kernel, ROOT + CGROUP_IN_ROOT, "system");
	return make_cgroup(kernel, ROOT + CGROUP_IN_ROOT, "work");
}

/* "name:id" of all, a "/" behind those with children, "..." at the end of a list that is not whole. */
static char *names_of(struct kernel *kernel, const char *root)
{
	struct ktstr_cgroup_pressures found;
	struct ktstr_str names = { 0 };
	const json_t *cgroup;
	size_t i;

	ktstr_cgroup_pressures(&kernel->view, root, &found);
	json_array_foreach(found.list, i, cgroup)
		ktstr_str_addf(&names, "%s%s:%lld%s", i ? " " : "", json_string_value(json_object_get(cgroup, "cgroup")),
			       (long long)json_integer_value(json_object_get(cgroup, "id")),
			       json_object_get(cgroup, "has_children") ? "/" : "");
	if (found.unavailable)
		ktstr_str_add(&names, found.unavailable);
	if (found.truncated)
		ktstr_str_add(&names, "...");
	ktstr_cgroup_pressures_deinit(&found);
	return ktstr_str_take(&names);
}

static void assert_names(struct kernel *kernel, const char *expected)
{
	_cleanup_free_ char *names = names_of(kernel, "/work");

	assert_string_equal(names, expected);
}

static void cgroups_below_the_workloads_are_found(void **state)
{
	struct kernel *kernel = *state;
	uint64_t work = make_workload(kernel), outer;
	_cleanup_free_ char *below = NULL, *elsewhere = NULL;

	assert_names(kernel, "there is no cgroup below /work");
	make_cgroup(kernel, work, "b");
	outer = make_cgroup(kernel, work, "a");
	make_cgroup(kernel, make_cgroup(kernel, outer, "x"), "y");
	assert_names(kernel, "a:4/ a/x:5/ a/x/y:6 b:3");
	below = names_of(kernel, "//work/a/");
	assert_string_equal(below, "x:5/ x/y:6");
	elsewhere = names_of(kernel, "/work/c");
	assert_string_equal(elsewhere, "there is no cgroup /work/c");
}

static void values_are_those_of_the_state(void **state)
{
	static const char *const keys[] = { "io_some", "io_full", "memory_some", "memory_full", "cpu_some", "cpu_full", "irq_full" };
	struct kernel *kernel = *state;
	struct ktstr_cgroup_pressures found;
	const json_t *cgroup;

	make_cgroup(kernel, make_workload(kernel), "a");
	ktstr_cgroup_pressures(&kernel->view, "/work", &found);
	assert_null(found.unavailable);
	assert_null(found.irq_unavailable);
	assert_false(found.truncated);
	cgroup = json_array_get(found.list, 0);
	for (int i = 0; i < STATES; i++) {
		const json_t *values = json_object_get(cgroup, keys[i]);

		assert_int_equal(json_integer_value(json_object_get(values, "total_us")), 3000 + i);
		assert_true(json_real_value(json_object_get(values, "avg10_pct")) == i + 0.25);
	}
	ktstr_cgroup_pressures_deinit(&found);
}

/* The sampler reads psi_system the same way. */
static void absent_irq_time_is_no_zero(void **state)
{
	struct kernel *kernel = *state;
	struct ktstr_cgroup_pressures found;
	struct ktstr_psi_state irq = ktstr_psi_state_find(kernel->view.types, "PSI_IRQ_FULL");

	make_cgroup(kernel, make_workload(kernel), "a");
	assert_null(ktstr_psi_irq_unavailable(&kernel->view, &irq));
	put(kernel, CLOCK, 0); /* accounting is built in, but off */
	ktstr_cgroup_pressures(&kernel->view, "/work", &found);
	assert_non_null(strstr(found.irq_unavailable, "is off in the guest"));
	assert_null(json_object_get(json_array_get(found.list, 0), "irq_full"));
	assert_non_null(json_object_get(json_array_get(found.list, 0), "cpu_full"));
	ktstr_cgroup_pressures_deinit(&found);
	put(kernel, CLOCK, 1);
	use_types(kernel, make_types(false, true));
	ktstr_cgroup_pressures(&kernel->view, "/work", &found);
	assert_string_equal(found.irq_unavailable, "the kernel has no IRQ time accounting (CONFIG_IRQ_TIME_ACCOUNTING)");
	assert_null(json_object_get(json_array_get(found.list, 0), "irq_full"));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json_array_get(found.list, 0), "cpu_full"), "total_us")),
			 3005);
	ktstr_cgroup_pressures_deinit(&found);
}

static void what_a_kernel_does_not_have_is_said(void **state)
{
	struct kernel *kernel = *state;
	uint64_t a = make_cgroup(kernel, make_workload(kernel), "a");

	put(kernel, a + PSI, 0);
	assert_names(kernel, "the cgroups below /work have no pressure files (psi=0)");
	use_types(kernel, make_types(false, false));
	assert_names(kernel, "the kernel has no pressure stall information (CONFIG_PSI)");
}

static void one_without_pressure_is_left_out(void **state)
{
	struct kernel *kernel = *state;
	uint64_t work = make_workload(kernel), a = make_cgroup(kernel, work, "a");

	make_cgroup(kernel, a, "b");
	put(kernel, a + PSI, 0);
	assert_names(kernel, "a/b:4");
}

static void those_that_are_being_removed_are_left_out(void **state)
{
	struct kernel *kernel = *state;
	uint64_t work = make_workload(kernel);

	put(kernel, make_cgroup(kernel, work, "a") + FLAGS, 0);
	make_cgroup(kernel, work, "a");
	assert_names(kernel, "a:4");
}

/* Whatever the memory holds: the walk ends, and what can be read is there. */
static void cycles_end(void **state)
{
	struct kernel *kernel = *state;
	uint64_t work = make_workload(kernel), a = make_cgroup(kernel, work, "a"), b = make_cgroup(kernel, a, "b");

	/* The children of b are a, whose next sibling is that list. */
	put(kernel, b + CHILDREN, kva(a + SIBLING));
	put(kernel, a + SIBLING, kva(b + CHILDREN));
	assert_names(kernel, "a:3/ a/b:4...");
	/* a is its own sibling. */
	put(kernel, a + SIBLING, kva(a + SIBLING));
	assert_names(kernel, "a:3/ a/b:4...");
}

static void wild_pointers_cost_only_themselves(void **state)
{
	struct kernel *kernel = *state;
	uint64_t work = make_workload(kernel), a = make_cgroup(kernel, work, "a"), b = make_cgroup(kernel, work, "b");

	put(kernel, a + KN, 0xdead);
	assert_names(kernel, "b:4...");
	put(kernel, a + KN, kva(a + NODE));
	strcpy(kernel->ram + a + NAME, "../up");
	assert_names(kernel, "b:4...");
	strcpy(kernel->ram + a + NAME, "");
	assert_names(kernel, "b:4...");
	strcpy(kernel->ram + a + NAME, "a");
	put(kernel, a + CHILDREN, kva(RAM_BYTES));
	put(kernel, b + PSI, UINT64_MAX - 8); /* nothing of it can be read */
	assert_names(kernel, "a:3 b:4...");
	put(kernel, work + CHILDREN, UINT64_MAX);
	assert_names(kernel, "there is no cgroup below /work...");
}

static void many_are_cut(void **state)
{
	struct kernel *kernel = *state;
	uint64_t work = make_workload(kernel), parent = work;
	struct ktstr_cgroup_pressures found;
	char name[16];

	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "%04d", i);
		make_cgroup(kernel, work, name);
	}
	ktstr_cgroup_pressures(&kernel->view, "/work", &found);
	assert_int_equal(json_array_size(found.list), 1024);
	assert_true(found.truncated);
	ktstr_cgroup_pressures_deinit(&found);
	/* Deeper than a path can be long. */
	for (int i = 0; i < 1100; i++)
		parent = make_cgroup(kernel, i ? parent : make_cgroup(kernel, ROOT + CGROUP_IN_ROOT, "deep"), "abcdefg");
	ktstr_cgroup_pressures(&kernel->view, "/deep", &found);
	assert_int_equal(json_array_size(found.list), 4096 / 8);
	assert_true(found.truncated);
	ktstr_cgroup_pressures_deinit(&found);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
		TEST(cgroups_below_the_workloads_are_found),
		TEST(values_are_those_of_the_state),
		TEST(absent_irq_time_is_no_zero),
		TEST(what_a_kernel_does_not_have_is_said),
		TEST(one_without_pressure_is_left_out),
		TEST(those_that_are_being_removed_are_left_out),
		TEST(cycles_end),
		TEST(wild_pointers_cost_only_themselves),
		TEST(many_are_cut),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
