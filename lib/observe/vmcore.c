// SPDX-License-Identifier: GPL-2.0-only
/*
 * ELF cores of guests. The layout is the one that the kernel's own kdump writes (kernel/crash_core.c,
 * fs/proc/vmcore.c): notes first, then RAM.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "dump/number.h"
#include "observe/vmcore.h"

enum { PAGE = 4096, CHUNK = 1 << 20 };

static void add_padded(struct ktstr_str *out, const void *bytes, size_t count)
{
	static const char zeros[4];

	ktstr_str_add_bytes(out, bytes, count);
	ktstr_str_add_bytes(out, zeros, -count % 4);
}

static void add_note(struct ktstr_str *out, const char *name, uint32_t type, const void *bytes, size_t count)
{
	Elf64_Nhdr header = { .n_namesz = (uint32_t)strlen(name) + 1, .n_descsz = (uint32_t)count, .n_type = type };

	ktstr_str_add_bytes(out, &header, sizeof(header));
	add_padded(out, name, header.n_namesz);
	add_padded(out, bytes, count);
}

static uint64_t register_of(const json_t *registers, const char *name)
{
	uint64_t value;
	bool negative;

	return ktstr_json_read_exact(json_object_get(registers, name), &value, &negative) ? value : 0;
}

static void add_notes(struct ktstr_str *out, const struct ktstr_kernel_view *view, const json_t *vcpu_regs)
{
	enum { RIP = 16, RSP = 19 }; /* struct user_regs_struct of x86-64, in registers */

	for (size_t cpu = 0; cpu < json_array_size(vcpu_regs); cpu++) {
		const json_t *registers = json_array_get(vcpu_regs, cpu);
		struct elf_prstatus status = { .pr_pid = (pid_t)cpu + 1 };

		status.pr_reg[RIP] = register_of(registers, "instruction_pointer");
		status.pr_reg[RSP] = register_of(registers, "stack_pointer");
		add_note(out, "CORE", NT_PRSTATUS, &status, sizeof(status));
	}
	add_note(out, "VMCOREINFO", 0, view->info.text, strlen(view->info.text));
}

static uint64_t page_up(uint64_t offset)
{
	return (offset + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/*
 * The kernel's image once more, at its own addresses, as kexec describes it: readers find the page tables through it.
 * Empty when it is not where its symbols say.
 */
static Elf64_Phdr image_of(const struct ktstr_kernel_view *view, const struct ktstr_ram_region *regions, size_t count,
			   const uint64_t *offsets)
{
	uint64_t start = ktstr_view_symbol(view, "_text"), end = ktstr_view_symbol(view, "_end");
	uint64_t physical = start - KTSTR_START_KERNEL_MAP + view->space.phys_base, bytes = page_up(end - start);
	Elf64_Phdr image = { .p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X };

	for (size_t i = 0; start && end > start && i < count; i++) {
		uint64_t into = physical - regions[i].physical;

		if (physical < regions[i].physical || into >= regions[i].bytes || bytes > regions[i].bytes - into)
			continue;
		image.p_offset = offsets[i] + into;
		image.p_vaddr = start;
		image.p_paddr = physical;
		image.p_filesz = image.p_memsz = bytes;
	}
	return image;
}

/* Notes, RAM, the kernel's image. *offsets: where each region begins in the file. */
static void add_headers(struct ktstr_str *out, const struct ktstr_kernel_view *view, const struct ktstr_ram_region *regions,
			size_t count, uint64_t notes_bytes, uint64_t *offsets)
{
	uint64_t headers = sizeof(Elf64_Ehdr) + (count + 2) * sizeof(Elf64_Phdr), offset = page_up(headers + notes_bytes);
	Elf64_Ehdr header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			      .e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			      .e_phoff = sizeof(header), .e_ehsize = sizeof(header), .e_phentsize = sizeof(Elf64_Phdr),
			      .e_phnum = (uint16_t)(count + 2) };
	Elf64_Phdr notes = { .p_type = PT_NOTE, .p_offset = headers, .p_filesz = notes_bytes, .p_memsz = notes_bytes }, image;

	ktstr_str_add_bytes(out, &header, sizeof(header));
	ktstr_str_add_bytes(out, &notes, sizeof(notes));
	for (size_t i = 0; i < count; i++) {
		Elf64_Phdr load = { .p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_offset = offset,
				    .p_vaddr = view->space.page_offset + regions[i].physical,
				    .p_paddr = regions[i].physical, .p_filesz = regions[i].bytes,
				    .p_memsz = regions[i].bytes };

		ktstr_str_add_bytes(out, &load, sizeof(load));
		offsets[i] = offset;
		offset += page_up(regions[i].bytes);
	}
	offsets[count] = offset; /* the end */
	image = image_of(view, regions, count, offsets);
	ktstr_str_add_bytes(out, &image, sizeof(image));
}

static bool all_zero(const char *bytes, size_t count)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, count - 1);
}

static struct ktstr_error *write_at(int fd, const char *bytes, size_t count, uint64_t offset, const char *path)
{
	while (count) {
		ssize_t put = pwrite(fd, bytes, count, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return ktstr_error_sys(put ? errno : ENOSPC, "cannot write %s", path);
		bytes += put;
		count -= (size_t)put;
		offset += (uint64_t)put;
	}
	return NULL;
}

/* Only pages with something in them that were read, if that is recorded. */
static struct ktstr_error *write_region(struct ktstr_guest_memory *memory, const struct ktstr_ram_region *region, int fd,
					uint64_t offset, const char *path)
{
	_cleanup_free_ char *chunk = ktstr_xmalloc(CHUNK);

	for (uint64_t into = 0; into < region->bytes; into += CHUNK) {
		size_t bytes = region->bytes - into < CHUNK ? (size_t)(region->bytes - into) : CHUNK;

		if (!ktstr_guest_peek(memory, region->physical + into, chunk, bytes))
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "the guest's RAM at %llx cannot be read",
					       (unsigned long long)(region->physical + into));
		for (size_t page = 0; page < bytes; page += PAGE) {
			size_t piece = bytes - page < PAGE ? bytes - page : PAGE;

			if (ktstr_guest_was_read(memory, region->physical + into + page) && !all_zero(chunk + page, piece))
				KTSTR_TRY(write_at(fd, chunk + page, piece, offset + into + page, path));
		}
	}
	return NULL;
}

static struct ktstr_error *write_core(const struct ktstr_kernel_view *view, const json_t *vcpu_regs, int fd, const char *path)
{
	_cleanup_str_ struct ktstr_str notes = { 0 }, headers = { 0 };
	size_t count;
	const struct ktstr_ram_region *regions = ktstr_guest_regions(view->memory, &count);
	_cleanup_free_ uint64_t *offsets = ktstr_xcalloc(count + 1, sizeof(*offsets));

	add_notes(&notes, view, vcpu_regs);
	add_headers(&headers, view, regions, count, notes.length, offsets);
	KTSTR_TRY(write_at(fd, headers.data, headers.length, 0, path));
	KTSTR_TRY(write_at(fd, notes.data, notes.length, headers.length, path));
	for (size_t i = 0; i < count; i++)
		KTSTR_TRY(write_region(view->memory, &regions[i], fd, offsets[i], path));
	/* The last pages may be a hole. */
	return ftruncate(fd, (off_t)offsets[count]) ? ktstr_error_sys(errno, "cannot write %s", path) : NULL;
}

struct ktstr_error *ktstr_vmcore_write(const struct ktstr_kernel_view *view, const json_t *vcpu_regs, const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct ktstr_error *error;

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot create %s", path);
	error = write_core(view, vcpu_regs, fd, path);
	if (error)
		unlink(path);
	return error;
}
