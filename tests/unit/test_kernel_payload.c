// SPDX-License-Identifier: GPL-2.0-only
/* A kernel unpacked on the host: an image and a vmlinux made by hand, of which some lie. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "kernel_fixture.h"
#include "kernel/payload.h"

#define LINKED_AT  UINT64_C(0xffffffff81000000) /* the first byte */
#define LOAD_AT	   UINT64_C(0x1000000)
#define SHIFT	   UINT64_C(0x2400000)

enum { SEGMENT_BYTES = 64, MEMORY_BYTES = 4 << 20, ENTRY = 0x20 };

/* What the segment has, with offsets that relocations name. */
struct segment {
	uint64_t pointer; /* 0 */
	uint32_t low_pointer; /* 8 */
	int32_t cpu_offset; /* 12 */
	char rest[SEGMENT_BYTES - 16];
};

struct vmlinux {
	Elf64_Ehdr header;
	Elf64_Phdr program;
	struct segment segment;
	Elf64_Shdr section;
	int32_t words[16];
};

static const struct segment linked = { LINKED_AT + 4096, (uint32_t)(LINKED_AT + 8192), -64, "code" };

static struct vmlinux make_vmlinux(void)
{
	struct vmlinux file = { .header = { .e_ident = ELFMAG, .e_entry = LOAD_AT + ENTRY, .e_phoff = offsetof(struct vmlinux, program),
					    .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
					    .e_shoff = offsetof(struct vmlinux, section), .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 1 },
				.program = { .p_type = PT_LOAD, .p_offset = offsetof(struct vmlinux, segment), .p_paddr = LOAD_AT,
					     .p_filesz = SEGMENT_BYTES, .p_memsz = SEGMENT_BYTES },
				.segment = linked };

	return file;
}

/* The kernel of that vmlinux with so many words of relocations behind it. */
static struct ktstr_kernel make_kernel(const struct vmlinux *vmlinux, size_t words, bool relocatable)
{
	struct ktstr_kernel kernel = { .image_path = ktstr_xasprintf("%s/vmlinuz", scratch),
				       .vmlinux_path = ktstr_xasprintf("%s/vmlinux", scratch) };
	_cleanup_free_ unsigned char *image = make_image();

	image[0x234] = relocatable;
	put16(image, 0x236, 1 | 1 << 6);
	put32(image, 0x230, 2 << 20);
	put32(image, 0x258, LOAD_AT);
	put32(image, 0x260, MEMORY_BYTES);
	assert_ok(ktstr_store_file(scratch, "vmlinuz", image, IMAGE_BYTES));
	assert_ok(ktstr_store_file(scratch, "vmlinux", vmlinux, offsetof(struct vmlinux, words) + 4 * words));
	return kernel;
}

static struct ktstr_error *open_words(struct vmlinux vmlinux, const int32_t *words, size_t count,
				      struct ktstr_kernel_payload *payload)
{
	struct ktstr_kernel kernel;
	struct ktstr_error *error;

	memcpy(vmlinux.words, words, 4 * count);
	kernel = make_kernel(&vmlinux, count, true);
	error = ktstr_kernel_payload_open(&kernel, payload);
	ktstr_kernel_deinit(&kernel);
	return error;
}

static int32_t place(size_t offset)
{
	return (int32_t)(uint32_t)(LINKED_AT + offset);
}

static void addresses_are_moved(void **state)
{
	/* As of 6.15: 64-bit places, 32-bit places; before, what is subtracted from in between. */
	const int32_t of_now[] = { 0, place(0), 0, place(8) }, of_before[] = { 0, place(0), 0, place(12), 0, place(8) };

	(void)state;
	for (int before = 0; before < 2; before++) {
		struct ktstr_kernel_payload payload;
		_cleanup_free_ char *memory = ktstr_xcalloc(1, MEMORY_BYTES);
		struct segment moved;
		uint64_t entry;

		assert_ok(open_words(make_vmlinux(), before ? of_before : of_now, before ? 6 : 4, &payload));
		assert_int_equal(payload.load_address, LOAD_AT);
		assert_int_equal(payload.memory_bytes, MEMORY_BYTES);
		assert_int_equal(payload.setup_length, SETUP_BYTES);
		assert_true(payload.five_levels);
		assert_ok(ktstr_kernel_payload_place(&payload, SHIFT, memory, &entry));
		memcpy(&moved, memory, sizeof(moved));
		assert_int_equal(entry, ENTRY);
		assert_int_equal(moved.pointer, linked.pointer + SHIFT);
		assert_int_equal(moved.low_pointer, linked.low_pointer + SHIFT);
		assert_int_equal(moved.cpu_offset, before ? linked.cpu_offset - (int32_t)SHIFT : linked.cpu_offset);
		assert_string_equal(moved.rest, "code");
		ktstr_kernel_payload_deinit(&payload);
	}
}

static void what_is_not_known_unpacks_itself(void **state)
{
	static const struct {
		int32_t words[8];
		size_t count;
	} lists[] = { { { 0 }, 0 }, { { 0, 1 }, 2 }, { { 1, 0, 1, 0 }, 4 }, { { 0, 0, 0, 0 }, 4 } };
	struct vmlinux vmlinux = make_vmlinux();
	struct ktstr_kernel_payload payload;
	struct ktstr_kernel kernel;

	(void)state;
	/* The image itself, which is asked then, has nothing that could be unpacked. */
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_non_null(open_words(vmlinux, lists[i].words, lists[i].count, &payload));
	memcpy(vmlinux.words, (int32_t[]){ 0, place(0), 0, place(8) }, 16);
	kernel = make_kernel(&vmlinux, 4, false);
	assert_fails(ktstr_kernel_payload_open(&kernel, &payload), KTSTR_ERR_UNSUPPORTED, "not a relocatable 64-bit kernel");
	ktstr_kernel_deinit(&kernel);
	vmlinux.header.e_phnum = 60000;
	assert_non_null(open_words(vmlinux, vmlinux.words, 4, &payload));
}

static void what_lies_outside_is_not_written(void **state)
{
	const int32_t words[] = { 0, place(0), 0, place(8) };
	const int32_t wild[][4] = { { 0, place(MEMORY_BYTES - 7), 0, place(8) },
				    { 0, place(0), 0, place(MEMORY_BYTES - 3) },
				    { 0, place(0), 0, 16 } };
	_cleanup_free_ char *memory = ktstr_xcalloc(1, MEMORY_BYTES);
	struct ktstr_kernel_payload payload;
	uint64_t entry;

	(void)state;
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		assert_ok(open_words(make_vmlinux(), wild[i], 4, &payload));
		assert_fails(ktstr_kernel_payload_place(&payload, SHIFT, memory, &entry), KTSTR_ERR_CORRUPT,
			     "a relocation of the kernel lies outside");
		ktstr_kernel_payload_deinit(&payload);
	}
	for (int i = 0; i < 4; i++) {
		struct vmlinux vmlinux = make_vmlinux();

		vmlinux.program.p_paddr = (uint64_t[]){ 0, LOAD_AT + MEMORY_BYTES - 1, LOAD_AT, LOAD_AT }[i];
		vmlinux.program.p_offset = i == 2 ? UINT64_MAX : vmlinux.program.p_offset;
		vmlinux.header.e_entry = i == 3 ? LOAD_AT + MEMORY_BYTES : vmlinux.header.e_entry;
		assert_ok(open_words(vmlinux, words, 4, &payload));
		assert_fails(ktstr_kernel_payload_place(&payload, SHIFT, memory, &entry), KTSTR_ERR_CORRUPT,
			     "a segment of the kernel lies outside");
		ktstr_kernel_payload_deinit(&payload);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_CACHE(addresses_are_moved),
		IN_CACHE(what_is_not_known_unpacks_itself),
		IN_CACHE(what_lies_outside_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
