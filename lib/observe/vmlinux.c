// SPDX-License-Identifier: GPL-2.0-only
/* Loading a vmlinux, and whether its symbols are those of a guest. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/build_id.h"
#include "observe/symtab.h"
#include "observe/vmlinux.h"

struct ktstr_error *ktstr_vmlinux_load(const char *path, struct ktstr_vmlinux **vmlinux)
{
	_cleanup_error_ struct ktstr_error *unreadable = NULL;
	struct ktstr_types *types;
	struct ktstr_vmlinux *made;

	KTSTR_TRY(ktstr_types_load(path, &types));
	made = ktstr_xcalloc(1, sizeof(*made));
	made->path = ktstr_xstrdup(path);
	made->types = types;
	made->build_id = ktstr_build_id(path);
	unreadable = ktstr_symtab_read(path, &made->symbols);
	if (unreadable)
		made->damage = ktstr_xstrdup(ktstr_error_message(unreadable));
	*vmlinux = made;
	return NULL;
}

void ktstr_vmlinux_destroy(struct ktstr_vmlinux *vmlinux)
{
	if (!vmlinux)
		return;
	free(vmlinux->path);
	ktstr_types_destroy(vmlinux->types);
	ktstr_symbols_destroy(vmlinux->symbols);
	free(vmlinux->damage);
	free(vmlinux->build_id);
	free(vmlinux);
}

/* A build that has no ID says so with zeros. */
static bool is_other_build(const struct ktstr_vmlinux *vmlinux, const char *guest)
{
	return vmlinux->build_id && guest && strspn(guest, "0") != strlen(guest) &&
	       strcmp(vmlinux->build_id, guest) != 0;
}

/* Does the guest have the symbols that it tells of where the table says? */
static bool fits(const struct ktstr_symbols *symbols, const struct ktstr_vmcoreinfo *info)
{
	static const char *const told[] = { "init_top_pgt", "_stext", "init_uts_ns" };
	size_t equal = 0;

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		const struct ktstr_symbol *symbol = ktstr_symbols_find(symbols, told[i]);
		uint64_t address;

		if (!symbol || !ktstr_vmcoreinfo_symbol(info, told[i], &address))
			continue;
		if (symbol->address != address)
			return false;
		equal++;
	}
	return equal;
}

struct ktstr_symbols *ktstr_vmlinux_symbols(const struct ktstr_vmlinux *vmlinux, const struct ktstr_vmcoreinfo *info,
					    char **note)
{
	_cleanup_free_ char *guest = ktstr_vmcoreinfo_string(info, "BUILD-ID");
	struct ktstr_symbols *symbols;
	uint64_t slide = 0;

	*note = NULL;
	if (is_other_build(vmlinux, guest)) {
		*note = ktstr_xasprintf("%s is not of the kernel that runs (build ID %s, the guest's is %s): its types may be "
					"wrong, too; build image and vmlinux together",
					vmlinux->path, vmlinux->build_id, guest);
		return NULL;
	}
	if (!vmlinux->symbols) {
		*note = vmlinux->damage ? ktstr_xstrdup(vmlinux->damage) : NULL;
		return NULL;
	}
	ktstr_vmcoreinfo_hex(info, "KERNELOFFSET", &slide);
	symbols = ktstr_symbols_moved(vmlinux->symbols, slide);
	if (fits(symbols, info))
		return symbols;
	ktstr_symbols_destroy(symbols);
	*note = ktstr_xasprintf("the symbols of %s are not where the guest's kernel has them: build image and vmlinux together",
				vmlinux->path);
	return NULL;
}
