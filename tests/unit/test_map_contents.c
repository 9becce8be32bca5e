// SPDX-License-Identifier: GPL-2.0-only
/* Maps of a guest that says they are huge: what is shown of one is bounded, whatever its header says. */
#include <bpf/btf.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/str.h"
#include "observe/bpf_maps.h"
#include "unit.h"

/* 5 GiB of zeros: each address that a map of it leads to can be read. */
#define RAM_BYTES (UINT64_C(5) << 30)
enum { VALUES = 64, POINTERS = 64, CPUS = 4, ARRAY = 2, PERCPU_ARRAY = 6, MIB = 1 << 20 };

static struct ktstr_types *make_types(void)
{
	struct btf *btf = btf__new_empty();
	int u64 = btf__add_int(btf, "u64", 8, 0);
	struct ktstr_types *types = NULL;
	const void *data;
	uint32_t bytes;

	btf__add_struct(btf, "bpf_array", VALUES + 8);
	btf__add_field(btf, "value", u64, VALUES * 8, 0);
	btf__add_field(btf, "pptrs", u64, POINTERS * 8, 0);
	data = btf__raw_data(btf, &bytes);
	assert_ok(ktstr_types_parse(data, bytes, NULL, &types));
	btf__free(btf);
	return types;
}

static int set_up(void **state)
{
	static const struct ktstr_ram_region region = { 0, RAM_BYTES, 0 };
	struct ktstr_kernel_view *view = ktstr_xcalloc(1, sizeof(*view));
	int fd;

	assert_ok(ktstr_memfd("test-ram", RAM_BYTES, &fd));
	view->memory = ktstr_guest_memory_create(fd, &region, 1);
	view->space = (struct ktstr_address_space){ .memory = view->memory, .page_offset = KTSTR_DEFAULT_PAGE_OFFSET };
	view->types = make_types();
	view->cpus = CPUS;
	for (size_t cpu = 0; cpu < CPUS; cpu++)
		view->per_cpu_offsets[cpu] = KTSTR_DEFAULT_PAGE_OFFSET + 4096 * (cpu + 1);
	*state = view;
	return 0;
}

static int tear_down(void **state)
{
	struct ktstr_kernel_view *view = *state;

	ktstr_types_destroy(view->types);
	ktstr_guest_memory_destroy(view->memory);
	free(view);
	return 0;
}

/* How many of `entries` a map of that many values is shown with. */
static size_t shown(void **state, uint32_t type, const char *entries, uint32_t value_size, uint32_t max_entries, bool truncated)
{
	struct ktstr_bpf_map map = { .view = *state, .address = KTSTR_DEFAULT_PAGE_OFFSET + 4096, .type = type, .name = "m",
				     .key_size = 4, .value_size = value_size, .max_entries = max_entries };
	json_t *json = ktstr_bpf_map_to_json(&map);
	size_t count = json_array_size(json_object_get(json, entries));

	assert_int_equal(json_is_true(json_object_get(json, "truncated")), truncated);
	json_decref(json);
	return count;
}

static void small_values_are_all_shown(void **state)
{
	assert_int_equal(shown(state, ARRAY, "array_entries", 8, 100, false), 100);
	assert_int_equal(shown(state, ARRAY, "array_entries", 8, 5000, true), 4096);
	assert_int_equal(shown(state, PERCPU_ARRAY, "percpu_entries", 8, 100, false), 100);
}

static void of_large_values_the_first_are_shown(void **state)
{
	assert_int_equal(shown(state, ARRAY, "array_entries", MIB, 4096, true), 8);
	assert_int_equal(shown(state, ARRAY, "array_entries", 16 * MIB, 4096, true), 1);
	assert_int_equal(shown(state, ARRAY, "array_entries", UINT32_MAX, UINT32_MAX, true), 1);
}

/* A copy a CPU of each. */
static void copies_count(void **state)
{
	assert_int_equal(shown(state, PERCPU_ARRAY, "percpu_entries", 32 << 10, 256, true), 8 * MIB / (CPUS * (32 << 10)));
}

/* No kernel makes such a map. */
static void copies_that_cannot_be_are_not_read(void **state)
{
	struct ktstr_kernel_view *view = *state;
	struct ktstr_bpf_map map = { .view = view, .address = KTSTR_DEFAULT_PAGE_OFFSET + 4096, .type = PERCPU_ARRAY, .name = "m",
				     .value_size = 16 * MIB, .max_entries = 1 };
	uint64_t copies = 64;
	json_t *json, *per_cpu;

	assert_true(ktstr_guest_write(view->memory, 4096 + POINTERS, &copies, sizeof(copies)));
	json = ktstr_bpf_map_to_json(&map);
	per_cpu = json_object_get(json_array_get(json_object_get(json, "percpu_entries"), 0), "per_cpu");
	assert_int_equal(json_array_size(per_cpu), CPUS);
	assert_true(json_is_null(json_array_get(per_cpu, 0)));
	json_decref(json);
}

static size_t values_in(const json_t *json)
{
	const json_t *member;
	size_t i, count = 1;

	json_array_foreach(json_object_get(json, "members"), i, member)
		count += values_in(json_object_get(member, "value"));
	return count;
}

/* Each struct has the one before twice, at the same place: 16 levels make 65536 values of a byte. */
static void types_that_multiply(void **state)
{
	struct btf *btf = btf__new_empty();
	struct ktstr_bpf_map map = { .view = *state, .address = KTSTR_DEFAULT_PAGE_OFFSET + 4096, .type = ARRAY, .name = "m",
				     .value_size = 1, .max_entries = 100 };
	int last = btf__add_int(btf, "u8", 1, 0);
	struct ktstr_types *types = NULL;
	const json_t *entry;
	size_t i, total = 0;
	const void *data;
	uint32_t bytes;
	json_t *json;

	for (int level = 0; level < 16; level++) {
		int inner = last;

		last = btf__add_struct(btf, "s", 1);
		btf__add_field(btf, "a", inner, 0, 0);
		btf__add_field(btf, "b", inner, 0, 0);
	}
	data = btf__raw_data(btf, &bytes);
	assert_ok(ktstr_types_parse(data, bytes, NULL, &types));
	btf__free(btf);
	map.types = types;
	map.value_type_id = (uint32_t)last;
	json = ktstr_bpf_map_to_json(&map);
	json_array_foreach(json_object_get(json, "array_entries"), i, entry)
		total += values_in(json_object_get(entry, "value"));
	assert_int_equal(i, 100);
	assert_in_range(total, 1 << 20, (1 << 20) + 1000); /* and, for what is left out, why */
	json_decref(json);
	ktstr_types_destroy(types);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_values_are_all_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_large_values_the_first_are_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copies_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copies_that_cannot_be_are_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(types_that_multiply, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
