// SPDX-License-Identifier: GPL-2.0-only
/* Opening a guest's kernel from its memory alone, and reads by member path. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "observe/kallsyms.h"
#include "observe/kernel_view.h"

static struct ktstr_error *lacks(const char *what)
{
	return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "the guest's kernel has no %s: nothing can be read from outside",
			       what);
}

/* The table of the vmlinux when there is one: kallsyms may be switched off, or have functions only. */
static struct ktstr_error *find_symbols(struct ktstr_kernel_view *view, const struct ktstr_vmlinux *vmlinux)
{
	struct ktstr_error *error;

	view->symbols_from = "vmlinux";
	view->symbols = ktstr_vmlinux_symbols(vmlinux, &view->info, &view->symbols_note);
	if (view->symbols)
		return NULL;
	view->symbols_from = "kallsyms";
	error = ktstr_kallsyms_read(&view->space, &view->info, &view->symbols);
	return error && view->symbols_note ? ktstr_error_wrap(error, "%s", view->symbols_note) : error;
}

/* The kernel's image is where phys_base says; its tables and symbols are in it. */
static struct ktstr_error *find_address_space(struct ktstr_kernel_view *view, const struct ktstr_vmlinux *vmlinux)
{
	uint64_t table, page_offset;
	int64_t phys_base, five_levels = 0;

	if (!ktstr_vmcoreinfo_number(&view->info, "phys_base", &phys_base))
		return lacks("NUMBER(phys_base) in vmcoreinfo");
	if (!ktstr_vmcoreinfo_symbol(&view->info, "init_top_pgt", &table))
		return lacks("SYMBOL(init_top_pgt) in vmcoreinfo");
	ktstr_vmcoreinfo_number(&view->info, "pgtable_l5_enabled", &five_levels);
	ktstr_vmcoreinfo_hex(&view->info, "KERNELOFFSET", &view->slide);
	view->space = (struct ktstr_address_space){
		.memory = view->memory,
		.page_table = table - KTSTR_START_KERNEL_MAP + (uint64_t)phys_base,
		.page_offset = KTSTR_DEFAULT_PAGE_OFFSET,
		.phys_base = (uint64_t)phys_base,
		.five_levels = five_levels != 0,
	};
	KTSTR_TRY(find_symbols(view, vmlinux));
	/* A kernel without CONFIG_DYNAMIC_MEMORY_LAYOUT keeps the default. */
	if (ktstr_read_uint(&view->space, ktstr_view_symbol(view, "page_offset_base"), 8, &page_offset) &&
	    page_offset >> 63)
		view->space.page_offset = page_offset;
	return NULL;
}

static struct ktstr_error *find_cpus(struct ktstr_kernel_view *view)
{
	uint64_t offsets = ktstr_view_symbol(view, "__per_cpu_offset"), ids = 0;

	if (!offsets)
		return lacks("symbol __per_cpu_offset (CONFIG_KALLSYMS_ALL, or a vmlinux with a symbol table)");
	if (!ktstr_read_uint(&view->space, ktstr_view_symbol(view, "nr_cpu_ids"), 4, &ids) || !ids)
		return lacks("readable __per_cpu_offset and nr_cpu_ids");
	view->cpus = ids < KTSTR_MAX_CPUS ? (unsigned int)ids : KTSTR_MAX_CPUS;
	if (!ktstr_read(&view->space, offsets, view->per_cpu_offsets, view->cpus * sizeof(uint64_t)))
		return lacks("readable __per_cpu_offset");
	return NULL;
}

static struct ktstr_error *open_view(struct ktstr_kernel_view *view, const struct ktstr_vmlinux *vmlinux, uint64_t hint)
{
	if (!hint || !ktstr_vmcoreinfo_read(view->memory, hint, &view->info))
		KTSTR_TRY(ktstr_vmcoreinfo_find(view->memory, &view->info));
	KTSTR_TRY(find_address_space(view, vmlinux));
	return find_cpus(view);
}

struct ktstr_error *ktstr_kernel_view_open(struct ktstr_guest_memory *memory, const struct ktstr_vmlinux *vmlinux,
					   uint64_t vmcoreinfo_hint, struct ktstr_kernel_view **view)
{
	struct ktstr_kernel_view *made = ktstr_xcalloc(1, sizeof(*made));
	struct ktstr_error *error;

	made->memory = memory;
	made->types = vmlinux->types;
	error = open_view(made, vmlinux, vmcoreinfo_hint);
	if (error) {
		ktstr_kernel_view_close(made);
		return error;
	}
	*view = made;
	return NULL;
}

void ktstr_kernel_view_close(struct ktstr_kernel_view *view)
{
	if (!view)
		return;
	ktstr_symbols_destroy(view->symbols);
	free(view->symbols_note);
	ktstr_vmcoreinfo_deinit(&view->info);
	ktstr_guest_memory_destroy(view->memory);
	free(view);
}

uint64_t ktstr_view_symbol(const struct ktstr_kernel_view *view, const char *name)
{
	const struct ktstr_symbol *symbol = ktstr_symbols_find(view->symbols, name);

	return symbol ? symbol->address : 0;
}

uint64_t ktstr_view_per_cpu(const struct ktstr_kernel_view *view, uint64_t address, unsigned int cpu)
{
	if (!address || cpu >= view->cpus || !view->per_cpu_offsets[cpu])
		return 0;
	return address + view->per_cpu_offsets[cpu];
}

uint64_t ktstr_view_jiffies(const struct ktstr_kernel_view *view)
{
	uint64_t now = 0;

	ktstr_read_uint(&view->space, ktstr_view_symbol(view, "jiffies_64"), 8, &now);
	return now;
}

static struct ktstr_field field_of(const struct ktstr_object *object, const char *path)
{
	return ktstr_types_field(object->view->types, object->type, path);
}

bool ktstr_has(const struct ktstr_object *object, const char *path)
{
	return field_of(object, path).found;
}

uint64_t ktstr_member_address(const struct ktstr_object *object, const char *path)
{
	struct ktstr_field field = field_of(object, path);

	return object->address && field.found ? object->address + field.offset : 0;
}

bool ktstr_get(const struct ktstr_object *object, const char *path, uint64_t *value)
{
	struct ktstr_field field = field_of(object, path);

	*value = 0;
	return object->address && field.bytes && field.bytes <= 8 &&
	       ktstr_read_uint(&object->view->space, object->address + field.offset, field.bytes, value);
}

bool ktstr_get_signed(const struct ktstr_object *object, const char *path, int64_t *value)
{
	struct ktstr_field field = field_of(object, path);
	uint64_t raw;

	*value = 0;
	if (!ktstr_get(object, path, &raw))
		return false;
	*value = (int64_t)(raw << (64 - 8 * field.bytes)) >> (64 - 8 * field.bytes);
	return true;
}

uint64_t ktstr_get_or_zero(const struct ktstr_object *object, const char *path)
{
	uint64_t value;

	return ktstr_get(object, path, &value) ? value : 0;
}

bool ktstr_get_text(const struct ktstr_object *object, const char *path, char *out, size_t max)
{
	struct ktstr_field field = field_of(object, path);

	out[0] = '\0';
	if (!object->address || !field.bytes)
		return false;
	return ktstr_read_text(&object->view->space, object->address + field.offset, out,
			       field.bytes < max ? field.bytes + 1 : max);
}

struct ktstr_object ktstr_follow(const struct ktstr_object *object, const char *path, const char *type)
{
	return ktstr_object(object->view, type, ktstr_get_or_zero(object, path));
}

struct ktstr_object ktstr_container(const struct ktstr_kernel_view *view, const char *type, const char *member_path,
				    uint64_t member_address)
{
	struct ktstr_field field = ktstr_types_field(view->types, type, member_path);

	return ktstr_object(view, type, field.found && member_address ? member_address - field.offset : 0);
}

/*
 * A cycle that does not contain the head is found as Brent does: a node seen at a power of two is remembered until the
 * next one. No memory, at most twice the cycle's length of extra steps.
 */
bool ktstr_walk_list(const struct ktstr_kernel_view *view, uint64_t head, size_t cap,
		     bool (*visit)(void *context, uint64_t node), void *context)
{
	uint64_t node, remembered = 0;

	if (!head || !ktstr_read_uint(&view->space, head, 8, &node))
		return false;
	for (size_t i = 1; node != head; i++) {
		if (!node || node == remembered || i > cap || !visit(context, node))
			return false;
		if (!(i & (i - 1)))
			remembered = node;
		if (!ktstr_read_uint(&view->space, node, 8, &node))
			return false;
	}
	return true;
}
