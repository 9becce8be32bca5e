// SPDX-License-Identifier: GPL-2.0-only
/* Gives a stripped vmlinux the symbol table that it was linked with; see host.h. */
#include <elf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "host.h"

static void pad(struct ktstr_str *file)
{
	while (file->length % 8)
		ktstr_str_add_bytes(file, "", 1);
}

/* As a linker does: what lies behind the end of a section belongs to it. */
static uint16_t section_of(const Elf64_Shdr *sections, uint16_t count, uint64_t address)
{
	uint16_t best = SHN_ABS;

	for (uint16_t i = 1; i < count; i++)
		if (sections[i].sh_flags & SHF_ALLOC && sections[i].sh_addr <= address &&
		    (best == SHN_ABS || sections[i].sh_addr >= sections[best].sh_addr))
			best = i;
	return best;
}

static void add(struct ktstr_str *table, struct ktstr_str *names, const char *name, int type, uint16_t section,
		uint64_t value)
{
	Elf64_Sym symbol = { .st_name = (Elf64_Word)names->length, .st_info = ELF64_ST_INFO(STB_GLOBAL, type),
			     .st_shndx = section, .st_value = value };

	ktstr_str_add_bytes(names, name, strlen(name) + 1);
	ktstr_str_add_bytes(table, (const char *)&symbol, sizeof(symbol));
}

/* From the last to the first, with entries that kallsyms leaves out. */
static void add_symbols(const struct ktstr_kernel_view *view, const Elf64_Shdr *sections, uint16_t sections_count,
			struct ktstr_str *table, struct ktstr_str *names)
{
	size_t count;
	const struct ktstr_symbol *all = ktstr_symbols_all(view->symbols, &count);

	add(table, names, "", STT_NOTYPE, SHN_UNDEF, 0);
	for (uint16_t i = 1; i < sections_count; i++)
		add(table, names, "", STT_SECTION, i, sections[i].sh_addr);
	add(table, names, "head_64.c", STT_FILE, SHN_ABS, 0);
	add(table, names, ".Llabel", STT_NOTYPE, 1, sections[1].sh_addr);
	add(table, names, "absolute", STT_NOTYPE, SHN_ABS, sections[1].sh_addr);
	while (count-- > 0) {
		uint64_t link = all[count].address - (all[count].address >= KTSTR_START_KERNEL_MAP ? view->slide : 0);

		add(table, names, all[count].name, STT_OBJECT, section_of(sections, sections_count, link), link);
	}
}

struct ktstr_error *outside_write_symtab(const struct ktstr_kernel_view *view, const char *stripped, const char *path)
{
	_cleanup_str_ struct ktstr_str file = { 0 }, table = { 0 }, names = { 0 };
	_cleanup_free_ char *bytes = NULL;
	Elf64_Shdr added[2] = { { .sh_type = SHT_SYMTAB, .sh_entsize = sizeof(Elf64_Sym), .sh_addralign = 8 },
				{ .sh_type = SHT_STRTAB, .sh_addralign = 1 } };
	const Elf64_Shdr *sections;
	Elf64_Ehdr header;
	size_t length;

	KTSTR_TRY(ktstr_read_file(stripped, &bytes, &length));
	memcpy(&header, bytes, sizeof(header));
	sections = (const Elf64_Shdr *)(bytes + header.e_shoff);
	add_symbols(view, sections, header.e_shnum, &table, &names);
	ktstr_str_add_bytes(&file, bytes, length);
	pad(&file);
	added[0].sh_offset = file.length;
	added[0].sh_size = table.length;
	added[0].sh_link = header.e_shnum + 1u;
	added[0].sh_info = 1;
	ktstr_str_add_bytes(&file, table.data, table.length);
	added[1].sh_offset = file.length;
	added[1].sh_size = names.length;
	ktstr_str_add_bytes(&file, names.data, names.length);
	pad(&file);
	ktstr_str_add_bytes(&file, (const char *)sections, header.e_shnum * sizeof(*sections));
	ktstr_str_add_bytes(&file, (const char *)added, sizeof(added));
	header.e_shoff = file.length - (header.e_shnum + 2u) * sizeof(*sections);
	header.e_shnum += 2;
	memcpy(file.data, &header, sizeof(header));
	return ktstr_write_file_atomic(path, file.data, file.length);
}
