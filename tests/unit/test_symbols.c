// SPDX-License-Identifier: GPL-2.0-only
/*
 * One kernel's symbols in both places where they may come from: kallsyms in a guest's memory, and the symbol table of a
 * vmlinux. Both are made here; whoever asks must be told the same, and damaged files must only cost themselves.
 */
#include <bpf/btf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/build_id.h"
#include "observe/kallsyms.h"
#include "observe/kernel_view.h"
#include "observe/symtab.h"
#include "scratch.h"

enum { RAM_BYTES = 8 << 20, VMCOREINFO_AT = 0x5000, TABLES_AT = 0x300000, CPUS = 2 };

#define SLIDE	 UINT64_C(0x200000)
#define LINK(at) (KTSTR_START_KERNEL_MAP + (at))
#define LONG_	 "a_name_of_more_than_127_bytes_is_told_with_two_of_length_"

static const char build_id[] = "000102030405060708090a0b0c0d0e0f10111213";
static const char other_id[] = "ff0102030405060708090a0b0c0d0e0f10111213";

/* By address, as kallsyms has them; static ones of one name, aliases, per-CPU ones and sections' ends among them. */
static const struct ktstr_symbol image_symbols[] = {
	{ "_stext", LINK(0x10000) },
	{ "_text", LINK(0x10000) },
	{ "startup_64", LINK(0x10000) },
	{ "cleanup", LINK(0x10100) },
	{ LONG_ LONG_ LONG_, LINK(0x10180) },
	{ "cleanup", LINK(0x10200) },
	{ "__memcpy", LINK(0x10300) },
	{ "memcpy", LINK(0x10300) },
	{ "_etext", LINK(0x11000) },
	{ "__per_cpu_offset", LINK(0x18000) },
	{ "nr_cpu_ids", LINK(0x18100) },
	{ "init_uts_ns", LINK(0x18200) },
	{ "init_top_pgt", LINK(0x19000) },
	{ "_end", LINK(0x20000) },
};
static const struct ktstr_symbol per_cpu_in_image[] = {
	{ "__per_cpu_start", LINK(0x1a000) }, { "runqueues", LINK(0x1a040) }, { "__per_cpu_end", LINK(0x1b000) },
};
static const struct ktstr_symbol per_cpu_from_0[] = {
	{ "__per_cpu_start", 0 }, { "fixed_percpu_data", 0 }, { "runqueues", 0x40 }, { "__per_cpu_end", 0x1000 },
};

enum { IMAGE_SYMBOLS = sizeof(image_symbols) / sizeof(image_symbols[0]), SYMBOLS_MAX = IMAGE_SYMBOLS + 8 };

static struct fixture {
	char *ram;
	struct ktstr_guest_memory *memory; /* NULL: a view has it */
	struct ktstr_address_space space;
	struct ktstr_vmcoreinfo info;
	struct ktstr_symbol symbols[SYMBOLS_MAX];
	size_t count;
	char *file; /* the vmlinux */
	size_t bytes;
	char *path;
} fixture;

static int set_up(void **state)
{
	static const struct ktstr_ram_region regions[] = { { 0, RAM_BYTES, 0 } };
	int fd;

	if (make_scratch(state) || ktstr_memfd("test-ram", RAM_BYTES, &fd))
		return -1;
	fixture = (struct fixture){ .ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) };
	fixture.memory = ktstr_guest_memory_create(fd, regions, 1);
	fixture.space = (struct ktstr_address_space){ .memory = fixture.memory, .page_offset = KTSTR_DEFAULT_PAGE_OFFSET };
	fixture.path = ktstr_xasprintf("%s/vmlinux", scratch);
	return 0;
}

static int tear_down(void **state)
{
	ktstr_vmcoreinfo_deinit(&fixture.info);
	ktstr_guest_memory_destroy(fixture.memory);
	munmap(fixture.ram, RAM_BYTES);
	free(fixture.file);
	free(fixture.path);
	return remove_scratch(state);
}

static void take_symbols(const struct ktstr_symbol *per_cpu, size_t count)
{
	memcpy(fixture.symbols, per_cpu, count * sizeof(*per_cpu));
	memcpy(fixture.symbols + count, image_symbols, sizeof(image_symbols));
	fixture.count = count + IMAGE_SYMBOLS;
}

static uint64_t moved(uint64_t link)
{
	return link >= KTSTR_START_KERNEL_MAP ? link + SLIDE : link;
}

/* --- the guest --- */

static void *at_link(uint64_t link)
{
	return fixture.ram + moved(link) - KTSTR_START_KERNEL_MAP;
}

struct writer {
	uint64_t physical;
};

static uint64_t write_guest(struct writer *writer, const void *bytes, size_t count)
{
	uint64_t at = writer->physical;

	memcpy(fixture.ram + at, bytes, count);
	writer->physical = (at + count + 63) & ~UINT64_C(63);
	return KTSTR_START_KERNEL_MAP + at;
}

/* Each printable character is its own token. */
static void write_tokens(struct writer *writer, struct ktstr_str *info)
{
	char table[512] = "";
	uint16_t index[256];
	size_t bytes = 0;

	for (int token = 0; token < 256; token++) {
		index[token] = (uint16_t)bytes;
		if (token > ' ' && token < 127)
			table[bytes++] = (char)token;
		bytes++;
	}
	ktstr_str_addf(info, "SYMBOL(kallsyms_token_table)=%lx\n", write_guest(writer, table, sizeof(table)));
	ktstr_str_addf(info, "SYMBOL(kallsyms_token_index)=%lx\n", write_guest(writer, index, sizeof(index)));
}

static void write_names(struct writer *writer, struct ktstr_str *info)
{
	_cleanup_str_ struct ktstr_str names = { 0 };

	for (size_t i = 0; i < fixture.count; i++) {
		size_t length = strlen(fixture.symbols[i].name) + 1;
		char bytes[2] = { (char)(length & 0x7f), (char)(length >> 7) };

		if (bytes[1])
			bytes[0] |= (char)0x80;
		ktstr_str_add_bytes(&names, bytes, bytes[1] ? 2 : 1);
		ktstr_str_addf(&names, "T%s", fixture.symbols[i].name);
	}
	ktstr_str_addf(info, "SYMBOL(kallsyms_names)=%lx\n", write_guest(writer, names.data, names.length));
}

enum offsets { FROM_BASE, FROM_THEIR_PLACE, ABSOLUTE_PER_CPU };

static void write_offsets(struct writer *writer, struct ktstr_str *info, enum offsets kind)
{
	uint64_t base = moved(LINK(0x10000)), place = KTSTR_START_KERNEL_MAP + writer->physical;
	int32_t offsets[SYMBOLS_MAX];

	for (size_t i = 0; i < fixture.count; i++) {
		uint64_t address = moved(fixture.symbols[i].address);

		if (kind == FROM_THEIR_PLACE)
			offsets[i] = (int32_t)(address - (place + i * sizeof(*offsets)));
		else if (kind == FROM_BASE)
			offsets[i] = (int32_t)(address - base);
		else
			offsets[i] = (int32_t)(address < base ? address : base - 1 - address);
	}
	ktstr_str_addf(info, "SYMBOL(kallsyms_offsets)=%lx\n", write_guest(writer, offsets, fixture.count * sizeof(*offsets)));
	if (kind != FROM_THEIR_PLACE)
		ktstr_str_addf(info, "SYMBOL(kallsyms_relative_base)=%lx\n", write_guest(writer, &base, sizeof(base)));
}

static void put_info(const char *text)
{
	memcpy(fixture.ram + VMCOREINFO_AT, text, strlen(text) + 1);
	ktstr_vmcoreinfo_deinit(&fixture.info);
	assert_true(ktstr_vmcoreinfo_read(fixture.memory, VMCOREINFO_AT, &fixture.info));
}

static void add_facts(struct ktstr_str *info, const char *id)
{
	ktstr_str_addf(info, "OSRELEASE=7.3.4\nBUILD-ID=%s\nNUMBER(phys_base)=0\nKERNELOFFSET=%lx\n", id, SLIDE);
	ktstr_str_addf(info, "SYMBOL(init_top_pgt)=%lx\nSYMBOL(_stext)=%lx\n", moved(LINK(0x19000)), moved(LINK(0x10000)));
}

/* A guest that tells of kallsyms, and has CPUs. */
static void put_guest(enum offsets kind, const char *id)
{
	_cleanup_str_ struct ktstr_str info = { 0 };
	struct writer writer = { TABLES_AT };
	uint32_t count = (uint32_t)fixture.count, cpus = CPUS;
	uint64_t per_cpu[CPUS] = { 0x1000, 0x2000 };

	add_facts(&info, id);
	ktstr_str_addf(&info, "SYMBOL(kallsyms_num_syms)=%lx\n", write_guest(&writer, &count, sizeof(count)));
	write_names(&writer, &info);
	write_tokens(&writer, &info);
	write_offsets(&writer, &info, kind);
	memcpy(at_link(LINK(0x18000)), per_cpu, sizeof(per_cpu));
	memcpy(at_link(LINK(0x18100)), &cpus, sizeof(cpus));
	put_info(ktstr_str_text(&info));
}

/* The same kernel built without CONFIG_KALLSYMS. */
static void take_kallsyms_away(void)
{
	_cleanup_str_ struct ktstr_str info = { 0 };

	add_facts(&info, build_id);
	put_info(ktstr_str_text(&info));
}

/* --- the vmlinux --- */

enum { TEXT = 1, PER_CPU, NOTES, BTF, SYMTAB, STRTAB, SHSTRTAB, SECTIONS };

static Elf64_Ehdr *file_header(void)
{
	return (Elf64_Ehdr *)fixture.file;
}

static Elf64_Shdr *section(int number)
{
	return (Elf64_Shdr *)(fixture.file + file_header()->e_shoff) + number;
}

static Elf64_Sym *entries(void)
{
	return (Elf64_Sym *)(fixture.file + section(SYMTAB)->sh_offset);
}

static void add_entry(struct ktstr_str *table, struct ktstr_str *names, const char *name, int type, uint16_t where,
		      uint64_t value)
{
	Elf64_Sym symbol = { .st_name = (Elf64_Word)names->length, .st_info = ELF64_ST_INFO(STB_LOCAL, type),
			     .st_shndx = where, .st_value = value };

	ktstr_str_add_bytes(names, name, strlen(name) + 1);
	ktstr_str_add_bytes(table, (const char *)&symbol, sizeof(symbol));
}

/* In no order of addresses, as linkers leave them, and with all that a table has besides symbols of the program. */
static void make_table(struct ktstr_str *table, struct ktstr_str *names)
{
	ktstr_str_add_bytes(names, "", 1);
	add_entry(table, names, "", STT_NOTYPE, SHN_UNDEF, 0);
	add_entry(table, names, "", STT_SECTION, TEXT, LINK(0x10000));
	add_entry(table, names, "core.c", STT_FILE, SHN_ABS, 0);
	add_entry(table, names, ".Lend_of_loop", STT_NOTYPE, TEXT, LINK(0x10310));
	add_entry(table, names, "__crc_memcpy", STT_NOTYPE, TEXT, LINK(0x10320));
	add_entry(table, names, "VDSO64_PRELINK", STT_NOTYPE, SHN_ABS, 0x7000);
	add_entry(table, names, "hidden_elsewhere", STT_NOTYPE, SHN_UNDEF, 0);
	for (size_t i = fixture.count; i-- > 0;)
		add_entry(table, names, fixture.symbols[i].name, STT_OBJECT,
			  strstr(fixture.symbols[i].name, "per_cpu_") ? PER_CPU : TEXT, fixture.symbols[i].address);
}

static void place(Elf64_Shdr *header, struct ktstr_str *file, const void *content, size_t bytes)
{
	while (file->length % 8)
		ktstr_str_add_bytes(file, "", 1);
	header->sh_offset = file->length;
	header->sh_size = bytes;
	ktstr_str_add_bytes(file, content, bytes);
}

static void make_vmlinux(void)
{
	static const char shstrtab[] = "\0.BTF";
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[KTSTR_BUILD_ID_BYTES];
	} note = { { 4, KTSTR_BUILD_ID_BYTES, NT_GNU_BUILD_ID }, "GNU", { 0 } };
	Elf64_Ehdr header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC,
			      .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_ehsize = sizeof(header),
			      .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SECTIONS, .e_shstrndx = SHSTRTAB };
	Elf64_Shdr sections[SECTIONS] = {
		[TEXT] = { .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC, .sh_addr = LINK(0x10000), .sh_size = 0x10000 },
		[PER_CPU] = { .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC, .sh_size = 0x1000 },
		[NOTES] = { .sh_type = SHT_NOTE, .sh_addralign = 4 },
		[BTF] = { .sh_type = SHT_PROGBITS, .sh_name = 1, .sh_addralign = 1 },
		[SYMTAB] = { .sh_type = SHT_SYMTAB, .sh_link = STRTAB, .sh_entsize = sizeof(Elf64_Sym), .sh_addralign = 8 },
		[STRTAB] = { .sh_type = SHT_STRTAB, .sh_addralign = 1 },
		[SHSTRTAB] = { .sh_type = SHT_STRTAB, .sh_addralign = 1 },
	};
	_cleanup_str_ struct ktstr_str file = { 0 }, table = { 0 }, names = { 0 };
	struct btf *btf = btf__new_empty();
	const void *types;
	uint32_t types_bytes;

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	types = btf__raw_data(btf, &types_bytes);
	for (uint8_t i = 0; i < KTSTR_BUILD_ID_BYTES; i++)
		note.id[i] = i;
	make_table(&table, &names);
	ktstr_str_add_bytes(&file, (const char *)&header, sizeof(header));
	place(&sections[NOTES], &file, &note, sizeof(note));
	place(&sections[BTF], &file, types, types_bytes);
	place(&sections[SYMTAB], &file, table.data, table.length);
	place(&sections[STRTAB], &file, names.data, names.length);
	place(&sections[SHSTRTAB], &file, shstrtab, sizeof(shstrtab));
	while (file.length % 8)
		ktstr_str_add_bytes(&file, "", 1);
	header.e_shoff = file.length;
	ktstr_str_add_bytes(&file, (const char *)sections, sizeof(sections));
	memcpy(file.data, &header, sizeof(header));
	btf__free(btf);
	free(fixture.file);
	fixture.bytes = file.length;
	fixture.file = ktstr_xmalloc(file.length);
	memcpy(fixture.file, file.data, file.length);
}

static void put_vmlinux(size_t bytes)
{
	put_bytes("vmlinux", fixture.file, bytes);
}

/* --- tests --- */

static void assert_same(const struct ktstr_symbols *a, const struct ktstr_symbols *b)
{
	size_t count, others, equal = 0;
	const struct ktstr_symbol *x = ktstr_symbols_all(a, &count), *y = ktstr_symbols_all(b, &others);

	assert_int_equal(count, fixture.count);
	assert_int_equal(others, fixture.count);
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_symbol *found = ktstr_symbols_find(a, x[i].name), *other = ktstr_symbols_find(b, x[i].name);

		assert_string_equal(x[i].name, y[i].name);
		assert_true(x[i].address == y[i].address);
		assert_true(found && other && found->address == other->address);
		assert_string_equal(ktstr_symbols_at(a, x[i].address + 1)->name, ktstr_symbols_at(b, x[i].address + 1)->name);
		equal++;
	}
	print_message("compared %zu, equal %zu\n", count, equal);
}

/* The names at each address are those that the fixture has there. */
static void assert_complete(const struct ktstr_symbols *symbols)
{
	for (size_t i = 0; i < fixture.count; i++) {
		size_t count, there = 0;
		const struct ktstr_symbol *all = ktstr_symbols_all(symbols, &count);

		for (size_t k = 0; k < count; k++)
			there += all[k].address == moved(fixture.symbols[i].address) && !strcmp(all[k].name, fixture.symbols[i].name);
		assert_int_equal(there, 1);
	}
}

static void compare_sources(enum offsets kind)
{
	struct ktstr_symbols *from_guest = NULL, *from_file;
	_cleanup_free_ char *note = NULL;
	struct ktstr_vmlinux *vmlinux;

	put_guest(kind, build_id);
	make_vmlinux();
	put_vmlinux(fixture.bytes);
	assert_ok(ktstr_kallsyms_read(&fixture.space, &fixture.info, &from_guest));
	assert_ok(ktstr_vmlinux_load(fixture.path, &vmlinux));
	assert_null(vmlinux->damage);
	assert_string_equal(vmlinux->build_id, build_id);
	from_file = ktstr_vmlinux_symbols(vmlinux, &fixture.info, &note);
	assert_non_null(from_file);
	assert_null(note);
	assert_complete(from_guest);
	assert_same(from_guest, from_file);
	ktstr_symbols_destroy(from_file);
	ktstr_symbols_destroy(from_guest);
	ktstr_vmlinux_destroy(vmlinux);
}

static void both_sources_tell_the_same(void **state)
{
	(void)state;
	take_symbols(per_cpu_in_image, 3);
	compare_sources(FROM_THEIR_PLACE);
	compare_sources(FROM_BASE);
}

static void per_cpu_variables_from_0_do_not_move(void **state)
{
	(void)state;
	take_symbols(per_cpu_from_0, 4);
	compare_sources(ABSOLUTE_PER_CPU);
}

/* Aliases: the name with the fewest underscores in front, whatever the source; the first of several static ones. */
static void names_and_addresses_lead_to_one_symbol(void **state)
{
	struct ktstr_symbols *symbols;

	(void)state;
	take_symbols(per_cpu_in_image, 3);
	make_vmlinux();
	put_vmlinux(fixture.bytes);
	assert_ok(ktstr_symtab_read(fixture.path, &symbols));
	assert_true(ktstr_symbols_find(symbols, "cleanup")->address == LINK(0x10100));
	assert_string_equal(ktstr_symbols_at(symbols, LINK(0x10315))->name, "memcpy");
	assert_string_equal(ktstr_symbols_at(symbols, LINK(0x10010))->name, "startup_64");
	assert_null(ktstr_symbols_at(symbols, LINK(0xffff)));
	assert_null(ktstr_symbols_find(symbols, "core.c"));
	assert_null(ktstr_symbols_find(symbols, "VDSO64_PRELINK"));
	assert_null(ktstr_symbols_find(symbols, "hidden_elsewhere"));
	ktstr_symbols_destroy(symbols);
}

/* Opens a view of the guest with the file as it is now; the memory goes with the view. */
static struct ktstr_error *open_view(struct ktstr_vmlinux **vmlinux, struct ktstr_kernel_view **view)
{
	*view = NULL;
	put_vmlinux(fixture.bytes);
	KTSTR_TRY(ktstr_vmlinux_load(fixture.path, vmlinux));
	return ktstr_kernel_view_open(ktstr_take(fixture.memory), *vmlinux, VMCOREINFO_AT, view);
}

static void expect_source(const char *source, const char *note)
{
	struct ktstr_vmlinux *vmlinux;
	struct ktstr_kernel_view *view;

	assert_ok(open_view(&vmlinux, &view));
	assert_string_equal(view->symbols_from, source);
	if (note)
		assert_has(view->symbols_note, note);
	else
		assert_null(view->symbols_note);
	assert_int_equal(view->cpus, CPUS);
	assert_true(ktstr_view_symbol(view, "runqueues") == moved(LINK(0x1a040)));
	ktstr_kernel_view_close(view);
	ktstr_vmlinux_destroy(vmlinux);
}

static void prepare(const char *guest_id)
{
	take_symbols(per_cpu_in_image, 3);
	put_guest(FROM_THEIR_PLACE, guest_id);
	make_vmlinux();
}

static void the_table_comes_first(void **state)
{
	(void)state;
	prepare(build_id);
	expect_source("vmlinux", NULL);
}

static void a_kernel_without_kallsyms_has_its_table(void **state)
{
	(void)state;
	prepare(build_id);
	take_kallsyms_away();
	expect_source("vmlinux", NULL);
}

static void a_stripped_vmlinux_leaves_kallsyms(void **state)
{
	(void)state;
	prepare(build_id);
	section(SYMTAB)->sh_type = SHT_PROGBITS;
	expect_source("kallsyms", NULL);
}

static void another_build_is_not_believed(void **state)
{
	(void)state;
	prepare(other_id);
	expect_source("kallsyms", "build ID 000102");
}

/* Neither has an ID: where symbols are decides. */
static void symbols_elsewhere_are_not_believed(void **state)
{
	(void)state;
	prepare("0000000000000000000000000000000000000000");
	section(NOTES)->sh_type = SHT_PROGBITS;
	for (size_t i = 0; i < section(SYMTAB)->sh_size / sizeof(Elf64_Sym); i++)
		entries()[i].st_value += 16;
	expect_source("kallsyms", "not where the guest's kernel has them");
}

static void a_build_without_an_id_is_believed_by_its_symbols(void **state)
{
	(void)state;
	prepare("0000000000000000000000000000000000000000");
	expect_source("vmlinux", NULL);
}

static void a_damaged_table_leaves_kallsyms(void **state)
{
	(void)state;
	prepare(build_id);
	section(STRTAB)->sh_offset = UINT64_C(1) << 40;
	expect_source("kallsyms", "vmlinux is damaged: the table of its names");
}

static void without_any_symbols_the_error_says_both(void **state)
{
	struct ktstr_vmlinux *vmlinux;
	struct ktstr_kernel_view *view;

	(void)state;
	prepare(build_id);
	take_kallsyms_away();
	section(SYMTAB)->sh_size = UINT64_C(1) << 40;
	assert_fails(open_view(&vmlinux, &view), KTSTR_ERR_UNSUPPORTED, "(CONFIG_KALLSYMS), and its vmlinux has no symbol table");
	ktstr_vmlinux_destroy(vmlinux);
}

static void refuse(int code, const char *part)
{
	struct ktstr_symbols *symbols;

	put_vmlinux(fixture.bytes);
	assert_fails(ktstr_symtab_read(fixture.path, &symbols), code, part);
	assert_null(symbols);
	make_vmlinux();
}

static void what_is_damaged_is_said(void **state)
{
	(void)state;
	take_symbols(per_cpu_in_image, 3);
	make_vmlinux();
	file_header()->e_machine = EM_AARCH64;
	refuse(KTSTR_ERR_UNSUPPORTED, "is for ELF machine 183, not x86-64 (62)");
	fixture.file[EI_DATA] = ELFDATA2MSB;
	refuse(KTSTR_ERR_UNSUPPORTED, "is for ELF machine");
	fixture.file[0] = 'x';
	refuse(KTSTR_ERR_CORRUPT, "is not an ELF file");
	file_header()->e_shoff = UINT64_MAX - 8;
	refuse(KTSTR_ERR_CORRUPT, "vmlinux");
	section(SYMTAB)->sh_size = UINT64_MAX - 15;
	refuse(KTSTR_ERR_CORRUPT, "not inside the file");
	section(SYMTAB)->sh_offset = fixture.bytes;
	refuse(KTSTR_ERR_CORRUPT, "not inside the file");
	section(SYMTAB)->sh_size = 0;
	refuse(KTSTR_ERR_CORRUPT, "empty");
	section(SYMTAB)->sh_entsize = 16;
	refuse(KTSTR_ERR_CORRUPT, "it is not inside the file, or");
	section(SYMTAB)->sh_link = BTF;
	refuse(KTSTR_ERR_CORRUPT, "the table of its names");
	section(SYMTAB)->sh_link = 1000;
	refuse(KTSTR_ERR_CORRUPT, "the table of its names");
	section(STRTAB)->sh_size = 40;
	refuse(KTSTR_ERR_CORRUPT, "a symbol's name is outside");
	entries()[9].st_name = UINT32_MAX;
	refuse(KTSTR_ERR_CORRUPT, "a symbol's name is outside");
	section(SYMTAB)->sh_size = 5 * sizeof(Elf64_Sym);
	entries()[4].st_shndx = SHN_UNDEF;
	refuse(KTSTR_ERR_CORRUPT, "no symbol in it");
}

/* A file that is cut off anywhere: the table is at its end, so that whatever is missing is needed. */
static void a_cut_off_file_is_refused(void **state)
{
	struct ktstr_symbols *symbols;

	(void)state;
	take_symbols(per_cpu_in_image, 3);
	make_vmlinux();
	for (size_t bytes = 0; bytes < fixture.bytes; bytes += bytes < 128 || bytes + 600 > fixture.bytes ? 1 : 97) {
		struct ktstr_error *error;

		put_vmlinux(bytes);
		error = ktstr_symtab_read(fixture.path, &symbols);
		assert_non_null(error);
		ktstr_error_free(error);
		ktstr_symbols_destroy(symbols);
	}
}

/* Any byte of the file may be wrong: symbols or an error, and no read of what is not the file's. */
static void a_wrong_byte_costs_the_table_at_most(void **state)
{
	(void)state;
	take_symbols(per_cpu_in_image, 3);
	make_vmlinux();
	for (size_t at = 0; at < fixture.bytes; at++) {
		char before = fixture.file[at];
		struct ktstr_symbols *symbols;

		fixture.file[at] = (char)~before;
		put_vmlinux(fixture.bytes);
		ktstr_error_free(ktstr_symtab_read(fixture.path, &symbols));
		ktstr_symbols_destroy(symbols);
		free(ktstr_build_id(fixture.path));
		fixture.file[at] = before;
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
		TEST(both_sources_tell_the_same),
		TEST(per_cpu_variables_from_0_do_not_move),
		TEST(names_and_addresses_lead_to_one_symbol),
		TEST(the_table_comes_first),
		TEST(a_kernel_without_kallsyms_has_its_table),
		TEST(a_stripped_vmlinux_leaves_kallsyms),
		TEST(another_build_is_not_believed),
		TEST(symbols_elsewhere_are_not_believed),
		TEST(a_build_without_an_id_is_believed_by_its_symbols),
		TEST(a_damaged_table_leaves_kallsyms),
		TEST(without_any_symbols_the_error_says_both),
		TEST(what_is_damaged_is_said),
		TEST(a_cut_off_file_is_refused),
		TEST(a_wrong_byte_costs_the_table_at_most),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
