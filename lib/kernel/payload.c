// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's side of this is arch/x86/boot/compressed/misc.c (parse_elf, handle_relocations) and
 * arch/x86/tools/relocs.c: behind the ELF there are lists of 32-bit words, each begun by a 0: of 64-bit places, of 32-bit
 * places that are subtracted from (until 6.14), and of 32-bit places.
 */
#include <elf.h>
#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "kernel/internal.h"
#include "kernel/payload.h"

/* The boot header, Documentation/arch/x86/boot.rst. */
enum {
	SETUP_SECTS_AT = 0x1f1,
	PROTOCOL_AT = 0x206,
	ALIGNMENT_AT = 0x230, /* u32 */
	RELOCATABLE_AT = 0x234, /* u8 */
	XLOADFLAGS_AT = 0x236, /* u16; protocol 2.12 */
	PREF_ADDRESS_AT = 0x258, /* u64 */
	INIT_SIZE_AT = 0x260, /* u32 */
	HEADER_BYTES = 0x268,
	KERNEL_64 = 1, /* xloadflags: it has a 64-bit entry */
	FIVE_LEVEL_ENABLED = 1 << 6,
	SECTOR_BYTES = 512,
	MEMORY_MAX_BYTES = 512 << 20,
};

/* __START_KERNEL_map: what is linked at this address plus the load address is the image's first byte. */
#define KERNEL_MAP UINT64_C(0xffffffff80000000)

static struct ktstr_error *unsupported(const struct ktstr_kernel *kernel, const char *why)
{
	return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s unpacks itself: %s", kernel->image_path, why);
}

static uint64_t header_field(const char *image, size_t offset, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, image + offset, bytes);
	return le64toh(value);
}

static struct ktstr_error *read_header(const struct ktstr_kernel *kernel, const char *image, size_t length,
				       struct ktstr_kernel_payload *payload)
{
	uint64_t flags;

	if (length < HEADER_BYTES || !ktstr_is_bzimage(image, length))
		return unsupported(kernel, "it is not a bzImage");
	flags = header_field(image, XLOADFLAGS_AT, 2);
	if (header_field(image, PROTOCOL_AT, 2) < 0x20c || !(flags & KERNEL_64) || !image[RELOCATABLE_AT])
		return unsupported(kernel, "it is not a relocatable 64-bit kernel");
	payload->load_address = header_field(image, PREF_ADDRESS_AT, 8);
	payload->align = header_field(image, ALIGNMENT_AT, 4);
	payload->memory_bytes = header_field(image, INIT_SIZE_AT, 4);
	payload->five_levels = flags & FIVE_LEVEL_ENABLED;
	payload->setup_length = ((unsigned char)image[SETUP_SECTS_AT] + 1) * SECTOR_BYTES;
	if (payload->align < 2 << 20 || payload->align & (payload->align - 1) || payload->load_address % payload->align ||
	    payload->load_address > MEMORY_MAX_BYTES || payload->memory_bytes > MEMORY_MAX_BYTES ||
	    payload->setup_length < HEADER_BYTES || payload->setup_length > length)
		return unsupported(kernel, "its boot header is not as usual");
	return NULL;
}

static bool elf_header(const char *vmlinux, size_t length, Elf64_Ehdr *header)
{
	if (length < sizeof(*header))
		return false;
	memcpy(header, vmlinux, sizeof(*header));
	return !memcmp(header->e_ident, ELFMAG, SELFMAG) && header->e_phentsize == sizeof(Elf64_Phdr) &&
	       header->e_phoff <= length && header->e_phnum <= (length - header->e_phoff) / sizeof(Elf64_Phdr) &&
	       header->e_shoff <= length && header->e_shnum <= (length - header->e_shoff) / sizeof(Elf64_Shdr) &&
	       header->e_shnum && header->e_shentsize == sizeof(Elf64_Shdr);
}

static int32_t word_at(const char *words, size_t index)
{
	uint32_t word;

	memcpy(&word, words + 4 * index, sizeof(word));
	return (int32_t)le32toh(word);
}

/* The section headers end the ELF; two or three lists must be what is behind. */
static bool find_relocations(struct ktstr_kernel_payload *payload, size_t length)
{
	struct ktstr_relocations lists[3];
	size_t words, count = 0;
	const char *first;
	Elf64_Ehdr header;

	if (!elf_header(payload->vmlinux, length, &header))
		return false;
	payload->elf_length = header.e_shoff + header.e_shnum * sizeof(Elf64_Shdr);
	first = payload->vmlinux + payload->elf_length;
	words = (length - payload->elf_length) / 4;
	if (words < 2 || (length - payload->elf_length) % 4 || word_at(first, 0))
		return false;
	for (size_t i = 0; i < words; i++) {
		if (word_at(first, i))
			lists[count - 1].count++;
		else if (count == 3)
			return false;
		else
			lists[count++] = (struct ktstr_relocations){ .places = first + 4 * (i + 1) };
	}
	if (count < 2)
		return false;
	payload->add_64 = lists[0];
	payload->subtract_32 = count == 3 ? lists[1] : (struct ktstr_relocations){ 0 };
	payload->add_32 = lists[count - 1];
	return true;
}

/* The vmlinux of a tree has none, but up to a GiB of debug information. */
static bool has_more_than_elf(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header;
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       (uint64_t)st.st_size > header.e_shoff + header.e_shnum * sizeof(Elf64_Shdr);
}

/* The cache has it unpacked already. */
static struct ktstr_error *read_vmlinux(const struct ktstr_kernel *kernel, const char *image, size_t image_length,
					struct ktstr_kernel_payload *payload)
{
	size_t length;

	if (kernel->vmlinux_path && has_more_than_elf(kernel->vmlinux_path)) {
		KTSTR_TRY(ktstr_read_file(kernel->vmlinux_path, &payload->vmlinux, &length));
		if (find_relocations(payload, length))
			return NULL;
		free(ktstr_take(payload->vmlinux));
	}
	KTSTR_TRY(ktstr_bzimage_vmlinux(image, image_length, kernel->image_path, &payload->vmlinux, &length));
	return find_relocations(payload, length) ? NULL : unsupported(kernel, "it has no relocations");
}

static struct ktstr_error *open_payload(const struct ktstr_kernel *kernel, struct ktstr_kernel_payload *payload)
{
	_cleanup_free_ char *image = NULL;
	size_t length;

	KTSTR_TRY(ktstr_read_file(kernel->image_path, &image, &length));
	KTSTR_TRY(read_header(kernel, image, length, payload));
	KTSTR_TRY(read_vmlinux(kernel, image, length, payload));
	payload->setup = ktstr_xrealloc(ktstr_take(image), payload->setup_length);
	return NULL;
}

struct ktstr_error *ktstr_kernel_payload_open(const struct ktstr_kernel *kernel, struct ktstr_kernel_payload *payload)
{
	struct ktstr_error *error;

	*payload = (struct ktstr_kernel_payload){ 0 };
	error = open_payload(kernel, payload);
	if (error)
		ktstr_kernel_payload_deinit(payload);
	return error;
}

void ktstr_kernel_payload_deinit(struct ktstr_kernel_payload *payload)
{
	free(payload->setup);
	free(payload->vmlinux);
	*payload = (struct ktstr_kernel_payload){ 0 };
}

static bool place_segments(const struct ktstr_kernel_payload *payload, char *memory, uint64_t *entry)
{
	Elf64_Ehdr header;

	if (!elf_header(payload->vmlinux, payload->elf_length, &header))
		return false;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;
		uint64_t offset;

		memcpy(&segment, payload->vmlinux + header.e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type != PT_LOAD)
			continue;
		offset = segment.p_paddr - payload->load_address;
		if (segment.p_paddr < payload->load_address || segment.p_filesz > payload->memory_bytes ||
		    offset > payload->memory_bytes - segment.p_filesz || segment.p_filesz > payload->elf_length ||
		    segment.p_offset > payload->elf_length - segment.p_filesz)
			return false;
		memcpy(memory + offset, payload->vmlinux + segment.p_offset, segment.p_filesz);
	}
	*entry = header.e_entry - payload->load_address;
	return header.e_entry >= payload->load_address && *entry < payload->memory_bytes;
}

/* Adds to the places of a list, which have that many bytes. */
static bool move_places(const struct ktstr_kernel_payload *payload, const struct ktstr_relocations *list, size_t bytes,
			uint64_t shift, char *memory)
{
	for (size_t i = 0; i < list->count; i++) {
		uint64_t offset = (uint64_t)word_at(list->places, i) - KERNEL_MAP - payload->load_address, value = 0;

		if (offset > payload->memory_bytes - bytes)
			return false;
		memcpy(&value, memory + offset, bytes);
		value = htole64(le64toh(value) + shift);
		memcpy(memory + offset, &value, bytes);
	}
	return true;
}

struct ktstr_error *ktstr_kernel_payload_place(const struct ktstr_kernel_payload *payload, uint64_t shift, void *memory,
					       uint64_t *entry)
{
	if (!place_segments(payload, memory, entry))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a segment of the kernel lies outside of its memory");
	if (!move_places(payload, &payload->add_64, 8, shift, memory) ||
	    !move_places(payload, &payload->subtract_32, 4, -shift, memory) ||
	    !move_places(payload, &payload->add_32, 4, shift, memory))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "a relocation of the kernel lies outside of its memory");
	return NULL;
}
