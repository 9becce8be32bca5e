/* SPDX-License-Identifier: GPL-2.0-only */
/* An empty kernel cache that cannot reach the network, and images and modules for it. */
#ifndef KTSTR_TESTS_KERNEL_FIXTURE_H
#define KTSTR_TESTS_KERNEL_FIXTURE_H

#include <elf.h>
#include <endian.h>

#include "kernel/internal.h"
#include "kernel/kernel.h"
#include "scratch.h"

static inline int make_cache(void **state)
{
	if (make_scratch(state))
		return -1;
	unsetenv("KTSTR_KERNEL");
	/* No mirror. */
	setenv("KTSTR_ETC_APT", scratch, 1);
	return setenv("KTSTR_CACHE_DIR", scratch, 1);
}

#define IN_CACHE(test) cmocka_unit_test_setup_teardown(test, make_cache, remove_scratch)

enum { IMAGE_BYTES = 8192, SETUP_BYTES = 5 * 512, RELEASE_AT = 0x400 };

static inline void put16(unsigned char *image, size_t at, uint16_t value)
{
	value = htole16(value);
	memcpy(image + at, &value, sizeof(value));
}

static inline void put32(unsigned char *image, size_t at, uint32_t value)
{
	value = htole32(value);
	memcpy(image + at, &value, sizeof(value));
}

/* A header of setup_sects 4, 4096 bytes of code, and a payload in the middle of that. */
static inline unsigned char *make_image(void)
{
	unsigned char *image = ktstr_xcalloc(1, IMAGE_BYTES);

	image[0x1f1] = 4;
	put32(image, 0x1f4, 4096 / 16);
	put16(image, 0x1fe, 0xaa55);
	memcpy(image + 0x202, "HdrS", 4);
	put16(image, 0x206, 0x020f);
	put16(image, 0x20e, RELEASE_AT - 0x200);
	strcpy((char *)image + RELEASE_AT, "7.3.4+deb13-cloud-amd64 (someone) #1 SMP");
	put32(image, 0x248, 256);
	put32(image, 0x24c, 1024);
	return image;
}

/* The smallest ELF file with a .modinfo section: header, that section, section names, table. */
static inline void put_module(const char *path, const char *modinfo, size_t modinfo_length)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	size_t names_at = sizeof(Elf64_Ehdr) + modinfo_length;
	size_t table_at = (names_at + sizeof(names) + 7) & ~7ul;
	size_t length = table_at + 3 * sizeof(Elf64_Shdr);
	_cleanup_free_ char *file = ktstr_xcalloc(1, length);
	Elf64_Ehdr header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
					   EV_CURRENT },
			      .e_type = ET_REL,
			      .e_machine = EM_X86_64,
			      .e_version = EV_CURRENT,
			      .e_shoff = table_at,
			      .e_ehsize = sizeof(header),
			      .e_shentsize = sizeof(Elf64_Shdr),
			      .e_shnum = 3,
			      .e_shstrndx = 2 };
	Elf64_Shdr sections[3] = { { 0 },
				   { .sh_name = 1,
				     .sh_type = SHT_PROGBITS,
				     .sh_offset = sizeof(header),
				     .sh_size = modinfo_length,
				     .sh_addralign = 1 },
				   { .sh_name = 10,
				     .sh_type = SHT_STRTAB,
				     .sh_offset = names_at,
				     .sh_size = sizeof(names),
				     .sh_addralign = 1 } };

	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), modinfo, modinfo_length);
	memcpy(file + names_at, names, sizeof(names));
	memcpy(file + table_at, sections, sizeof(sections));
	put_bytes(path, file, length);
}

#define PUT_MODULE(path, modinfo) put_module(path, modinfo, sizeof(modinfo))

#endif
