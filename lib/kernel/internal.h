/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this room share with each other; no other room includes this. */
#ifndef KTSTR_KERNEL_INTERNAL_H
#define KTSTR_KERNEL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/digest.h"
#include "kernel/kernel.h"
#include "ktstr/error.h"

#define KTSTR_KERNEL_DEFAULT_FLAVOUR "cloud"

/* A wait for another process that downloads or unpacks; longer than any mirror should need. */
#define KTSTR_KERNEL_LOCK_TIMEOUT_NS (30ull * 60 * 1000000000)

/* version.c. Heap: "6.16.12" -> "6.16". */
char *ktstr_version_series(const char *version);

/* kernel.c. Accepts NULL; calls the callback when there is one. */
void ktstr_progress_report(const struct ktstr_progress *progress, const char *what, uint64_t done,
			   uint64_t total);

/* elf.c: data must outlive the call only; name is for messages. */
struct ktstr_error *ktstr_elf_check_vmlinux(const void *data, size_t length,
					    const char *name) KTSTR_CHECKED;
/* Adds the "key=value" strings of a module's .modinfo section. */
struct ktstr_error *ktstr_elf_modinfo(const void *data, size_t length, const char *name,
				      struct ktstr_strv *entries) KTSTR_CHECKED;

/*
 * unpack.c. Decompresses gzip, bzip2, lzma, xz, zstd and lz4 by their magic; anything else comes
 * out as it is. More than max_length bytes is KTSTR_ERR_CORRUPT.
 */
struct ktstr_error *ktstr_decompress(const void *data, size_t length, size_t max_length,
				     const char *name, char **out,
				     size_t *out_length) KTSTR_CHECKED;
/* The regular files of a .deb whose path wanted() accepts, below into; directories are made. */
struct ktstr_error *ktstr_unpack_deb(const char *deb_path, bool (*wanted)(const char *path),
				     const char *into) KTSTR_CHECKED;

/* bzimage.c: what the x86 boot header says; offsets are checked against the file's length. */
struct ktstr_bzimage {
	char *release; /* heap */
	size_t payload_offset;
	size_t payload_length; /* 0: boot protocol older than 2.08, payload unknown */
};

bool ktstr_is_bzimage(const void *data, size_t length);
struct ktstr_error *ktstr_bzimage_parse(const void *data, size_t length, const char *name,
					struct ktstr_bzimage *image) KTSTR_CHECKED;
void ktstr_bzimage_deinit(struct ktstr_bzimage *image);
/* The decompressed kernel ELF inside, checked to have .BTF. Heap. */
struct ktstr_error *ktstr_bzimage_vmlinux(const void *data, size_t length, const char *name,
					  char **vmlinux, size_t *vmlinux_length) KTSTR_CHECKED;

/*
 * modules.c. Copies the modules that guests may need from root (searched recursively, *.ko, .xz, .zst,
 * .gz) to into, decompressed, and writes "order" there: file names, dependencies first. A wanted
 * module that is not there is taken for built in or switched off; a missing dependency is an error.
 */
struct ktstr_error *ktstr_modules_collect(const char *root, const char *const *wanted,
					  const char *into, size_t *count) KTSTR_CHECKED;
extern const char *const ktstr_guest_modules[]; /* NULL-terminated */

/* ikconfig.c: the config inside a vmlinux built with CONFIG_IKCONFIG, NULL when there is none.
 * Heap. */
char *ktstr_ikconfig(const void *vmlinux, size_t length, size_t *config_length);

/*
 * workdir.c: a directory that is filled under a temporary name and then takes its final name at
 * once. The lock is held from open to close, so whoever holds it knows that every other
 * temporary directory of the same name belongs to a dead process.
 */
struct ktstr_workdir {
	char *parent;
	char *name;
	char *path; /* the temporary directory; NULL before begin */
	int lock_fd;
};

struct ktstr_error *ktstr_workdir_open(const char *parent, const char *name,
				       struct ktstr_workdir *work) KTSTR_CHECKED;
struct ktstr_error *ktstr_workdir_begin(struct ktstr_workdir *work) KTSTR_CHECKED;
/* Takes the place of parent/name, whatever was there before is removed. */
struct ktstr_error *ktstr_workdir_publish(struct ktstr_workdir *work) KTSTR_CHECKED;
/* Removes an unpublished directory and releases the lock. */
void ktstr_workdir_close(struct ktstr_workdir *work);
#define _cleanup_workdir_ _cleanup_(ktstr_workdir_close)
/* KTSTR_ERR_NO_SPACE with path, need and remedy when the filesystem of path has less than that. */
struct ktstr_error *ktstr_check_space(const char *path, uint64_t needed_bytes) KTSTR_CHECKED;
struct ktstr_error *ktstr_store_file(const char *dir, const char *name, const void *data,
				     size_t length) KTSTR_CHECKED;

/* store.c: the entries of <cache>/kernels. */
char *ktstr_store_dir(void); /* heap */
/* "7.3.4" for the default flavour, "7.3.4-rt" for another. Heap. */
char *ktstr_store_key(const char *version, const char *flavour);
struct ktstr_error *ktstr_store_load(const char *key, struct ktstr_kernel *kernel,
				     int64_t *fetched_unix_seconds) KTSTR_CHECKED;
/*
 * The newest valid entry of the flavour that base ("7.3", "7.3.4", "latest") names moves into
 * kernel; false when there is none. Entries as ktstr_kernel_list() gives them.
 */
bool ktstr_store_take_newest(struct ktstr_kernel_entry *entries, size_t count, const char *base,
			     const char *flavour, struct ktstr_kernel *kernel);
/* What metadata.json must say about an entry whose files lie in dir, besides what it finds there.
 */
struct ktstr_store_origin {
	const char *version, *release, *flavour, *suite, *package, *package_version;
};
struct ktstr_error *
ktstr_store_write_metadata(const char *dir, const struct ktstr_store_origin *origin) KTSTR_CHECKED;

/* external.c: fills vmlinux, config and modules of an image that is not in the cache. */
struct ktstr_external {
	const char *image_path;
	const char *vmlinux_path; /* NULL: extract it from the image */
	const char *config_path;  /* NULL: look beside the image */
	const char *modules_root; /* NULL: /lib/modules/<release>, when it is there */
	const char *source;       /* "image" or "tree" */
};
struct ktstr_error *ktstr_external_kernel(const struct ktstr_external *external,
					  struct ktstr_kernel *kernel) KTSTR_CHECKED;

/*
 * fetch.c: "7.3.4, 7.2.12, ..." of the lists that are at hand, without asking the mirror. NULL when
 * there are none. Heap.
 */
char *ktstr_offers_at_hand(const char *flavour);

/* "7.3-rt" -> base "7.3", flavour "rt"; without a known suffix the default flavour. */
void ktstr_spec_split(const char *spec, char **base, const char **flavour);
/* NULL for a flavour that does not exist, else its static name. */
const char *ktstr_flavour(const char *name);

#endif
