// SPDX-License-Identifier: GPL-2.0-only
/*
 * The few modules that a guest may load: found below a kernel's module tree, decompressed, and put in
 * an order in which plain finit_module() calls succeed (the guest has no modprobe).
 */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"

enum { MODULE_MAX_BYTES = 256 << 20 };

const char *const ktstr_guest_modules[] = { "virtio_blk", "virtio_net", "btrfs", NULL };

/* One module file below the root. */
struct module {
	char *name; /* as the kernel spells it: '-' became '_' */
	char *path;
	struct ktstr_strv aliases; /* filled on demand, see load_crypto_aliases() */
	bool taken;                /* visited: also ends cycles of broken depends= fields */
};

struct module_tree {
	const char *root;
	const char *into; /* NULL = nothing is copied */
	struct module *modules;
	size_t count;
	bool aliases_loaded;
	struct ktstr_strv order;
};

static void tree_deinit(struct module_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->modules[i].name);
		free(tree->modules[i].path);
		ktstr_strv_deinit(&tree->modules[i].aliases);
	}
	free(tree->modules);
	ktstr_strv_deinit(&tree->order);
}

/* "virtio-blk.ko.xz" -> "virtio_blk"; NULL for a file that is no module. */
static char *module_name(const char *file)
{
	static const char *const suffixes[] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };
	char *name;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (!ktstr_str_ends_with(file, suffixes[i]))
			continue;
		name = ktstr_xstrndup(file, strlen(file) - strlen(suffixes[i]));
		for (char *c = name; *c; c++)
			if (*c == '-')
				*c = '_';
		return name;
	}
	return NULL;
}

static struct ktstr_error *index_tree(struct module_tree *tree)
{
	char *roots[] = { (char *)tree->root, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	if (!walk)
		return ktstr_error_sys(errno, "cannot read %s", tree->root);
	while ((entry = fts_read(walk))) {
		char *name = entry->fts_info == FTS_F ? module_name(entry->fts_name) : NULL;

		if (!name)
			continue;
		tree->modules =
			ktstr_xrealloc(tree->modules, (tree->count + 1) * sizeof(*tree->modules));
		tree->modules[tree->count++] =
			(struct module){ .name = name, .path = ktstr_xstrdup(entry->fts_path) };
	}
	fts_close(walk);
	return NULL;
}

static struct module *find_module(struct module_tree *tree, const char *name)
{
	for (size_t i = 0; i < tree->count; i++)
		if (!strcmp(tree->modules[i].name, name))
			return &tree->modules[i];
	return NULL;
}

static struct ktstr_error *read_module(const struct module *module, char **data, size_t *length,
				       struct ktstr_strv *modinfo)
{
	_cleanup_free_ char *packed = NULL;
	size_t packed_length;

	KTSTR_TRY(ktstr_read_file(module->path, &packed, &packed_length));
	KTSTR_TRY(ktstr_decompress(packed, packed_length, MODULE_MAX_BYTES, module->path, data,
				   length));
	return ktstr_elf_modinfo(*data, *length, module->path, modinfo);
}

/*
 * Soft dependencies name algorithms ("pre: blake2b-256"), which modules provide through aliases. Of a kernel's tree only
 * the crypto folders have such modules, so only those are opened; where the few lie that were collected, all are.
 */
static void load_crypto_aliases(struct module_tree *tree)
{
	if (tree->aliases_loaded)
		return;
	tree->aliases_loaded = true;
	for (size_t i = 0; i < tree->count; i++) {
		struct module *module = &tree->modules[i];
		_cleanup_strv_ struct ktstr_strv modinfo = { 0 };
		_cleanup_error_ struct ktstr_error *error = NULL;
		_cleanup_free_ char *data = NULL;
		size_t length;

		if (tree->into && !strstr(module->path + strlen(tree->root), "/crypto/"))
			continue;
		/* An unreadable module that nobody asked for by name is no reason to fail. */
		error = read_module(module, &data, &length, &modinfo);
		for (size_t j = 0; !error && j < modinfo.count; j++)
			if (ktstr_str_starts_with(modinfo.items[j], "alias="))
				ktstr_strv_add(&module->aliases,
					       modinfo.items[j] + strlen("alias="));
	}
}

static struct module *find_soft(struct module_tree *tree, const char *name)
{
	_cleanup_free_ char *file = ktstr_xasprintf("%s.ko", name);
	_cleanup_free_ char *plain = module_name(file);
	struct module *module = find_module(tree, plain);

	if (module)
		return module;
	load_crypto_aliases(tree);
	/* The crypto API asks for "crypto-<name>" first, then for "<name>". */
	for (size_t i = 0; i < tree->count; i++)
		if (ktstr_strv_contains(&tree->modules[i].aliases, name))
			return &tree->modules[i];
	return NULL;
}

static struct ktstr_error *take_module(struct module_tree *tree, struct module *module);

/* names: the value of depends=, comma separated. */
static struct ktstr_error *take_dependencies(struct module_tree *tree, const struct module *module,
					     const char *names)
{
	_cleanup_free_ char *list = ktstr_xstrdup(names);
	char *saved = NULL;

	for (char *name = strtok_r(list, ",", &saved); name; name = strtok_r(NULL, ",", &saved)) {
		struct module *dependency = find_module(tree, name);

		if (!dependency)
			return ktstr_error_new(KTSTR_ERR_CORRUPT,
					       "module %s needs %s, which is not below %s",
					       module->name, name, tree->root);
		KTSTR_TRY(take_module(tree, dependency));
	}
	return NULL;
}

/* text: the value of softdep=, "pre: a b post: c". What is built in has no file and is skipped. */
static struct ktstr_error *take_soft_dependencies(struct module_tree *tree, const char *text)
{
	_cleanup_free_ char *list = ktstr_xstrdup(text);
	bool before = false;
	char *saved = NULL;

	for (char *word = strtok_r(list, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		struct module *dependency;

		if (ktstr_str_ends_with(word, ":")) {
			before = !strcmp(word, "pre:");
			continue;
		}
		dependency = before ? find_soft(tree, word) : NULL;
		if (dependency)
			KTSTR_TRY(take_module(tree, dependency));
	}
	return NULL;
}

/* Depth first: a module is written behind everything that it needs. */
static struct ktstr_error *take_module(struct module_tree *tree, struct module *module)
{
	_cleanup_strv_ struct ktstr_strv modinfo = { 0 };
	_cleanup_free_ char *data = NULL, *file = NULL;
	size_t length;

	if (module->taken)
		return NULL;
	module->taken = true;
	KTSTR_TRY(read_module(module, &data, &length, &modinfo));
	for (size_t i = 0; i < modinfo.count; i++) {
		const char *entry = modinfo.items[i];

		if (ktstr_str_starts_with(entry, "depends="))
			KTSTR_TRY(take_dependencies(tree, module, entry + strlen("depends=")));
		else if (ktstr_str_starts_with(entry, "softdep="))
			KTSTR_TRY(take_soft_dependencies(tree, entry + strlen("softdep=")));
	}
	file = ktstr_xasprintf("%s.ko", module->name);
	if (tree->into)
		KTSTR_TRY(ktstr_store_file(tree->into, file, data, length));
	ktstr_strv_add(&tree->order, file);
	return NULL;
}

static struct ktstr_error *write_order(const struct module_tree *tree)
{
	_cleanup_str_ struct ktstr_str text = { 0 };

	for (size_t i = 0; i < tree->order.count; i++)
		ktstr_str_addf(&text, "%s\n", tree->order.items[i]);
	return ktstr_store_file(tree->into, "order", ktstr_str_text(&text), text.length);
}

static struct ktstr_error *take_wanted(struct module_tree *tree, const char *const *wanted)
{
	KTSTR_TRY(index_tree(tree));
	for (; *wanted; wanted++) {
		struct module *module = find_module(tree, *wanted);

		if (module)
			KTSTR_TRY_WRAP(take_module(tree, module), "cannot collect module %s", *wanted);
	}
	return NULL;
}

struct ktstr_error *ktstr_modules_collect(const char *root, const char *const *wanted,
					  const char *into, size_t *count)
{
	_cleanup_(tree_deinit) struct module_tree tree = { .root = root, .into = into };

	KTSTR_TRY(ktstr_make_dirs(into));
	KTSTR_TRY(take_wanted(&tree, wanted));
	*count = tree.order.count;
	return write_order(&tree);
}

struct ktstr_error *ktstr_modules_order(const char *modules_dir, const char *const *wanted, struct ktstr_strv *files)
{
	_cleanup_(tree_deinit) struct module_tree tree = { .root = modules_dir };

	KTSTR_TRY(take_wanted(&tree, wanted));
	for (size_t i = 0; i < tree.order.count; i++)
		ktstr_strv_add(files, tree.order.items[i]);
	return NULL;
}
