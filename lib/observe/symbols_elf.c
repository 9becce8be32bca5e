// SPDX-License-Identifier: GPL-2.0-only
/* Writes symbols as an ELF executable that has nothing but them; see symbols_elf.h. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/symbols_elf.h"

/* The sections of the file, in their order. Those of code have no content: debuggers ask where functions lie. */
enum { SECTION_TEXT = 1, SECTION_INIT_TEXT, SECTION_SYMTAB, SECTION_STRTAB };

static const char section_names[] = "\0.text\0.init.text\0.symtab\0.strtab";
enum { NAME_TEXT = 1, NAME_INIT_TEXT = 7, NAME_SYMTAB = 18, NAME_STRTAB = 26 };

struct range {
	uint64_t start, end;
};

static struct range range_of(const struct ktstr_symbols *symbols, const char *first, const char *past)
{
	const struct ktstr_symbol *start = ktstr_symbols_find(symbols, first), *end = ktstr_symbols_find(symbols, past);

	if (!start || !end || end->address < start->address)
		return (struct range){ 0, 0 };
	return (struct range){ start->address, end->address };
}

static bool within(const struct range *range, uint64_t address)
{
	return address >= range->start && address < range->end;
}

static struct ktstr_error *elf_failure(const char *path)
{
	return ktstr_error_new(KTSTR_ERR_SYSTEM, "cannot write %s: %s", path, elf_errmsg(-1));
}

static bool add_section(Elf *elf, const GElf_Shdr *wanted, void *content, size_t bytes, Elf_Type type)
{
	Elf_Scn *section = elf_newscn(elf);
	Elf_Data *data = section ? elf_newdata(section) : NULL;
	GElf_Shdr header;

	if (!data || !gelf_getshdr(section, &header))
		return false;
	header = *wanted;
	*data = (Elf_Data){ .d_buf = content, .d_size = bytes, .d_type = type, .d_align = 8, .d_version = EV_CURRENT };
	return gelf_update_shdr(section, &header);
}

static bool add_code(Elf *elf, unsigned int name, const struct range *range)
{
	GElf_Shdr header = { .sh_name = name, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			     .sh_addr = range->start, .sh_addralign = 16 };

	return add_section(elf, &header, NULL, range->end - range->start, ELF_T_BYTE);
}

/* The table, its first entry empty; names go to strings. A symbol reaches to the next one. */
static Elf64_Sym *make_table(const struct ktstr_symbols *symbols, const struct range code[2], size_t *count,
			     struct ktstr_str *strings)
{
	const struct ktstr_symbol *all = ktstr_symbols_all(symbols, count);
	Elf64_Sym *table = ktstr_xcalloc(*count + 1, sizeof(*table));

	ktstr_str_add_bytes(strings, "", 1);
	for (size_t i = 0; i < *count; i++) {
		uint64_t next = i + 1 < *count ? all[i + 1].address : all[i].address;
		bool text = within(&code[0], all[i].address), init = within(&code[1], all[i].address);

		table[i + 1] = (Elf64_Sym){
			.st_name = (Elf64_Word)strings->length,
			.st_info = ELF64_ST_INFO(STB_GLOBAL, text || init ? STT_FUNC : STT_OBJECT),
			.st_shndx = text ? SECTION_TEXT : init ? SECTION_INIT_TEXT : SHN_ABS,
			.st_value = all[i].address,
			.st_size = text || init ? next - all[i].address : 0,
		};
		ktstr_str_add_bytes(strings, all[i].name, strlen(all[i].name) + 1);
	}
	(*count)++;
	return table;
}

static bool write_elf(Elf *elf, const struct range code[2], Elf64_Sym *table, size_t count,
		      const struct ktstr_str *strings)
{
	GElf_Ehdr header;
	GElf_Shdr symtab = { .sh_name = NAME_SYMTAB, .sh_type = SHT_SYMTAB, .sh_link = SECTION_STRTAB, .sh_info = 1,
			     .sh_entsize = sizeof(Elf64_Sym), .sh_addralign = 8 };
	/* One table of names for symbols and sections: the sections' come first. */
	GElf_Shdr strtab = { .sh_name = NAME_STRTAB, .sh_type = SHT_STRTAB, .sh_addralign = 1 };

	if (!gelf_newehdr(elf, ELFCLASS64) || !gelf_getehdr(elf, &header))
		return false;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_type = ET_EXEC;
	header.e_machine = EM_X86_64;
	header.e_version = EV_CURRENT;
	header.e_shstrndx = SECTION_STRTAB;
	return gelf_update_ehdr(elf, &header) && add_code(elf, NAME_TEXT, &code[0]) &&
	       add_code(elf, NAME_INIT_TEXT, &code[1]) &&
	       add_section(elf, &symtab, table, count * sizeof(*table), ELF_T_SYM) &&
	       add_section(elf, &strtab, strings->data, strings->length, ELF_T_BYTE) && elf_update(elf, ELF_C_WRITE) >= 0;
}

struct ktstr_error *ktstr_symbols_write_elf(const struct ktstr_symbols *symbols, const char *path)
{
	const struct range code[2] = { range_of(symbols, "_stext", "_etext"), range_of(symbols, "_sinittext", "_einittext") };
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_str_ struct ktstr_str strings = { 0 };
	_cleanup_free_ Elf64_Sym *table = NULL;
	size_t count;
	bool written;
	Elf *elf;

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot create %s", path);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!elf)
		return elf_failure(path);
	ktstr_str_add_bytes(&strings, section_names, sizeof(section_names) - 1);
	table = make_table(symbols, code, &count, &strings);
	written = write_elf(elf, code, table, count, &strings);
	elf_end(elf);
	return written ? NULL : elf_failure(path);
}
