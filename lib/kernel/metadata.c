// SPDX-License-Identifier: GPL-2.0-only
/*
 * metadata.json of a cache entry: written last, and the judge of the entry ever after. It holds the
 * size of every file, so that a truncated or missing one is noticed before anything boots from it.
 */
#include <errno.h>
#include <fts.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"

/* Entries of another format are replaced like corrupt ones. */
enum { METADATA_FORMAT = 1 };

KTSTR_DEFINE_CLEANUP(json_t *, cleanup_json, json_decref)

static struct ktstr_error *corrupt(const char *dir, const char *what)
{
	return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %s", dir, what);
}

/* {"vmlinuz": 13965248, "modules/btrfs.ko": ...} of everything below dir. */
static struct ktstr_error *list_files(const char *dir, json_t *files)
{
	char *roots[] = { (char *)dir, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	if (!walk)
		return ktstr_error_sys(errno, "cannot read %s", dir);
	while ((entry = fts_read(walk)))
		if (entry->fts_info == FTS_F)
			json_object_set_new(files, entry->fts_path + strlen(dir) + 1,
					    json_integer(entry->fts_statp->st_size));
	fts_close(walk);
	return NULL;
}

static struct ktstr_error *dump(const char *dir, const json_t *root)
{
	_cleanup_free_ char *text = json_dumps(root, JSON_INDENT(2));

	if (!text)
		return ktstr_error_new(KTSTR_ERR_INVALID, "cannot write the metadata of %s as JSON",
				       dir);
	return ktstr_store_file(dir, "metadata.json", text, strlen(text));
}

struct ktstr_error *ktstr_store_write_metadata(const char *dir,
					       const struct ktstr_store_origin *origin)
{
	_cleanup_free_ char *image_path = ktstr_xasprintf("%s/vmlinuz", dir);
	_cleanup_(cleanup_json) json_t *root = NULL;
	_cleanup_free_ char *image = NULL;
	json_t *files = json_object();
	size_t image_length;
	char digest[65], now[32];

	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:o}", "format",
			 METADATA_FORMAT, "version", origin->version, "release", origin->release,
			 "flavour", origin->flavour, "arch", "x86_64", "source", "type", "debian",
			 "package", origin->package, "package_version", origin->package_version,
			 "suite", origin->suite, "files", files);
	if (!root)
		return ktstr_error_new(KTSTR_ERR_INVALID, "cannot describe %s as JSON", dir);
	KTSTR_TRY(list_files(dir, files));
	KTSTR_TRY(ktstr_read_file(image_path, &image, &image_length));
	KTSTR_TRY(ktstr_sha256(image, image_length, digest));
	json_object_set_new(root, "image_name", json_string("vmlinuz"));
	json_object_set_new(root, "image_size", json_integer((json_int_t)image_length));
	json_object_set_new(root, "image_sha256", json_string(digest));
	json_object_set(root, "vmlinux_size", json_object_get(files, "vmlinux"));
	json_object_set_new(root, "fetched_at", json_string(ktstr_format_utc(time(NULL), now)));
	return dump(dir, root);
}

static struct ktstr_error *check_files(const char *dir, json_t *root)
{
	static const char *const needed[] = { "vmlinuz", "vmlinux", "config", "modules/order" };
	json_t *files = json_object_get(root, "files"), *value;
	const char *name;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!json_object_get(files, needed[i]))
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: metadata.json lists no %s",
					       dir, needed[i]);
	json_object_foreach (files, name, value) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);
		struct stat st;

		if (stat(path, &st))
			return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %s is missing", dir, name);
		if (!json_is_integer(value) || st.st_size != json_integer_value(value))
			return ktstr_error_new(
				KTSTR_ERR_CORRUPT, "%s: %s has %lld bytes instead of %lld", dir,
				name, (long long)st.st_size, (long long)json_integer_value(value));
	}
	return NULL;
}

static struct ktstr_error *check_image(const char *dir, const char *expected)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/vmlinuz", dir);
	_cleanup_free_ char *image = NULL;
	size_t length;
	char digest[65];

	KTSTR_TRY(ktstr_read_file(path, &image, &length));
	KTSTR_TRY(ktstr_sha256(image, length, digest));
	if (strcmp(digest, expected))
		return ktstr_error_new(KTSTR_ERR_CORRUPT,
				       "%s: vmlinuz has SHA-256 %.12s... instead of %.12s...", dir,
				       digest, expected);
	return NULL;
}

/* "2026-11-22T21:41:36Z" -> seconds; -1 when it is something else. */
static int64_t parse_utc(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return end && !*end ? timegm(&tm) : -1;
}

static struct ktstr_error *read_metadata(const char *dir, json_t **root)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/metadata.json", dir);
	_cleanup_free_ char *text = NULL;
	json_error_t why;
	size_t length;

	if (!ktstr_path_exists(path))
		return corrupt(dir, "metadata.json is missing");
	KTSTR_TRY(ktstr_read_file(path, &text, &length));
	*root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
	if (!*root)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: metadata.json, line %d: %s", dir,
				       why.line, why.text);
	return NULL;
}

struct ktstr_error *ktstr_store_load(const char *key, struct ktstr_kernel *kernel,
				     int64_t *fetched_unix_seconds)
{
	_cleanup_free_ char *store = ktstr_store_dir();
	_cleanup_free_ char *dir = ktstr_xasprintf("%s/%s", store, key);
	_cleanup_(cleanup_json) json_t *root = NULL;
	const char *version, *release, *flavour, *digest, *fetched, *type;
	_cleanup_free_ char *own_key = NULL;
	json_error_t why;
	int format;

	if (!ktstr_path_exists(dir))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s is not there", dir);
	KTSTR_TRY(read_metadata(dir, &root));
	if (json_unpack_ex(root, &why, 0, "{s:i, s:s, s:s, s:s, s:s, s:s, s:{s:s}}", "format",
			   &format, "version", &version, "release", &release, "flavour", &flavour,
			   "image_sha256", &digest, "fetched_at", &fetched, "source", "type",
			   &type))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: metadata.json: %s", dir, why.text);
	if (format != METADATA_FORMAT)
		return ktstr_error_new(KTSTR_ERR_CORRUPT,
				       "%s: format %d of metadata.json, known is %d", dir, format,
				       METADATA_FORMAT);
	own_key = ktstr_store_key(version, flavour);
	if (strcmp(own_key, key))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: metadata.json is that of %s", dir,
				       own_key);
	KTSTR_TRY(check_files(dir, root));
	KTSTR_TRY(check_image(dir, digest));
	*kernel = (struct ktstr_kernel){
		.release = ktstr_xstrdup(release),
		.version = ktstr_xstrdup(key),
		.image_path = ktstr_xasprintf("%s/vmlinuz", dir),
		.vmlinux_path = ktstr_xasprintf("%s/vmlinux", dir),
		.config_path = ktstr_xasprintf("%s/config", dir),
		.modules_dir = ktstr_xasprintf("%s/modules", dir),
		.source = ktstr_xstrdup(type),
		.image_sha256 = ktstr_xstrdup(digest),
	};
	if (fetched_unix_seconds)
		*fetched_unix_seconds = parse_utc(fetched);
	return NULL;
}
