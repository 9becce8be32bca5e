// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fetches a Debian kernel into the cache: choose the version, download its packages, unpack them,
 * keep the parts a guest needs. One process does the work, others that want the same version wait
 * for it.
 */
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/distro.h"
#include "kernel/internal.h"
#include "kernel/kernel.h"

enum { LISTS_MAX_AGE_S = 24 * 60 * 60, LISTS_JUST_FETCHED_S = 60 };

/* vmlinux and the decompressed modules of the guest: 62 + 10 MB for 7.3, with room to grow. */
#define DERIVED_BYTES (128ull << 20)

/* The version that spec names now; asks the mirror again when it is not in lists that are at hand.
 */
static struct ktstr_error *choose_offer(const struct ktstr_apt *apt, const char *base,
					const char *flavour, const struct ktstr_progress *progress,
					struct ktstr_offers *offers,
					const struct ktstr_offer **chosen)
{
	const char *until = strcmp(base, "latest") ? base : NULL;
	_cleanup_free_ char *summary = NULL;

	KTSTR_TRY(ktstr_offers_read(apt, flavour, until, LISTS_MAX_AGE_S, progress, offers));
	*chosen = ktstr_offers_find(offers, base);
	if (*chosen)
		return NULL;
	ktstr_offers_deinit(offers);
	KTSTR_TRY(ktstr_offers_read(apt, flavour, until, LISTS_JUST_FETCHED_S, progress, offers));
	*chosen = ktstr_offers_find(offers, base);
	if (*chosen)
		return NULL;
	summary = ktstr_offers_summary(offers);
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
			       "Debian offers no kernel %s of flavour %s (newest of each series: "
			       "%s): see `ktstr kernel list --available`",
			       base, flavour, *summary ? summary : "none");
}

static bool is_kernel_file(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	return ktstr_str_starts_with(name, "vmlinuz") || ktstr_str_starts_with(name, "config-") ||
	       !strcmp(name, "config") || strstr(name, ".ko");
}

/* The one file of the unpacked packages with this name, or with this name and "-<release>". */
static struct ktstr_error *find_unpacked(const char *root, const char *name, const char *release,
					 char **path)
{
	_cleanup_free_ char *long_name = ktstr_xasprintf("%s-%s", name, release);
	char *roots[] = { (char *)root, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	*path = NULL;
	if (!walk)
		return ktstr_error_sys(errno, "cannot read %s", root);
	while (!*path && (entry = fts_read(walk)))
		if (entry->fts_info == FTS_F &&
		    (!strcmp(entry->fts_name, name) || !strcmp(entry->fts_name, long_name)))
			*path = ktstr_xstrdup(entry->fts_path);
	fts_close(walk);
	if (!*path)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "the packages of kernel %s hold no %s",
				       release, name);
	return NULL;
}

/* Unpacks every .deb of debs into root; each is deleted at once, disks being small on CI. */
static struct ktstr_error *unpack_all(const char *debs, const char *root,
				      const struct ktstr_progress *progress)
{
	_cleanup_closedir_ DIR *dir = opendir(debs);
	struct dirent *entry;

	if (!dir)
		return ktstr_error_sys(errno, "cannot list %s", debs);
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", debs, entry->d_name);

		if (!ktstr_str_ends_with(entry->d_name, ".deb"))
			continue;
		ktstr_progress_report(progress, "unpack", 0, 0);
		KTSTR_TRY(ktstr_unpack_deb(path, is_kernel_file, root));
		unlink(path);
	}
	return NULL;
}

static struct ktstr_error *copy_into(const char *from, const char *dir, const char *name)
{
	_cleanup_free_ char *data = NULL;
	size_t length;

	KTSTR_TRY(ktstr_read_file(from, &data, &length));
	return ktstr_store_file(dir, name, data, length);
}

static struct ktstr_error *store_images(const char *root, const char *release, const char *dir)
{
	_cleanup_free_ char *image_path = NULL, *config_path = NULL, *image = NULL, *vmlinux = NULL;
	size_t image_length, vmlinux_length;

	KTSTR_TRY(find_unpacked(root, "vmlinuz", release, &image_path));
	KTSTR_TRY(find_unpacked(root, "config", release, &config_path));
	KTSTR_TRY(copy_into(config_path, dir, "config"));
	KTSTR_TRY(ktstr_read_file(image_path, &image, &image_length));
	KTSTR_TRY(ktstr_store_file(dir, "vmlinuz", image, image_length));
	KTSTR_TRY(
		ktstr_bzimage_vmlinux(image, image_length, image_path, &vmlinux, &vmlinux_length));
	return ktstr_store_file(dir, "vmlinux", vmlinux, vmlinux_length);
}

/* Fills dir from the .deb files in dir/debs. */
static struct ktstr_error *build_entry(const char *dir, const struct ktstr_store_origin *origin,
				       const struct ktstr_progress *progress)
{
	_cleanup_free_ char *debs = ktstr_xasprintf("%s/debs", dir);
	_cleanup_free_ char *root = ktstr_xasprintf("%s/root", dir);
	_cleanup_free_ char *modules = ktstr_xasprintf("%s/modules", dir);
	size_t count;

	KTSTR_TRY(unpack_all(debs, root, progress));
	ktstr_progress_report(progress, "extract vmlinux and modules", 0, 0);
	KTSTR_TRY(store_images(root, origin->release, dir));
	KTSTR_TRY(ktstr_modules_collect(root, ktstr_guest_modules, modules, &count));
	KTSTR_TRY(ktstr_remove_tree(debs));
	KTSTR_TRY(ktstr_remove_tree(root));
	return ktstr_store_write_metadata(dir, origin);
}

static struct ktstr_error *download(const struct ktstr_offer *offer,
				    const struct ktstr_workdir *work,
				    const struct ktstr_progress *progress,
				    struct ktstr_package_set *set)
{
	_cleanup_apt_ struct ktstr_apt apt = { .lock_fd = -1 };
	_cleanup_free_ char *debs = ktstr_xasprintf("%s/debs", work->path);
	uint64_t needed = DERIVED_BYTES;

	KTSTR_TRY(ktstr_apt_open(&apt));
	KTSTR_TRY(ktstr_offer_packages(&apt, offer, set));
	for (size_t i = 0; i < set->count; i++)
		needed += set->items[i].size + (set->items[i].installed_kib << 10);
	KTSTR_TRY(ktstr_check_space(work->parent, needed));
	KTSTR_TRY(ktstr_make_dirs(debs));
	return ktstr_apt_download(&apt, offer->suite, set->items, set->count, debs, progress);
}

/* A disk that fills up under us, in spite of the check before, gets the remedy, too. */
static struct ktstr_error *explain_space(struct ktstr_error *error)
{
	_cleanup_free_ char *cache = ktstr_cache_dir();
	_cleanup_error_ struct ktstr_error *cause = error;

	if (ktstr_error_code(error) != KTSTR_ERR_NO_SPACE ||
	    strstr(ktstr_error_message(error), "KTSTR_CACHE_DIR"))
		return ktstr_take(cause);

	return ktstr_error_new(
		KTSTR_ERR_NO_SPACE,
		"%s: free some space in %s, or set KTSTR_CACHE_DIR to a folder on a larger disk",
		ktstr_error_message(cause), cache);
}

static struct ktstr_error *fetch_locked(const struct ktstr_offer *offer, const char *flavour,
					struct ktstr_workdir *work,
					const struct ktstr_progress *progress)
{
	_cleanup_package_set_ struct ktstr_package_set set = { 0 };
	struct ktstr_store_origin origin = { .version = offer->version,
					     .release = offer->release,
					     .flavour = flavour,
					     .suite = offer->suite };

	KTSTR_TRY(ktstr_workdir_begin(work));
	KTSTR_TRY(download(offer, work, progress, &set));
	origin.package = set.items[0].name;
	origin.package_version = set.items[0].version;
	KTSTR_TRY(build_entry(work->path, &origin, progress));
	return ktstr_workdir_publish(work);
}

/* NULL error and filled kernel when the entry is there and good; *usable tells. */
static struct ktstr_error *try_load(const char *key, struct ktstr_kernel *kernel, bool *usable)
{
	struct ktstr_error *error = ktstr_store_load(key, kernel, NULL);
	enum ktstr_error_code code = ktstr_error_code(error);

	*usable = !error;
	/* Absent and corrupt entries are what a fetch is for. Anything else it could not mend. */
	if (!error || code == KTSTR_ERR_NOT_FOUND || code == KTSTR_ERR_CORRUPT) {
		ktstr_error_free(error);
		return NULL;
	}
	return error;
}

static struct ktstr_error *fetch_offer(const struct ktstr_offer *offer, const char *flavour,
				       bool force, const struct ktstr_progress *progress,
				       struct ktstr_kernel *kernel)
{
	_cleanup_workdir_ struct ktstr_workdir work = { .lock_fd = -1 };
	_cleanup_free_ char *key = ktstr_store_key(offer->version, flavour);
	_cleanup_free_ char *store = ktstr_store_dir();
	bool usable;

	KTSTR_TRY(ktstr_workdir_open(store, key, &work));
	/* Who waited for the lock finds the work done. */
	if (!force) {
		KTSTR_TRY(try_load(key, kernel, &usable));
		if (usable)
			return NULL;
	}
	KTSTR_TRY(fetch_locked(offer, flavour, &work, progress));
	return ktstr_store_load(key, kernel, NULL);
}

/*
 * Without mirror, or with one that has dropped the series, an entry that fits is as good as it
 * gets: takes it and the error. Otherwise the error stays.
 */
static struct ktstr_error *fall_back(struct ktstr_error *error, const char *base,
				     const char *flavour, const struct ktstr_progress *progress,
				     struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *note = NULL;
	struct ktstr_kernel_entry *entries;
	struct ktstr_error *list_error;
	size_t count;
	bool found;

	list_error = ktstr_kernel_list(&entries, &count);
	if (list_error) {
		ktstr_error_free(list_error);
		return error;
	}
	found = ktstr_store_take_newest(entries, count, base, flavour, kernel);
	ktstr_kernel_entries_free(entries, count);
	if (!found)
		return error;
	note = ktstr_xasprintf("using %s of the cache: %s", kernel->version,
			       ktstr_error_message(error));
	ktstr_progress_report(progress, note, 0, 0);
	ktstr_error_free(error);
	return NULL;
}

static struct ktstr_error *choose_and_fetch(const char *base, const char *flavour, bool force,
					    const struct ktstr_progress *progress,
					    struct ktstr_kernel *kernel)
{
	_cleanup_offers_ struct ktstr_offers offers = { 0 };
	_cleanup_apt_ struct ktstr_apt apt = { .lock_fd = -1 };
	const struct ktstr_offer *offer = NULL;
	struct ktstr_error *error;

	error = ktstr_apt_open(&apt);
	if (!error)
		error = choose_offer(&apt, base, flavour, progress, &offers, &offer);
	if (error)
		return force ? error : fall_back(error, base, flavour, progress, kernel);
	/* Not held while waiting for the entry: its holder needs apt to finish. */
	ktstr_apt_close(&apt);
	return fetch_offer(offer, flavour, force, progress, kernel);
}

static struct ktstr_error *check_spec(const char *spec, const char *base)
{
	if (!strcmp(base, "latest") || (*base >= '0' && *base <= '9'))
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"\"%s\" is no kernel version: use one like 7.3.4, a series like 7.3, or latest",
		spec);
}

struct ktstr_error *ktstr_kernel_get(const char *spec, const char *flavour, bool force,
				     const struct ktstr_progress *progress,
				     struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *base = NULL, *key = NULL;
	const char *spec_flavour;
	bool usable;

	*kernel = (struct ktstr_kernel){ 0 };
	ktstr_spec_split(spec ? spec : "latest", &base, &spec_flavour);
	if (flavour && !ktstr_flavour(flavour))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "no kernel flavour \"%s\": use cloud, amd64 or rt", flavour);
	flavour = flavour ? ktstr_flavour(flavour) : spec_flavour;
	KTSTR_TRY(check_spec(spec ? spec : "latest", base));
	key = ktstr_store_key(base, flavour);
	if (!force) {
		KTSTR_TRY(try_load(key, kernel, &usable));
		if (usable)
			return NULL;
	}
	KTSTR_TRY_WRAP(explain_space(choose_and_fetch(base, flavour, force, progress, kernel)),
		       "cannot fetch kernel %s", key);
	return NULL;
}

struct ktstr_error *ktstr_kernel_available(const struct ktstr_progress *progress,
					   struct ktstr_strv *versions)
{
	_cleanup_apt_ struct ktstr_apt apt = { .lock_fd = -1 };
	_cleanup_offers_ struct ktstr_offers offers = { 0 };

	KTSTR_TRY(ktstr_apt_open(&apt));
	KTSTR_TRY(ktstr_offers_read(&apt, KTSTR_KERNEL_DEFAULT_FLAVOUR, NULL, LISTS_MAX_AGE_S,
				    progress, &offers));
	for (size_t i = 0; i < offers.count; i++)
		ktstr_strv_add(versions, offers.items[i].version);
	return NULL;
}

char *ktstr_offers_at_hand(const char *flavour)
{
	_cleanup_apt_ struct ktstr_apt apt = { .lock_fd = -1 };
	_cleanup_offers_ struct ktstr_offers offers = { 0 };
	_cleanup_error_ struct ktstr_error *error = ktstr_apt_open(&apt);

	/* This decorates another error; a failure of its own only leaves the decoration away. */
	if (!error)
		error = ktstr_offers_read(&apt, flavour, NULL, UINT64_MAX, NULL, &offers);
	return error || !offers.count ? NULL : ktstr_offers_summary(&offers);
}
