// SPDX-License-Identifier: GPL-2.0-only
/* Guest-physical reads and writes through one descriptor: a RAM file, /proc/PID/mem, or a core file. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "observe/guest_memory.h"

enum { PAGE = 4096, CACHE_PAGES = 2048 };

/* One slot of the cache that a frozen guest has; tag 0 = empty, else page number + 1. */
struct cached_page {
	uint64_t tag;
	char bytes[PAGE];
};

struct ktstr_guest_memory {
	int fd;
	struct ktstr_ram_region *regions;
	size_t count;
	struct cached_page *cache; /* NULL = not frozen */
	uint8_t *recorded; /* a bit per page from the lowest address on, NULL = not recording */
	uint64_t bytes_read;
};

struct ktstr_guest_memory *ktstr_guest_memory_create(int fd, const struct ktstr_ram_region *regions,
						     size_t count)
{
	struct ktstr_guest_memory *memory = ktstr_xcalloc(1, sizeof(*memory));

	memory->fd = fd;
	memory->regions = ktstr_xcalloc(count + 1, sizeof(*regions));
	memcpy(memory->regions, regions, count * sizeof(*regions));
	memory->count = count;
	return memory;
}

void ktstr_guest_memory_destroy(struct ktstr_guest_memory *memory)
{
	if (!memory)
		return;
	close(memory->fd);
	free(memory->regions);
	free(memory->cache);
	free(memory->recorded);
	free(memory);
}

/* How much of `bytes` from `physical` on lies in one region, and where; 0 outside RAM. */
static size_t locate(const struct ktstr_guest_memory *memory, uint64_t physical, size_t bytes, uint64_t *offset)
{
	for (size_t i = 0; i < memory->count; i++) {
		const struct ktstr_ram_region *region = &memory->regions[i];
		uint64_t into = physical - region->physical;

		if (physical < region->physical || into >= region->bytes)
			continue;
		*offset = region->offset + into;
		return region->bytes - into < bytes ? (size_t)(region->bytes - into) : bytes;
	}
	return 0;
}

static bool read_through(struct ktstr_guest_memory *memory, uint64_t physical, char *out, size_t bytes)
{
	while (bytes) {
		uint64_t offset;
		size_t piece = locate(memory, physical, bytes, &offset);
		ssize_t got = piece ? pread(memory->fd, out, piece, (off_t)offset) : 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		physical += (uint64_t)got;
		out += got;
		bytes -= (size_t)got;
	}
	return true;
}

bool ktstr_guest_peek(struct ktstr_guest_memory *memory, uint64_t physical, void *out, size_t bytes)
{
	return read_through(memory, physical, out, bytes);
}

static const char *cached(struct ktstr_guest_memory *memory, uint64_t page)
{
	struct cached_page *slot = &memory->cache[page % CACHE_PAGES];

	if (slot->tag != page + 1) {
		slot->tag = 0;
		if (!read_through(memory, page * PAGE, slot->bytes, PAGE))
			return NULL;
		slot->tag = page + 1;
	}
	return slot->bytes;
}

/* One past the highest page of RAM. */
static uint64_t pages_end(const struct ktstr_guest_memory *memory)
{
	uint64_t end = 0;

	for (size_t i = 0; i < memory->count; i++) {
		uint64_t region_end = memory->regions[i].physical + memory->regions[i].bytes;

		end = region_end > end ? region_end : end;
	}
	return (end + PAGE - 1) / PAGE;
}

void ktstr_guest_record(struct ktstr_guest_memory *memory)
{
	memory->recorded = ktstr_xcalloc(pages_end(memory) / 8 + 1, 1);
}

bool ktstr_guest_was_read(const struct ktstr_guest_memory *memory, uint64_t physical)
{
	uint64_t page = physical / PAGE;

	return !memory->recorded || (page < pages_end(memory) && memory->recorded[page / 8] >> page % 8 & 1);
}

static void record(struct ktstr_guest_memory *memory, uint64_t physical, size_t bytes)
{
	uint64_t end = pages_end(memory), last = bytes ? (physical + bytes - 1) / PAGE : 0;

	for (uint64_t page = physical / PAGE; bytes && page <= last && page < end; page++)
		memory->recorded[page / 8] |= (uint8_t)(1 << page % 8);
}

bool ktstr_guest_read(struct ktstr_guest_memory *memory, uint64_t physical, void *out, size_t bytes)
{
	char *to = out;

	memory->bytes_read += bytes;
	if (memory->recorded)
		record(memory, physical, bytes);
	if (!memory->cache)
		return read_through(memory, physical, out, bytes);
	while (bytes) {
		size_t into = physical % PAGE, piece = PAGE - into < bytes ? PAGE - into : bytes;
		const char *page = cached(memory, physical / PAGE);

		if (!page)
			return false;
		memcpy(to, page + into, piece);
		physical += piece;
		to += piece;
		bytes -= piece;
	}
	return true;
}

bool ktstr_guest_write(struct ktstr_guest_memory *memory, uint64_t physical, const void *bytes, size_t count)
{
	const char *from = bytes;

	if (memory->cache)
		memset(memory->cache, 0, CACHE_PAGES * sizeof(*memory->cache));
	while (count) {
		uint64_t offset;
		size_t piece = locate(memory, physical, count, &offset);
		ssize_t put = piece ? pwrite(memory->fd, from, piece, (off_t)offset) : 0;

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		physical += (uint64_t)put;
		from += put;
		count -= (size_t)put;
	}
	return true;
}

const struct ktstr_ram_region *ktstr_guest_regions(const struct ktstr_guest_memory *memory, size_t *count)
{
	*count = memory->count;
	return memory->regions;
}

void ktstr_guest_freeze(struct ktstr_guest_memory *memory, bool frozen)
{
	free(memory->cache);
	memory->cache = frozen ? ktstr_xcalloc(CACHE_PAGES, sizeof(*memory->cache)) : NULL;
}

uint64_t ktstr_guest_bytes_read(const struct ktstr_guest_memory *memory)
{
	return memory->bytes_read;
}

/* A line of /proc/PID/maps that maps the RAM file. */
struct mapping {
	uint64_t start, end, file_offset;
};

static bool parse_mapping(const char *line, const struct stat *ram, struct mapping *mapping)
{
	unsigned int major_number, minor_number;
	uint64_t inode;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %x:%x %" SCNu64, &mapping->start,
		   &mapping->end, &mapping->file_offset, &major_number, &minor_number, &inode) != 6)
		return false;
	return inode == ram->st_ino && makedev(major_number, minor_number) == ram->st_dev;
}

/* Pieces of RAM by their host addresses, and how many bytes they are together. */
struct pieces {
	struct ktstr_ram_region *all;
	size_t count;
	uint64_t bytes;
};

/* The part of a region that a mapping holds. A RAM file is mapped once per NUMA node. */
static void add_piece(struct pieces *pieces, const struct ktstr_ram_region *wanted, const struct mapping *mapping)
{
	uint64_t mapping_end = mapping->file_offset + (mapping->end - mapping->start);
	uint64_t from = wanted->offset > mapping->file_offset ? wanted->offset : mapping->file_offset;
	uint64_t to = wanted->offset + wanted->bytes < mapping_end ? wanted->offset + wanted->bytes : mapping_end;

	if (from >= to)
		return;
	pieces->all = ktstr_xrealloc(pieces->all, (pieces->count + 1) * sizeof(*pieces->all));
	pieces->all[pieces->count++] = (struct ktstr_ram_region){
		.physical = wanted->physical + (from - wanted->offset),
		.bytes = to - from,
		.offset = mapping->start + (from - mapping->file_offset),
	};
	pieces->bytes += to - from;
}

static void relocate(FILE *maps, const struct stat *ram, const struct ktstr_ram_region *wanted, size_t count,
		     struct pieces *pieces)
{
	struct mapping mapping;
	char line[512];

	while (fgets(line, sizeof(line), maps))
		for (size_t i = 0; parse_mapping(line, ram, &mapping) && i < count; i++)
			add_piece(pieces, &wanted[i], &mapping);
}

static int by_physical(const void *a, const void *b)
{
	const struct ktstr_ram_region *x = a, *y = b;

	return x->physical < y->physical ? -1 : x->physical > y->physical;
}

/* Takes over fd and the pieces, which must be all of RAM, each part of it once. */
static struct ktstr_error *memory_of_pieces(int pid, int fd, const struct ktstr_ram_region *regions, size_t count,
					    struct pieces *pieces, struct ktstr_guest_memory **memory)
{
	uint64_t wanted = 0;

	for (size_t i = 0; i < count; i++)
		wanted += regions[i].bytes;
	if (pieces->bytes != wanted)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "process %d maps %llu MiB of the guest's RAM of %llu MiB: is it the VM's QEMU?", pid,
				       (unsigned long long)(pieces->bytes >> 20), (unsigned long long)(wanted >> 20));
	qsort(pieces->all, pieces->count, sizeof(*pieces->all), by_physical);
	*memory = ktstr_guest_memory_create(fd, pieces->all, pieces->count);
	return NULL;
}

struct ktstr_error *ktstr_guest_memory_of_process(int pid, int ram, const struct ktstr_ram_region *regions,
						  size_t count, struct ktstr_guest_memory **memory)
{
	_cleanup_free_ char *maps_path = ktstr_xasprintf("/proc/%d/maps", pid);
	_cleanup_free_ char *mem_path = ktstr_xasprintf("/proc/%d/mem", pid);
	_cleanup_fclose_ FILE *maps = fopen(maps_path, "re");
	_cleanup_close_ int fd = open(mem_path, O_RDWR | O_CLOEXEC);
	struct pieces pieces = { 0 };
	struct ktstr_error *error;
	struct stat ram_stat;

	if (fstat(ram, &ram_stat))
		return ktstr_error_sys(errno, "cannot look at the guest's RAM file");
	if (!maps || fd < 0)
		return ktstr_error_sys(errno, "cannot read the memory of process %d", pid);
	relocate(maps, &ram_stat, regions, count, &pieces);
	error = memory_of_pieces(pid, fd, regions, count, &pieces, memory);
	free(pieces.all);
	if (!error)
		fd = -1;
	return error;
}

static bool segment(Elf *elf, size_t i, uint64_t file_bytes, struct ktstr_ram_region *region)
{
	GElf_Phdr header;

	if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD || !header.p_filesz ||
	    header.p_offset > file_bytes || header.p_filesz > file_bytes - header.p_offset)
		return false;
	*region = (struct ktstr_ram_region){ header.p_paddr, header.p_filesz, header.p_offset };
	return true;
}

/* The kernel's image is there twice, by the addresses of the direct map and by its own. */
static bool is_known(const struct ktstr_ram_region *known, size_t count, const struct ktstr_ram_region *region)
{
	for (size_t i = 0; i < count; i++)
		if (region->physical >= known[i].physical && region->physical - known[i].physical < known[i].bytes)
			return true;
	return false;
}

static struct ktstr_error *memory_of_core(const char *path, int mode, struct ktstr_guest_memory **memory)
{
	_cleanup_close_ int fd = open(path, mode | O_CLOEXEC);
	_cleanup_free_ struct ktstr_ram_region *regions = NULL;
	size_t headers = 0, count = 0;
	struct stat file;
	Elf *elf;

	if (fd < 0 || fstat(fd, &file))
		return ktstr_error_sys(errno, "cannot open %s", path);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		elf_getphdrnum(elf, &headers);
	regions = ktstr_xcalloc(headers + 1, sizeof(*regions));
	for (size_t i = 0; i < headers; i++)
		if (segment(elf, i, (uint64_t)file.st_size, &regions[count]) && !is_known(regions, count, &regions[count]))
			count++;
	elf_end(elf);
	if (!count)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is not an ELF core with memory in it", path);
	*memory = ktstr_guest_memory_create(fd, regions, count);
	fd = -1;
	return NULL;
}

struct ktstr_error *ktstr_guest_memory_of_core(const char *path, struct ktstr_guest_memory **memory)
{
	return memory_of_core(path, O_RDONLY, memory);
}

struct ktstr_error *ktstr_guest_memory_of_writable_core(const char *path, struct ktstr_guest_memory **memory)
{
	return memory_of_core(path, O_RDWR, memory);
}
