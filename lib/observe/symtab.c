// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the symbol table of a vmlinux through libelf, which checks that sections lie inside the file. The file is read,
 * not mapped: a build may shorten it meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/symtab.h"

KTSTR_DEFINE_CLEANUP(Elf *, cleanup_elf, elf_end)

static struct ktstr_error *damaged(const char *path, const char *what)
{
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "the symbol table of %s is damaged: %s", path, what);
}

static struct ktstr_error *check_header(Elf *elf, const char *path)
{
	GElf_Ehdr header;
	size_t sections;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s is not an ELF file", path);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s is for ELF machine %d, not x86-64 (%d)", path,
				       header.e_machine, EM_X86_64);
	/* A stripped file has sections, too: without any, the table of them is not where the header says. */
	if (elf_getshdrnum(elf, &sections) || !sections)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s has no section table: it is cut off, or damaged", path);
	return NULL;
}

/*
 * What scripts/mksysmap and scripts/kallsyms.c leave out, too: what is defined elsewhere, absolute or no symbol of the
 * program, labels inside of functions, and what the tools that made the image left behind.
 */
static bool is_wanted(const GElf_Sym *symbol, const char *name)
{
	static const char *const unwanted[] = { ".L", "$", "__crc_", "__kstrtab", "__kcfi_typeid_", "__efistub_" };
	int type = GELF_ST_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || type == STT_SECTION || type == STT_FILE || !*name)
		return false;
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		if (ktstr_str_starts_with(name, unwanted[i]))
			return false;
	return true;
}

/* The names that a table refers to: a copy that ends, heap. NULL: they are not where it says. */
static char *copy_names(Elf *elf, const GElf_Shdr *table, size_t *bytes)
{
	Elf_Scn *section = elf_getscn(elf, table->sh_link);
	Elf_Data *data = NULL;
	GElf_Shdr header;
	char *names;

	if (section && gelf_getshdr(section, &header) && header.sh_type == SHT_STRTAB)
		data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return NULL;
	*bytes = data->d_size;
	names = ktstr_xmalloc(*bytes + 1);
	memcpy(names, data->d_buf, *bytes);
	names[*bytes] = '\0';
	return names;
}

static struct ktstr_error *read_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *path,
				      struct ktstr_symbols **symbols)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t entries = data && data->d_buf ? data->d_size / sizeof(Elf64_Sym) : 0, names_bytes = 0, count = 0;
	_cleanup_free_ struct ktstr_symbol *all = NULL;
	_cleanup_free_ char *names = copy_names(elf, header, &names_bytes);

	if (!entries || header->sh_entsize != sizeof(Elf64_Sym) || entries > KTSTR_SYMBOLS_MAX)
		return damaged(path, "it is not inside the file, or empty, or too long");
	if (!names)
		return damaged(path, "the table of its names is not inside the file");
	all = ktstr_xcalloc(entries, sizeof(*all));
	for (size_t i = 1; i < entries; i++) {
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_name >= names_bytes)
			return damaged(path, "a symbol's name is outside of the table of names");
		if (is_wanted(&symbol, names + symbol.st_name))
			all[count++] = (struct ktstr_symbol){ names + symbol.st_name, symbol.st_value };
	}
	if (!count)
		return damaged(path, "no symbol in it has a place in the kernel");
	*symbols = ktstr_symbols_create(ktstr_take(all), count, ktstr_take(names));
	return NULL;
}

/* A file has one at most. */
static struct ktstr_error *find_table(Elf *elf, const char *path, struct ktstr_symbols **symbols)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			return damaged(path, elf_errmsg(-1));
		if (header.sh_type == SHT_SYMTAB)
			return read_table(elf, section, &header, path, symbols);
	}
	return NULL;
}

struct ktstr_error *ktstr_symtab_read(const char *path, struct ktstr_symbols **symbols)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(cleanup_elf) Elf *elf = NULL;

	*symbols = NULL;
	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open %s", path);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	KTSTR_TRY(check_header(elf, path));
	return find_table(elf, path, symbols);
}
