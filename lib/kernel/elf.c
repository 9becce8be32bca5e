// SPDX-License-Identifier: GPL-2.0-only
/* The two things we want from ELF files here: is this a vmlinux with BTF, and a module's .modinfo.
 */
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/internal.h"

KTSTR_DEFINE_CLEANUP(Elf *, cleanup_elf, elf_end)

static struct ktstr_error *open_elf(const void *data, size_t length, const char *name, Elf **elf)
{
	GElf_Ehdr header;

	elf_version(EV_CURRENT);
	/* libelf only writes to the image when asked to; its interface just lacks the const. */
	*elf = elf_memory((char *)data, length);
	if (!*elf || elf_kind(*elf) != ELF_K_ELF || !gelf_getehdr(*elf, &header))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s is not an ELF file", name);
	if (header.e_machine != EM_X86_64)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "%s is for ELF machine %d, not x86-64 (%d)", name,
				       header.e_machine, EM_X86_64);
	return NULL;
}

/* NULL when there is no such section, or its bytes are not inside the file. */
static Elf_Data *find_section(Elf *elf, const char *wanted)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && !strcmp(name, wanted) && header.sh_type != SHT_NOBITS)
			return elf_rawdata(section, NULL);
	}
	return NULL;
}

struct ktstr_error *ktstr_elf_check_vmlinux(const void *data, size_t length, const char *name)
{
	_cleanup_(cleanup_elf) Elf *elf = NULL;
	Elf_Data *btf;

	KTSTR_TRY(open_elf(data, length, name, &elf));
	btf = find_section(elf, ".BTF");
	if (!btf || !btf->d_buf || btf->d_size < 24)
		return ktstr_error_new(
			KTSTR_ERR_UNSUPPORTED,
			"%s has no .BTF section: its kernel needs CONFIG_DEBUG_INFO_BTF=y", name);
	return NULL;
}

struct ktstr_error *ktstr_elf_modinfo(const void *data, size_t length, const char *name,
				      struct ktstr_strv *entries)
{
	_cleanup_(cleanup_elf) Elf *elf = NULL;
	const char *cursor, *end;
	Elf_Data *modinfo;

	KTSTR_TRY(open_elf(data, length, name, &elf));
	modinfo = find_section(elf, ".modinfo");
	if (!modinfo || !modinfo->d_buf)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s has no .modinfo section", name);
	cursor = modinfo->d_buf;
	end = cursor + modinfo->d_size;
	while (cursor < end) {
		size_t entry_length = strnlen(cursor, (size_t)(end - cursor));

		if (entry_length)
			ktstr_strv_addf(entries, "%.*s", (int)entry_length, cursor);
		cursor += entry_length + 1;
	}
	return NULL;
}
