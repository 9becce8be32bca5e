// SPDX-License-Identifier: GPL-2.0-only
/* From what the user wrote to a kernel: a version, series or "latest" of the cache, or a path. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"
#include "kernel/kernel.h"

#define TREE_IMAGE "arch/x86/boot/bzImage"

/* dir/name when there is such a file, else NULL. Heap. */
static char *file_in(const char *dir, const char *name)
{
	char *path = ktstr_xasprintf("%s/%s", dir, name);
	struct stat st;

	if (!stat(path, &st) && S_ISREG(st.st_mode))
		return path;
	free(path);
	return NULL;
}

static bool is_source_tree(const char *dir)
{
	_cleanup_free_ char *makefile = file_in(dir, "Makefile");
	_cleanup_free_ char *kconfig = file_in(dir, "Kconfig");

	return makefile && kconfig;
}

/* dir: a source tree or the folder of an out-of-tree build (make O=...). */
static struct ktstr_error *resolve_tree(const char *dir, struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *image = file_in(dir, TREE_IMAGE);
	_cleanup_free_ char *vmlinux = file_in(dir, "vmlinux");
	_cleanup_free_ char *config = file_in(dir, ".config");
	_cleanup_free_ char *order = file_in(dir, "modules.order");
	const char *missing = !vmlinux ? "vmlinux" : !image ? TREE_IMAGE : NULL;

	if (!is_source_tree(dir) && !image)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s is a folder, but no kernel tree (it has no Makefile and Kconfig)", dir);
	if (!config)
		return ktstr_error_new(
			KTSTR_ERR_NOT_FOUND,
			"the kernel tree %s is not configured (.config is missing): run `make -C "
			"%s defconfig kvm_guest.config`, enable CONFIG_SCHED_CLASS_EXT and "
			"CONFIG_DEBUG_INFO_BTF, then `make -C %s -j$(nproc)`",
			dir, dir, dir);
	if (missing)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "the kernel tree %s is not built (%s is missing): run `make "
				       "-C %s -j$(nproc)`",
				       dir, missing, dir);
	return ktstr_external_kernel(&(struct ktstr_external){ .image_path = image,
							       .vmlinux_path = vmlinux,
							       .config_path = config,
							       .modules_root = order ? dir : NULL,
							       .source = "tree" },
				     kernel);
}

/* QEMU boots the bzImage, so a vmlinux alone is not enough. */
static struct ktstr_error *resolve_vmlinux(const char *path, struct ktstr_kernel *kernel)
{
	static const char *const places[] = { TREE_IMAGE, ("../" TREE_IMAGE), "bzImage", "vmlinuz" };
	_cleanup_free_ char *copy = ktstr_xstrdup(path), *config = NULL, *image = NULL;
	const char *dir = dirname(copy);

	for (size_t i = 0; !image && i < sizeof(places) / sizeof(places[0]); i++)
		image = file_in(dir, places[i]);
	if (!image)
		return ktstr_error_new(
			KTSTR_ERR_NOT_FOUND,
			"%s is a vmlinux, but the image that boots is not there: no %s, bzImage or "
			"vmlinuz in %s; run `make bzImage` or name the bzImage",
			path, TREE_IMAGE, dir);
	config = file_in(dir, ".config");
	return ktstr_external_kernel(&(struct ktstr_external){ .image_path = image,
							       .vmlinux_path = path,
							       .config_path = config,
							       .source = "image" },
				     kernel);
}

static struct ktstr_error *is_elf(const char *path, bool *elf)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[4];

	if (fd < 0)
		return ktstr_error_sys(errno, "cannot open kernel %s", path);
	*elf = read(fd, magic, sizeof(magic)) == sizeof(magic) && !memcmp(magic,
									  "\x7f"
									  "ELF",
									  4);
	return NULL;
}

static char *expand_home(const char *path)
{
	const char *home = ktstr_env("HOME");

	if (home && path[0] == '~' && (path[1] == '/' || !path[1]))
		return ktstr_xasprintf("%s%s", home, path + 1);
	return ktstr_xstrdup(path);
}

static struct ktstr_error *resolve_path(const char *spec, struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *expanded = expand_home(spec);
	/* Absolute: it ends up in results, and QEMU may run in another directory. */
	_cleanup_free_ char *path = realpath(expanded, NULL);
	struct stat st;
	bool elf = false;

	if (!path || stat(path, &st))
		return ktstr_error_sys(errno, "cannot use kernel %s", expanded);
	if (S_ISDIR(st.st_mode))
		return resolve_tree(path, kernel);
	if (!S_ISREG(st.st_mode))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "kernel %s is neither a file nor a folder: name a bzImage, "
				       "a vmlinux or a built tree",
				       path);
	KTSTR_TRY(is_elf(path, &elf));
	if (elf)
		return resolve_vmlinux(path, kernel);
	return ktstr_external_kernel(
		&(struct ktstr_external){ .image_path = path, .source = "image" }, kernel);
}

/* What the cache has, corrupt entries with their reason: for messages. */
static char *describe_cache(const struct ktstr_kernel_entry *entries, size_t count)
{
	struct ktstr_str text = { 0 };

	for (size_t i = 0; i < count; i++) {
		ktstr_str_addf(&text, "%s%s", i ? ", " : "", entries[i].version);
		if (entries[i].corrupt_reason)
			ktstr_str_addf(&text, " (corrupt: %s)", entries[i].corrupt_reason);
	}
	if (!count)
		ktstr_str_add(&text, "nothing");
	return ktstr_str_take(&text);
}

static struct ktstr_error *not_cached(const char *spec, const char *flavour,
				      const struct ktstr_kernel_entry *entries, size_t count)
{
	_cleanup_free_ char *cached = describe_cache(entries, count);
	_cleanup_free_ char *offered = ktstr_offers_at_hand(flavour);

	if (!count)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "no kernel %s: the cache is empty%s%s; run `ktstr kernel get %s`", spec,
				       offered ? ", Debian offers " : "", offered ? offered : "",
				       spec);
	return ktstr_error_new(
		KTSTR_ERR_NOT_FOUND,
		"no kernel %s in the cache (there: %s%s%s): run `ktstr kernel get %s`", spec,
		cached, offered ? "; Debian offers: " : "", offered ? offered : "", spec);
}

/* A failed fetch also says what could be used instead. */
static struct ktstr_error *add_cached(struct ktstr_error *error,
				      const struct ktstr_kernel_entry *entries, size_t count)
{
	_cleanup_free_ char *cached = describe_cache(entries, count);
	_cleanup_error_ struct ktstr_error *cause = error;

	return ktstr_error_new(ktstr_error_code(cause), "%s; in the cache: %s",
			       ktstr_error_message(cause), cached);
}

static struct ktstr_error *resolve_version(const char *spec, bool fetch,
					   const struct ktstr_progress *progress,
					   struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *base = NULL;
	struct ktstr_kernel_entry *entries;
	struct ktstr_error *error = NULL;
	const char *flavour;
	size_t count;

	if (strcmp(spec, "latest") && !ktstr_str_starts_with(spec, "latest-") &&
	    !isdigit((unsigned char)*spec))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "\"%s\" is no kernel: use a version (7.3.4), a series "
				       "(7.3), latest, or a path (./%s)",
				       spec, spec);
	ktstr_spec_split(spec, &base, &flavour);
	KTSTR_TRY(ktstr_kernel_list(&entries, &count));
	if (ktstr_store_take_newest(entries, count, base, flavour, kernel)) {
		ktstr_kernel_entries_free(entries, count);
		return NULL;
	}
	if (fetch) {
		error = ktstr_kernel_get(spec, NULL, false, progress, kernel);
		if (error)
			error = add_cached(error, entries, count);
	} else {
		error = not_cached(spec, flavour, entries, count);
	}
	ktstr_kernel_entries_free(entries, count);
	return error;
}

struct ktstr_error *ktstr_kernel_resolve(const char *spec, bool fetch,
					 const struct ktstr_progress *progress,
					 struct ktstr_kernel *kernel)
{
	const char *variable = ktstr_env("KTSTR_KERNEL");
	bool from_variable = (!spec || !*spec) && variable;
	struct ktstr_error *error;

	*kernel = (struct ktstr_kernel){ 0 };
	if (!spec || !*spec)
		spec = variable ? variable : "latest";
	if (strchr(spec, '/') || *spec == '.' || *spec == '~')
		error = resolve_path(spec, kernel);
	else
		error = resolve_version(spec, fetch, progress, kernel);
	if (error && from_variable)
		return ktstr_error_wrap(error, "KTSTR_KERNEL=%s", spec);
	return error;
}
