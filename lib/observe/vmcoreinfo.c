// SPDX-License-Identifier: GPL-2.0-only
/* Finding the vmcoreinfo page in a guest's RAM, and its values. */
#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/vmcoreinfo.h"

enum { PAGE = 4096, CHUNK = 4 << 20 };

static const char first_line[] = "OSRELEASE=";
static const char note_name[] = "VMCOREINFO";

/* The ELF note that the kernel keeps a copy in for /proc/vmcore: a header and a name before the text. */
struct note {
	Elf64_Nhdr header;
	char name[12]; /* padded to words */
};

/* Where the text begins that lies, or whose note lies, at that place. */
static uint64_t text_at(struct ktstr_guest_memory *memory, uint64_t physical)
{
	struct note note;

	if (!ktstr_guest_read(memory, physical, &note, sizeof(note)) || note.header.n_namesz != sizeof(note_name) ||
	    memcmp(note.name, note_name, sizeof(note_name)))
		return physical;
	return physical + sizeof(note);
}

bool ktstr_vmcoreinfo_read(struct ktstr_guest_memory *memory, uint64_t physical, struct ktstr_vmcoreinfo *info)
{
	_cleanup_free_ char *page = ktstr_xcalloc(1, PAGE + 1);
	struct ktstr_vmcoreinfo found = { .text = page };
	uint64_t ignored;

	if (!ktstr_guest_read(memory, text_at(memory, physical), page, PAGE) || !ktstr_str_starts_with(page, first_line) ||
	    !ktstr_vmcoreinfo_symbol(&found, "init_top_pgt", &ignored))
		return false;
	info->text = ktstr_take(page);
	return true;
}

/* Text and note are allocated in whole pages, so they begin at page boundaries; copies elsewhere do not. */
static bool may_be_vmcoreinfo(const char *page)
{
	return !memcmp(page, first_line, sizeof(first_line) - 1) ||
	       !memcmp(page + offsetof(struct note, name), note_name, sizeof(note_name));
}

static bool find_in_region(struct ktstr_guest_memory *memory, const struct ktstr_ram_region *region, char *chunk,
			   struct ktstr_vmcoreinfo *info)
{
	for (uint64_t into = 0; into < region->bytes; into += CHUNK) {
		size_t bytes = region->bytes - into < CHUNK ? (size_t)(region->bytes - into) : CHUNK;

		if (!ktstr_guest_read(memory, region->physical + into, chunk, bytes))
			continue;
		for (size_t page = 0; page + PAGE <= bytes; page += PAGE)
			if (may_be_vmcoreinfo(chunk + page) &&
			    ktstr_vmcoreinfo_read(memory, region->physical + into + page, info))
				return true;
	}
	return false;
}

struct ktstr_error *ktstr_vmcoreinfo_find(struct ktstr_guest_memory *memory, struct ktstr_vmcoreinfo *info)
{
	_cleanup_free_ char *chunk = ktstr_xcalloc(1, CHUNK);
	size_t count;
	const struct ktstr_ram_region *regions = ktstr_guest_regions(memory, &count);

	for (size_t i = 0; i < count; i++)
		if (find_in_region(memory, &regions[i], chunk, info))
			return NULL;
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "no vmcoreinfo page in the guest's memory: its kernel has not booted far enough, "
			       "or lacks CONFIG_VMCORE_INFO");
}

void ktstr_vmcoreinfo_deinit(struct ktstr_vmcoreinfo *info)
{
	free(info->text);
	info->text = NULL;
}

/* What follows "<before><name><after>" at the start of a line. */
static const char *value_of(const struct ktstr_vmcoreinfo *info, const char *before, const char *name,
			    const char *after)
{
	_cleanup_free_ char *key = ktstr_xasprintf("%s%s%s", before, name, after);

	for (const char *line = info->text; line && *line;) {
		const char *end = strchr(line, '\n');

		if (ktstr_str_starts_with(line, key))
			return line + strlen(key);
		line = end ? end + 1 : NULL;
	}
	return NULL;
}

bool ktstr_vmcoreinfo_symbol(const struct ktstr_vmcoreinfo *info, const char *name, uint64_t *address)
{
	const char *value = value_of(info, "SYMBOL(", name, ")=");

	*address = value ? strtoull(value, NULL, 16) : 0;
	return *address != 0;
}

bool ktstr_vmcoreinfo_number(const struct ktstr_vmcoreinfo *info, const char *name, int64_t *number)
{
	const char *value = value_of(info, "NUMBER(", name, ")=");

	*number = value ? strtoll(value, NULL, 10) : 0;
	return value;
}

bool ktstr_vmcoreinfo_hex(const struct ktstr_vmcoreinfo *info, const char *name, uint64_t *number)
{
	const char *value = value_of(info, "", name, "=");

	*number = value ? strtoull(value, NULL, 16) : 0;
	return value;
}

char *ktstr_vmcoreinfo_string(const struct ktstr_vmcoreinfo *info, const char *name)
{
	const char *value = value_of(info, "", name, "=");

	return value ? ktstr_xstrndup(value, strcspn(value, "\n")) : NULL;
}
