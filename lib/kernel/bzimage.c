// SPDX-License-Identifier: GPL-2.0-only
/*
 * The x86 boot header (Documentation/arch/x86/boot.rst of the kernel): recognises a bzImage, reads
 * its release string and takes the vmlinux ELF out of its compressed payload.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/internal.h"

/* Offsets into the file; sizes are those of boot.rst, all little endian. */
enum {
	SETUP_SECTS_AT = 0x1f1,    /* u8 */
	SYSSIZE_AT = 0x1f4,        /* u32, protected-mode code in 16-byte paragraphs */
	BOOT_FLAG_AT = 0x1fe,      /* u16, 0xaa55 */
	MAGIC_AT = 0x202,          /* "HdrS" */
	PROTOCOL_AT = 0x206,       /* u16 */
	KERNEL_VERSION_AT = 0x20e, /* u16, minus 0x200 */
	PAYLOAD_OFFSET_AT = 0x248, /* u32, from the start of protected-mode code; protocol 2.08 */
	PAYLOAD_LENGTH_AT = 0x24c, /* u32 */
	HEADER_END = 0x250,
	SECTOR_BYTES = 512,
	RELEASE_MAX = 64, /* __NEW_UTS_LEN */
	VMLINUX_MAX_BYTES = 1 << 30,
};

static uint16_t read_u16(const void *data, size_t offset)
{
	uint16_t value;

	memcpy(&value, (const char *)data + offset, sizeof(value));
	return le16toh(value);
}

static uint32_t read_u32(const void *data, size_t offset)
{
	uint32_t value;

	memcpy(&value, (const char *)data + offset, sizeof(value));
	return le32toh(value);
}

bool ktstr_is_bzimage(const void *data, size_t length)
{
	return length >= HEADER_END && read_u16(data, BOOT_FLAG_AT) == 0xaa55 &&
	       !memcmp((const char *)data + MAGIC_AT, "HdrS", 4);
}

/*
 * The first word of the version string. It becomes part of paths (/lib/modules/<release>), so only
 * the characters that a release really has are let through.
 */
static struct ktstr_error *read_release(const char *data, size_t setup_length, const char *name,
					char **release)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"._+~-:@";
	size_t start = (size_t)read_u16(data, KERNEL_VERSION_AT) + 0x200;
	size_t length = 0;

	if (start == 0x200 || start >= setup_length)
		return ktstr_error_new(
			KTSTR_ERR_CORRUPT,
			"%s: the boot header's version string lies outside of it (0x%zx)", name,
			start);
	while (start + length < setup_length && data[start + length] &&
	       strchr(allowed, data[start + length]))
		length++;
	if (!length || length > RELEASE_MAX || data[start] == '.')
		return ktstr_error_new(KTSTR_ERR_CORRUPT,
				       "%s: no kernel release at the boot header's version string",
				       name);
	*release = ktstr_xstrndup(data + start, length);
	return NULL;
}

struct ktstr_error *ktstr_bzimage_parse(const void *data, size_t length, const char *name,
					struct ktstr_bzimage *image)
{
	size_t setup_sects, setup_length, code_length, payload_offset, payload_length;

	*image = (struct ktstr_bzimage){ 0 };
	if (!ktstr_is_bzimage(data, length))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s is not a bzImage (no \"HdrS\" at 0x202): name "
				       "arch/x86/boot/bzImage of a built tree, or a vmlinuz",
				       name);
	setup_sects = ((const unsigned char *)data)[SETUP_SECTS_AT];
	setup_length = ((setup_sects ? setup_sects : 4) + 1) * SECTOR_BYTES;
	code_length = (size_t)read_u32(data, SYSSIZE_AT) * 16;
	if (setup_length > length || code_length > length - setup_length)
		return ktstr_error_new(KTSTR_ERR_CORRUPT,
				       "%s is truncated: %zu bytes, its boot header says %zu", name,
				       length, setup_length + code_length);
	KTSTR_TRY(read_release(data, setup_length, name, &image->release));
	if (read_u16(data, PROTOCOL_AT) < 0x0208)
		return NULL;
	payload_offset = read_u32(data, PAYLOAD_OFFSET_AT);
	payload_length = read_u32(data, PAYLOAD_LENGTH_AT);
	if (payload_offset > length - setup_length ||
	    payload_length > length - setup_length - payload_offset) {
		ktstr_bzimage_deinit(image);
		return ktstr_error_new(
			KTSTR_ERR_CORRUPT,
			"%s: payload of %zu bytes at 0x%zx goes beyond the file's %zu bytes", name,
			payload_length, setup_length + payload_offset, length);
	}
	image->payload_offset = setup_length + payload_offset;
	image->payload_length = payload_length;
	return NULL;
}

void ktstr_bzimage_deinit(struct ktstr_bzimage *image)
{
	free(image->release);
	*image = (struct ktstr_bzimage){ 0 };
}

struct ktstr_error *ktstr_bzimage_vmlinux(const void *data, size_t length, const char *name,
					  char **vmlinux, size_t *vmlinux_length)
{
	_cleanup_(ktstr_bzimage_deinit) struct ktstr_bzimage image = { 0 };
	_cleanup_free_ char *elf = NULL;
	const char *payload;
	size_t stream_length, elf_length;
	uint32_t expected;

	KTSTR_TRY(ktstr_bzimage_parse(data, length, name, &image));
	if (image.payload_length < 16)
		return ktstr_error_new(
			KTSTR_ERR_UNSUPPORTED,
			"%s: boot protocol without a payload: cannot extract vmlinux", name);
	payload = (const char *)data + image.payload_offset;
	stream_length = image.payload_length;
	/*
	 * The last 4 bytes are the decompressed size: gzip has them by itself, behind every other
	 * stream the kernel's build appends them (scripts/Makefile.lib, size_append).
	 */
	expected = read_u32(payload, stream_length - 4);
	if (memcmp(payload, "\x1f\x8b", 2))
		stream_length -= 4;
	KTSTR_TRY(ktstr_decompress(payload, stream_length, VMLINUX_MAX_BYTES, name, &elf,
				   &elf_length));
	if ((uint32_t)elf_length != expected && memcmp(payload,
						       "\x7f"
						       "ELF",
						       4))
		return ktstr_error_new(KTSTR_ERR_CORRUPT,
				       "%s: payload decompresses to %zu bytes instead of %u", name,
				       elf_length, expected);
	KTSTR_TRY(ktstr_elf_check_vmlinux(elf, elf_length, name));
	*vmlinux = ktstr_take(elf);
	*vmlinux_length = elf_length;
	return NULL;
}
