// SPDX-License-Identifier: GPL-2.0-only
/* Reads of guest memory through page tables made up here, and walks over structures that lie. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "observe/kernel_view.h"
#include "unit.h"

enum { MIB = 1 << 20, RAM_BYTES = 8 * MIB };

#define PRESENT UINT64_C(3)
#define LARGE	UINT64_C(0x80)

/* 8 MiB of RAM: 4 at physical 0 and 4 behind a hole, at 16 MiB, in one file. */
struct fixture {
	char *ram; /* our own mapping of the file */
	struct ktstr_guest_memory *memory;
	struct ktstr_address_space space;
};

static void put(struct fixture *fixture, uint64_t physical, uint64_t value)
{
	memcpy(fixture->ram + (physical >= 16 * MIB ? physical - 12 * MIB : physical), &value, sizeof(value));
}

static int set_up(void **state)
{
	static const struct ktstr_ram_region regions[] = { { 0, 4 * MIB, 0 }, { 16 * MIB, 4 * MIB, 4 * MIB } };
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	if (ktstr_memfd("test-ram", RAM_BYTES, &fd))
		return -1;
	fixture->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fixture->memory = ktstr_guest_memory_create(fd, regions, 2);
	fixture->space = (struct ktstr_address_space){
		.memory = fixture->memory,
		.page_table = 0x1000,
		.page_offset = KTSTR_DEFAULT_PAGE_OFFSET,
		.phys_base = 0x200000,
	};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	ktstr_guest_memory_destroy(fixture->memory);
	munmap(fixture->ram, RAM_BYTES);
	free(fixture);
	return 0;
}

static void reads_cross_regions_of_the_file_but_not_holes(void **state)
{
	struct fixture *fixture = *state;
	char bytes[16];

	memset(fixture->ram + 4 * MIB - 8, 'a', 8);
	memset(fixture->ram + 4 * MIB, 'b', 8);
	assert_true(ktstr_guest_read(fixture->memory, 4 * MIB - 8, bytes, 8));
	assert_memory_equal(bytes, "aaaaaaaa", 8);
	assert_true(ktstr_guest_read(fixture->memory, 16 * MIB, bytes, 8));
	assert_memory_equal(bytes, "bbbbbbbb", 8);
	assert_false(ktstr_guest_read(fixture->memory, 4 * MIB - 8, bytes, 16));
	assert_false(ktstr_guest_read(fixture->memory, 20 * MIB, bytes, 1));
	assert_false(ktstr_guest_read(fixture->memory, UINT64_MAX, bytes, 16));
}

static void a_frozen_guest_is_read_once(void **state)
{
	struct fixture *fixture = *state;
	char byte;

	fixture->ram[0x3000] = '1';
	ktstr_guest_freeze(fixture->memory, true);
	assert_true(ktstr_guest_read(fixture->memory, 0x3000, &byte, 1));
	fixture->ram[0x3000] = '2';
	assert_true(ktstr_guest_read(fixture->memory, 0x3000, &byte, 1));
	assert_int_equal(byte, '1');
	assert_true(ktstr_guest_write(fixture->memory, 0x3001, "x", 1));
	assert_true(ktstr_guest_read(fixture->memory, 0x3000, &byte, 1));
	assert_int_equal(byte, '2');
	ktstr_guest_freeze(fixture->memory, false);
}

static void image_and_direct_map_need_no_tables(void **state)
{
	struct fixture *fixture = *state;
	uint64_t value;

	put(fixture, 0x201000, 77);
	assert_true(ktstr_read_uint(&fixture->space, KTSTR_START_KERNEL_MAP + 0x1000, 8, &value));
	assert_int_equal(value, 77);
	assert_true(ktstr_read_uint(&fixture->space, KTSTR_DEFAULT_PAGE_OFFSET + 0x201000, 4, &value));
	assert_int_equal(value, 77);
	assert_false(ktstr_read_uint(&fixture->space, KTSTR_DEFAULT_PAGE_OFFSET + 8 * MIB, 8, &value));
}

/* Four levels at 0x1000..0x4000: index 0x192 of the top table is the vmalloc address used here. */
static const uint64_t vmalloc = UINT64_C(0xffffc90000000000);

static void map_tables(struct fixture *fixture)
{
	put(fixture, 0x1000 + (vmalloc >> 39 & 511) * 8, 0x2000 | PRESENT);
	put(fixture, 0x2000 + (vmalloc >> 30 & 511) * 8, 0x3000 | PRESENT);
	put(fixture, 0x3000 + (vmalloc >> 21 & 511) * 8, 0x4000 | PRESENT);
}

static void small_pages_are_walked(void **state)
{
	struct fixture *fixture = *state;
	uint64_t physical, bytes, value;

	map_tables(fixture);
	put(fixture, 0x4000, (16 * MIB + 0x5000) | PRESENT);
	put(fixture, 0x4008, 0x7000 | PRESENT);
	assert_true(ktstr_walk_page_tables(&fixture->space, vmalloc + 0x123, &physical, &bytes));
	assert_int_equal(physical, 16 * MIB + 0x5123);
	assert_int_equal(bytes, 0x1000 - 0x123);
	/* A read over two pages that are not neighbours in RAM. */
	put(fixture, 16 * MIB + 0x5ff8, 0x1111111111111111);
	put(fixture, 0x7000, 0x2222222222222222);
	assert_true(ktstr_read_uint(&fixture->space, vmalloc + 0xffc, 8, &value));
	assert_true(value == 0x2222222211111111);
	assert_false(ktstr_walk_page_tables(&fixture->space, vmalloc + 0x2000, &physical, &bytes));
}

static void large_pages_end_the_walk(void **state)
{
	struct fixture *fixture = *state;
	uint64_t physical, bytes;

	map_tables(fixture);
	put(fixture, 0x3000, 0x200000 | LARGE | PRESENT);
	assert_true(ktstr_walk_page_tables(&fixture->space, vmalloc + 0x12345, &physical, &bytes));
	assert_int_equal(physical, 0x212345);
	put(fixture, 0x2000, UINT64_C(0x40000000) | LARGE | PRESENT);
	assert_true(ktstr_walk_page_tables(&fixture->space, vmalloc + 0x12345, &physical, &bytes));
	assert_int_equal(physical, 0x40012345);
}

static void five_levels(void **state)
{
	struct fixture *fixture = *state;
	uint64_t physical, bytes, far = UINT64_C(0xff11000000000000);

	fixture->space.five_levels = true;
	fixture->space.page_table = 0x6000;
	put(fixture, 0x6000 + (far >> 48 & 511) * 8, 0x1000 | PRESENT);
	put(fixture, 0x1000 + (far >> 39 & 511) * 8, 0x2000 | PRESENT);
	put(fixture, 0x2000 + (far >> 30 & 511) * 8, UINT64_C(0x80000000) | LARGE | PRESENT);
	assert_true(ktstr_walk_page_tables(&fixture->space, far + 5, &physical, &bytes));
	assert_int_equal(physical, 0x80000005);
	/* With four levels the same address is none. */
	fixture->space.five_levels = false;
	assert_false(ktstr_walk_page_tables(&fixture->space, far + 5, &physical, &bytes));
}

static void tables_outside_of_ram_map_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint64_t physical, bytes;

	put(fixture, 0x1000 + (vmalloc >> 39 & 511) * 8, UINT64_C(0x7ffffffff000) | PRESENT);
	assert_false(ktstr_walk_page_tables(&fixture->space, vmalloc, &physical, &bytes));
	/* A table that is its own entry is walked once per level, no more. */
	put(fixture, 0x1000 + (vmalloc >> 39 & 511) * 8, 0x1000 | PRESENT);
	ktstr_walk_page_tables(&fixture->space, vmalloc, &physical, &bytes);
}

static void text_ends_somewhere(void **state)
{
	struct fixture *fixture = *state;
	uint64_t at = KTSTR_DEFAULT_PAGE_OFFSET + 0x9000;
	char text[8];

	memcpy(fixture->ram + 0x9000, "runqueues", 9);
	assert_true(ktstr_read_text(&fixture->space, at, text, sizeof(text)));
	assert_string_equal(text, "runqueu");
	memset(fixture->ram + 4 * MIB - 3, 'x', 3);
	assert_true(ktstr_read_text(&fixture->space, KTSTR_DEFAULT_PAGE_OFFSET + 4 * MIB - 3, text, sizeof(text)));
	assert_string_equal(text, "xxx");
	assert_false(ktstr_read_text(&fixture->space, KTSTR_DEFAULT_PAGE_OFFSET + 4 * MIB, text, sizeof(text)));
}

static bool count_node(void *context, uint64_t node)
{
	(void)node;
	++*(size_t *)context;
	return true;
}

static size_t walk(struct fixture *fixture, uint64_t head, size_t cap, bool *reached_head)
{
	struct ktstr_kernel_view view = { .memory = fixture->memory, .space = fixture->space };
	size_t count = 0;

	*reached_head = ktstr_walk_list(&view, head, cap, count_node, &count);
	return count;
}

static void lists_end_whatever_they_hold(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t base = KTSTR_DEFAULT_PAGE_OFFSET;
	bool reached;

	for (uint64_t i = 0; i < 10; i++)
		put(fixture, 0xa000 + i * 16, base + 0xa000 + (i + 1) % 10 * 16);
	assert_int_equal(walk(fixture, base + 0xa000, 100, &reached), 9);
	assert_true(reached);
	assert_int_equal(walk(fixture, base + 0xa000, 4, &reached), 4);
	assert_false(reached);
	/* Never back to the head: the last node points into the middle. */
	put(fixture, 0xa000 + 9 * 16, base + 0xa000 + 5 * 16);
	assert_in_range(walk(fixture, base + 0xa000, 1000000, &reached), 9, 40);
	assert_false(reached);
	put(fixture, 0xa000 + 9 * 16, 0xdead);
	assert_int_equal(walk(fixture, base + 0xa000, 100, &reached), 10);
	assert_false(reached);
	put(fixture, 0xa000, 0);
	assert_int_equal(walk(fixture, base + 0xa000, 100, &reached), 0);
	assert_false(reached);
}

/* /sys/kernel/vmcoreinfo gives the address of an ELF note. */
static void vmcoreinfo_is_read_out_of_its_note(void **state)
{
	static const char text[] = "OSRELEASE=7.3.4\nSYMBOL(init_top_pgt)=ffffffff8602a000\n";
	static const uint32_t header[] = { 11, sizeof(text), 0 };
	struct fixture *fixture = *state;
	struct ktstr_vmcoreinfo info = { 0 };
	uint64_t value;

	memcpy(fixture->ram + 0xc000, header, sizeof(header));
	memcpy(fixture->ram + 0xc000 + 24, text, sizeof(text));
	assert_false(ktstr_vmcoreinfo_read(fixture->memory, 0xc000, &info)); /* of no name */
	memcpy(fixture->ram + 0xc000 + 12, "VMCOREINFO", 11);
	assert_true(ktstr_vmcoreinfo_read(fixture->memory, 0xc000, &info));
	assert_true(ktstr_vmcoreinfo_symbol(&info, "init_top_pgt", &value));
	assert_true(value == 0xffffffff8602a000);
	ktstr_vmcoreinfo_deinit(&info);
	assert_null(ktstr_vmcoreinfo_find(fixture->memory, &info)); /* where nobody tells, it is found as well */
	ktstr_vmcoreinfo_deinit(&info);
	assert_false(ktstr_vmcoreinfo_read(fixture->memory, 32 * UINT64_C(1048576), &info)); /* no RAM */
}

static void vmcoreinfo_is_found_and_read(void **state)
{
	static const char text[] = "OSRELEASE=7.3.4\nSYMBOL(init_top_pgt)=ffffffff8602a000\nNUMBER(phys_base)=-4096\n"
				   "KERNELOFFSET=3000000\nSYMBOL(cut";
	struct fixture *fixture = *state;
	struct ktstr_vmcoreinfo info = { 0 };
	struct ktstr_error *error = ktstr_vmcoreinfo_find(fixture->memory, &info);
	_cleanup_free_ char *release = NULL;
	uint64_t value;
	int64_t number;

	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	ktstr_error_free(error);
	/* The first lines alone, and in the middle of a page, are copies that do not count. */
	memcpy(fixture->ram + 0xc000, text, 20);
	memcpy(fixture->ram + 0xd010, text, sizeof(text));
	memcpy(fixture->ram + 5 * MIB, text, sizeof(text));
	assert_null(ktstr_vmcoreinfo_find(fixture->memory, &info));
	release = ktstr_vmcoreinfo_string(&info, "OSRELEASE");
	assert_string_equal(release, "7.3.4");
	assert_true(ktstr_vmcoreinfo_symbol(&info, "init_top_pgt", &value));
	assert_true(value == 0xffffffff8602a000);
	assert_true(ktstr_vmcoreinfo_number(&info, "phys_base", &number));
	assert_int_equal(number, -4096);
	assert_true(ktstr_vmcoreinfo_hex(&info, "KERNELOFFSET", &value));
	assert_int_equal(value, 0x3000000);
	assert_false(ktstr_vmcoreinfo_symbol(&info, "cut", &value));
	ktstr_vmcoreinfo_deinit(&info);
}

static void a_core_file_is_memory_too(void **state)
{
	struct ktstr_guest_memory *memory;
	struct ktstr_error *error = ktstr_guest_memory_of_core("/dev/null", &memory);

	(void)state;
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	ktstr_error_free(error);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
		TEST(reads_cross_regions_of_the_file_but_not_holes),
		TEST(a_frozen_guest_is_read_once),
		TEST(image_and_direct_map_need_no_tables),
		TEST(small_pages_are_walked),
		TEST(large_pages_end_the_walk),
		TEST(five_levels),
		TEST(tables_outside_of_ram_map_nothing),
		TEST(text_ends_somewhere),
		TEST(lists_end_whatever_they_hold),
		TEST(vmcoreinfo_is_read_out_of_its_note),
		TEST(vmcoreinfo_is_found_and_read),
		TEST(a_core_file_is_memory_too),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
