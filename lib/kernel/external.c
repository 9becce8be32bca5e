// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images outside of the cache: a bzImage somewhere, or that of a built tree. What has to be derived
 * from them (vmlinux, config, modules) is kept in <cache>/vmlinux/<sha256 of the image>.
 */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"
#include "kernel/kernel.h"

/* What the image told about itself, and where its derived files are kept. */
struct derivation {
	const struct ktstr_external *external;
	const char *image;
	size_t image_length;
	const char *release;
	const char *digest;
	char *modules_root; /* NULL: none to collect */
	char *stamp; /* identifies that root's state: derived files of another one are redone */
	char *parent;
	char *name;
	char *dir;
};

static void derivation_deinit(struct derivation *derivation)
{
	free(derivation->modules_root);
	free(derivation->stamp);
	free(derivation->parent);
	free(derivation->name);
	free(derivation->dir);
}

/* modules.order is rewritten by `make modules`, modules.dep by depmod. */
static char *modules_stamp(const char *root)
{
	static const char *const files[] = { "modules.order", "modules.dep", "Module.symvers" };
	struct ktstr_str stamp = { 0 };

	ktstr_str_add(&stamp, root ? root : "no modules");
	for (size_t i = 0; root && i < sizeof(files) / sizeof(files[0]); i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", root, files[i]);
		struct stat st;

		if (!stat(path, &st))
			ktstr_str_addf(&stamp, " %lld.%09ld", (long long)st.st_mtim.tv_sec,
				       st.st_mtim.tv_nsec);
	}
	return ktstr_str_take(&stamp);
}

static void plan(struct derivation *derivation)
{
	_cleanup_free_ char *cache = ktstr_cache_dir();
	_cleanup_free_ char *installed = ktstr_xasprintf("/lib/modules/%s", derivation->release);
	const char *root = derivation->external->modules_root;

	if (!root && ktstr_path_exists(installed))
		root = installed;
	derivation->modules_root = root ? ktstr_xstrdup(root) : NULL;
	derivation->stamp = modules_stamp(root);
	derivation->parent = ktstr_xasprintf("%s/vmlinux", cache);
	/* The same image with and without a vmlinux of its own must not undo each other's folder.
	 */
	derivation->name = ktstr_xasprintf("%s%s", derivation->digest,
					   derivation->external->vmlinux_path ? "-modules" : "");
	derivation->dir = ktstr_xasprintf("%s/%s", derivation->parent, derivation->name);
}

/* What dir/stamp must say: the modules' origin, and the size of vmlinux (0: none). Heap. */
static char *stamp_text(const struct derivation *derivation, const char *dir)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/vmlinux", dir);
	struct stat st = { 0 };

	if (stat(path, &st))
		st.st_size = 0;
	return ktstr_xasprintf("%s\n%lld", derivation->stamp, (long long)st.st_size);
}

/* The stamp is written last, so a folder with the right one is complete. */
static bool is_derived(const struct derivation *derivation)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/stamp", derivation->dir);
	_cleanup_free_ char *expected = stamp_text(derivation, derivation->dir);
	_cleanup_free_ char *stamp = ktstr_read_line(path);

	return stamp && !strcmp(stamp, expected);
}

/*
 * A kernel without BTF, or packed in a way we cannot unpack, still boots: it only cannot be looked
 * into. Only a lack of space or of rights is an error here.
 */
static struct ktstr_error *derive_vmlinux(const struct derivation *derivation, const char *dir)
{
	_cleanup_free_ char *vmlinux = NULL, *config = NULL;
	size_t length, config_length;
	_cleanup_error_ struct ktstr_error *error = NULL;

	error = ktstr_bzimage_vmlinux(derivation->image, derivation->image_length,
				      derivation->external->image_path, &vmlinux, &length);
	if (error)
		return NULL;
	KTSTR_TRY(ktstr_store_file(dir, "vmlinux", vmlinux, length));
	config = ktstr_ikconfig(vmlinux, length, &config_length);
	return config ? ktstr_store_file(dir, "config", config, config_length) : NULL;
}

static struct ktstr_error *derive(const struct derivation *derivation)
{
	_cleanup_workdir_ struct ktstr_workdir work = { .lock_fd = -1 };
	_cleanup_free_ char *modules = NULL, *line = NULL;
	size_t count;

	KTSTR_TRY(ktstr_workdir_open(derivation->parent, derivation->name, &work));
	if (is_derived(derivation))
		return NULL;
	KTSTR_TRY(ktstr_workdir_begin(&work));
	if (!derivation->external->vmlinux_path)
		KTSTR_TRY(derive_vmlinux(derivation, work.path));
	modules = ktstr_xasprintf("%s/modules", work.path);
	if (derivation->modules_root)
		KTSTR_TRY(ktstr_modules_collect(derivation->modules_root, ktstr_guest_modules,
						modules, &count));
	line = stamp_text(derivation, work.path);
	KTSTR_TRY(ktstr_store_file(work.path, "stamp", line, strlen(line)));
	return ktstr_workdir_publish(&work);
}

/* dir/name when that exists, else NULL. Heap. */
static char *existing(const char *dir, const char *name)
{
	char *path = ktstr_xasprintf("%s/%s", dir, name);

	if (ktstr_path_exists(path))
		return path;
	free(path);
	return NULL;
}

/*
 * Beside the image: ".config" of a tree, config-<release> of /boot, or "config" next to a file that is
 * called just "vmlinuz", as in /usr/lib/modules/<release> of newer Debian systems.
 */
static char *config_beside(const char *image_path, const char *release)
{
	_cleanup_free_ char *copy = ktstr_xstrdup(image_path);
	_cleanup_free_ char *long_name = ktstr_xasprintf("config-%s", release);
	const char *dir = dirname(copy);
	char *config = existing(dir, ".config");

	if (!config)
		config = existing(dir, long_name);
	if (!config && ktstr_str_ends_with(image_path, "/vmlinuz"))
		config = existing(dir, "config");
	return config;
}

/* The tree's own vmlinux, as long as it has BTF; else the caller has none. */
static char *usable_vmlinux(const char *path)
{
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_free_ char *data = NULL;
	size_t length;

	error = ktstr_read_file(path, &data, &length);
	if (!error)
		error = ktstr_elf_check_vmlinux(data, length, path);
	return error ? NULL : ktstr_xstrdup(path);
}

static void fill(const struct derivation *derivation, struct ktstr_kernel *kernel)
{
	const struct ktstr_external *external = derivation->external;

	kernel->release = ktstr_xstrdup(derivation->release);
	kernel->version = ktstr_version_of_release(derivation->release);
	kernel->image_path = ktstr_xstrdup(external->image_path);
	kernel->image_sha256 = ktstr_xstrdup(derivation->digest);
	kernel->source = ktstr_xstrdup(external->source);
	kernel->vmlinux_path = external->vmlinux_path ? usable_vmlinux(external->vmlinux_path) :
							existing(derivation->dir, "vmlinux");
	kernel->modules_dir = existing(derivation->dir, "modules");
	kernel->config_path = external->config_path ?
				      ktstr_xstrdup(external->config_path) :
				      config_beside(external->image_path, derivation->release);
	if (!kernel->config_path)
		kernel->config_path = existing(derivation->dir, "config");
}

struct ktstr_error *ktstr_external_kernel(const struct ktstr_external *external,
					  struct ktstr_kernel *kernel)
{
	_cleanup_(derivation_deinit) struct derivation derivation = { .external = external };
	_cleanup_(ktstr_bzimage_deinit) struct ktstr_bzimage header = { 0 };
	_cleanup_free_ char *image = NULL;
	size_t length;
	char digest[65];

	KTSTR_TRY(ktstr_read_file(external->image_path, &image, &length));
	KTSTR_TRY(ktstr_bzimage_parse(image, length, external->image_path, &header));
	KTSTR_TRY(ktstr_sha256(image, length, digest));
	derivation.image = image;
	derivation.image_length = length;
	derivation.release = header.release;
	derivation.digest = digest;
	plan(&derivation);
	if ((!external->vmlinux_path || derivation.modules_root) && !is_derived(&derivation))
		KTSTR_TRY_WRAP(derive(&derivation), "cannot prepare kernel %s",
			       external->image_path);
	fill(&derivation, kernel);
	return NULL;
}
