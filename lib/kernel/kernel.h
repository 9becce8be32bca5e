/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel images: turn what the user names (version, series, image path, built source tree) into files that
 * boot, fetching distribution kernels into a cache of our own when needed.
 */
#ifndef KTSTR_KERNEL_KERNEL_H
#define KTSTR_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ktstr/error.h"

struct ktstr_strv;

/* A kernel that can be booted. All strings heap, owned by the struct. */
struct ktstr_kernel {
	char *release; /* `uname -r` of it: "7.3.4+deb13-cloud-amd64" */
	char *version; /* "7.3.4": key of the cache and of results */
	char *image_path; /* what QEMU boots: bzImage */
	char *vmlinux_path; /* decompressed ELF with .BTF, NULL when there is none */
	char *config_path; /* NULL when unknown */
	char *modules_dir; /* *.ko files that guests may load, uncompressed; or NULL */
	char *source; /* "debian", "image", "tree": shown to people, recorded in results */
	char *image_sha256; /* hex digest of the image: part of template keys */
};

void ktstr_kernel_deinit(struct ktstr_kernel *kernel);

/* Called while something long goes on; total 0 = unknown. NULL context allowed. */
struct ktstr_progress {
	void (*report)(void *context, const char *what, uint64_t done, uint64_t total);
	void *context;
};

/*
 * spec: NULL or "" = $KTSTR_KERNEL, else the newest valid cache entry; a version ("7.3.4") or series
 * ("7.3") or "latest" among the cache entries, fetched when it is not there and fetch is true; a path
 * (contains '/' or starts with '.' or '~') to a bzImage, to a vmlinux with a bzImage beside it, or to
 * a source tree that has been built. Errors name what was looked for, what exists and the command that helps.
 */
struct ktstr_error *ktstr_kernel_resolve(const char *spec, bool fetch,
					 const struct ktstr_progress *progress,
					 struct ktstr_kernel *kernel) KTSTR_CHECKED;

/*
 * Fetches version, series or "latest" (NULL) into the cache; no-op when it is there. flavour: "cloud",
 * "amd64", "rt", or NULL for the one that a spec like "7.3-rt" names, else cloud. When the mirror cannot
 * be asked, a cache entry that fits is taken, which progress is told. force fetches in any case.
 */
struct ktstr_error *ktstr_kernel_get(const char *spec, const char *flavour, bool force,
				     const struct ktstr_progress *progress,
				     struct ktstr_kernel *kernel) KTSTR_CHECKED;

struct ktstr_kernel_entry {
	char *version; /* directory name */
	char *path;
	char *corrupt_reason; /* NULL = valid */
	struct ktstr_kernel kernel; /* filled when valid */
	int64_t fetched_unix_seconds;
};

/* Newest version first, corrupt entries included. */
struct ktstr_error *ktstr_kernel_list(struct ktstr_kernel_entry **entries, size_t *count)
	KTSTR_CHECKED;
void ktstr_kernel_entries_free(struct ktstr_kernel_entry *entries, size_t count);
/* KTSTR_ERR_NOT_FOUND names the entries that exist. Waits for users of the entry's lock. */
struct ktstr_error *ktstr_kernel_remove(const char *version) KTSTR_CHECKED;

/*
 * Appends the file names of those wanted modules that modules_dir has, each behind what it depends on. wanted ends with
 * NULL; what is not there is built in, or the kernel does without.
 */
struct ktstr_error *ktstr_modules_order(const char *modules_dir, const char *const *wanted,
					struct ktstr_strv *files) KTSTR_CHECKED;

/* The versions that the distribution offers now (newest first), as heap strings. */
struct ktstr_error *ktstr_kernel_available(const struct ktstr_progress *progress,
					   struct ktstr_strv *versions) KTSTR_CHECKED;

/* y, m or a literal value of CONFIG_<option> in config_path; NULL when unset or unknown. Heap. */
char *ktstr_kernel_config_value(const struct ktstr_kernel *kernel, const char *option);

/* "6.16.12+deb13-cloud-amd64" -> "6.16.12"; heap. */
char *ktstr_version_of_release(const char *release);
/* <0, 0, >0: numeric comparison of dotted versions, "7.3" < "7.3.1", "7.3-rc2" < "7.3". */
int ktstr_version_compare(const char *a, const char *b);
/*
 * A filter: "6.16" or "6.16.9" (series or version), "6.12..6.16" or "6.12..=6.16" (both ends in it, also as series), or
 * a path to an image or a tree around it. check: KTSTR_ERR_INVALID, or KTSTR_ERR_UNSUPPORTED for "git+...".
 */
struct ktstr_error *ktstr_kernel_filter_check(const char *filter) KTSTR_CHECKED;
bool ktstr_kernel_filter_matches(const char *filter, const struct ktstr_kernel *kernel);
/* "6.16" matches "6.16.12" and "6.16" but not "6.1" or "6.160". */
bool ktstr_version_in_series(const char *version, const char *series);

#endif
