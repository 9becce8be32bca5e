// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/kernel without network and without a real kernel: versions, apt sources, boot headers,
 * hand-made cache entries and module trees in a temporary cache.
 */
#include <elf.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "kernel/distro.h"
#include "kernel/internal.h"
#include "kernel/kernel.h"
#include "kernel/sources.h"
#include "scratch.h"

static int make_cache(void **state)
{
	if (make_scratch(state))
		return -1;
	unsetenv("KTSTR_KERNEL");
	/* No mirror: nothing here may reach the network. */
	setenv("KTSTR_ETC_APT", scratch, 1);
	return setenv("KTSTR_CACHE_DIR", scratch, 1);
}

/* --- versions --- */

static void versions_are_ordered_by_number(void **state)
{
	static const char *const ascending[] = { "6.1",      "6.2",       "6.12", "6.16-rc1",
						 "6.16-rc2", "6.16-rc10", "6.16", "6.16.3",
						 "6.16.12",  "7.3-rc2",   "7.3",  "7.3.1",
						 "7.3.4",    "7.3.4-rt",  "7.10" };
	size_t count = sizeof(ascending) / sizeof(ascending[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			int order = ktstr_version_compare(ascending[i], ascending[j]);

			if ((order < 0) != (i < j) || (order > 0) != (i > j))
				fail_msg("%s against %s gives %d", ascending[i], ascending[j],
					 order);
		}
}

static void series_end_at_a_dot(void **state)
{
	(void)state;
	assert_true(ktstr_version_in_series("6.16.12", "6.16"));
	assert_true(ktstr_version_in_series("6.16", "6.16"));
	assert_true(ktstr_version_in_series("7.3-rc2", "7.3"));
	assert_true(ktstr_version_in_series("7.3.4", "7"));
	assert_false(ktstr_version_in_series("6.16.12", "6.1"));
	assert_false(ktstr_version_in_series("6.160", "6.16"));
	assert_false(ktstr_version_in_series("6.1", "6.16"));
	assert_false(ktstr_version_in_series("6.1", ""));
}

static void releases_hold_versions(void **state)
{
	static const char *const pairs[][2] = { { "7.3.4+deb13-cloud-amd64", "7.3.4" },
						{ "6.18.0-rc2-g1234abc", "6.18.0-rc2" },
						{ "6.12.0-virtme", "6.12.0" },
						{ "7.3", "7.3" },
						{ "nonsense", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		_cleanup_free_ char *version = ktstr_version_of_release(pairs[i][0]);

		assert_string_equal(version, pairs[i][1]);
	}
}

static void specs_name_flavours(void **state)
{
	_cleanup_free_ char *plain = NULL, *rt = NULL, *candidate = NULL;
	const char *flavour;

	(void)state;
	ktstr_spec_split("7.3", &plain, &flavour);
	assert_string_equal(plain, "7.3");
	assert_string_equal(flavour, "cloud");
	ktstr_spec_split("7.3-rt", &rt, &flavour);
	assert_string_equal(rt, "7.3");
	assert_string_equal(flavour, "rt");
	ktstr_spec_split("7.3-rc2", &candidate, &flavour);
	assert_string_equal(candidate, "7.3-rc2");
	assert_string_equal(flavour, "cloud");
}

static void package_names_are_told_apart(void **state)
{
	static const struct {
		const char *package, *flavour, *version;
	} cases[] = {
		{ "linux-image-7.3.4+deb13-cloud-amd64", "cloud", "7.3.4" },
		{ "linux-image-7.3.4+deb13-cloud-amd64", "amd64", NULL },
		{ "linux-image-7.3.4+deb13-amd64", "amd64", "7.3.4" },
		{ "linux-image-7.3.4+deb13-amd64", "cloud", NULL },
		{ "linux-image-7.3.4+deb13-rt-amd64", "rt", "7.3.4" },
		{ "linux-image-7.3.4+deb13-cloud-amd64-dbg", "cloud", NULL },
		{ "linux-image-cloud-amd64", "cloud", NULL },
		{ "linux-headers-7.3.4+deb13-cloud-amd64", "cloud", NULL },
		{ "linux-image-6.1.0-9-cloud-amd64", "cloud", NULL },
		{ "linux-image-6.11.9+deb13-cloud-amd64", "cloud", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_offer offer = { 0 };
		bool taken = ktstr_offer_parse(cases[i].package, cases[i].flavour, &offer);

		if (taken != !!cases[i].version)
			fail_msg("%s as %s: %d", cases[i].package, cases[i].flavour, taken);
		if (taken)
			assert_string_equal(offer.version, cases[i].version);
		free(offer.version);
		free(offer.release);
	}
}

static void images_without_their_parts_are_no_offer(void **state)
{
	static const char release[] = "7.0.13+deb13-amd64";
	static const char depends[] = "dracut | x, linux-base-7.0.13+deb13-amd64 (= 7), "
				      "linux-binary-7.0.13+deb13-amd64 (= 7),"
				      "linux-modules-7.0.13+deb13-amd64";
	_cleanup_strv_ struct ktstr_strv names = { 0 };

	(void)state;
	assert_true(ktstr_offer_is_complete(release, "initramfs-tools, linux-base (>= 4)", &names));
	/* Longer names are other packages. */
	assert_true(ktstr_offer_is_complete(release, "linux-base-7.0.13+deb13-amd64-dbg", &names));
	ktstr_strv_add(&names, "linux-base-7.0.13+deb13-amd64");
	ktstr_strv_add(&names, "linux-binary-7.0.13+deb13-amd64");
	ktstr_strv_add(&names, "linux-modules-7.0.13+deb13-amd64-dbg");
	assert_false(ktstr_offer_is_complete(release, depends, &names));
	ktstr_strv_add(&names, "linux-modules-7.0.13+deb13-amd64");
	assert_true(ktstr_offer_is_complete(release, depends, &names));
}

/* --- apt sources --- */

static void deb822_source_is_found(void **state)
{
	_cleanup_(ktstr_apt_source_deinit) struct ktstr_apt_source source = { 0 };

	(void)state;
	put("etc/sources.list.d/debian.sources",
		 "Types: deb\n# comment: not a field\nURIs: http://mirror.test/debian-security\n"
		 "Suites: bookworm-security\nComponents: main\n\n"
		 "types: deb deb-src\nURIs:\n http://mirror.test/debian\nSuites: bookworm "
		 "bookworm-updates\n"
		 "Components: main contrib\nCheck-Valid-Until: no\nSigned-By:\n -----BEGIN\n .\n "
		 "key\n\n"
		 "Types: deb\nURIs: http://off.test/debian\nSuites: trixie\nComponents: main\n"
		 "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\nEnabled: no\n");
	put("etc/sources.list.d/vendor.sources",
		 "Types: deb\nURIs: http://vendor.test/linux/debian\nSuites: bookworm\nComponents: "
		 "stable\n");
	_cleanup_free_ char *etc = ktstr_xasprintf("%s/etc", scratch);

	assert_ok(ktstr_apt_find_source(etc, &source));
	assert_string_equal(source.uri, "http://mirror.test/debian");
	assert_string_equal(source.signed_by, "\n -----BEGIN\n .\n key");
	assert_string_equal(source.options, "Check-Valid-Until: no\n");
}

static void one_line_source_is_found(void **state)
{
	_cleanup_(ktstr_apt_source_deinit) struct ktstr_apt_source source = { 0 };
	_cleanup_free_ char *etc = ktstr_xasprintf("%s/one", scratch);

	(void)state;
	put("one/sources.list", "# deb http://commented.test/debian trixie main\n"
				     "deb [signed-by=/v.gpg] http://vendor.test/apt stable main\n"
				     "deb http://mirror.test/debian-security trixie-security main\n"
				     "deb-src http://source.test/debian trixie main\n"
				     "deb\t[ arch=amd64  signed-by=/a.gpg,/b.gpg ]  "
				     "http://mirror.test/debian/  trixie  contrib main # end\n"
				     "deb [ broken\ndeb\ndeb http://short.test/debian\n");
	assert_ok(ktstr_apt_find_source(etc, &source));
	assert_string_equal(source.uri, "http://mirror.test/debian/");
	assert_string_equal(source.signed_by, "/a.gpg /b.gpg");
}

static void missing_source_says_what_to_do(void **state)
{
	_cleanup_(ktstr_apt_source_deinit) struct ktstr_apt_source source = { 0 };
	_cleanup_free_ char *etc = ktstr_xasprintf("%s/none", scratch);

	(void)state;
	put("none/sources.list", "deb http://archive.test/ubuntu noble main\n");
	assert_fails(ktstr_apt_find_source(etc, &source), KTSTR_ERR_NOT_FOUND,
		     "add a source with suite");
}

/* --- boot header --- */

enum { IMAGE_BYTES = 8192, SETUP_BYTES = 5 * 512, RELEASE_AT = 0x400 };

static void put16(unsigned char *image, size_t at, uint16_t value)
{
	value = htole16(value);
	memcpy(image + at, &value, sizeof(value));
}

static void put32(unsigned char *image, size_t at, uint32_t value)
{
	value = htole32(value);
	memcpy(image + at, &value, sizeof(value));
}

/* A header of setup_sects 4, 4096 bytes of code, and a payload in the middle of that. */
static unsigned char *make_image(void)
{
	unsigned char *image = ktstr_xcalloc(1, IMAGE_BYTES);

	image[0x1f1] = 4;
	put32(image, 0x1f4, 4096 / 16);
	put16(image, 0x1fe, 0xaa55);
	memcpy(image + 0x202, "HdrS", 4);
	put16(image, 0x206, 0x020f);
	put16(image, 0x20e, RELEASE_AT - 0x200);
	strcpy((char *)image + RELEASE_AT, "7.3.4+deb13-cloud-amd64 (someone) #1 SMP");
	put32(image, 0x248, 256);
	put32(image, 0x24c, 1024);
	return image;
}

static void boot_header_is_read(void **state)
{
	_cleanup_(ktstr_bzimage_deinit) struct ktstr_bzimage header = { 0 };
	_cleanup_free_ unsigned char *image = make_image();

	(void)state;
	assert_ok(ktstr_bzimage_parse(image, IMAGE_BYTES, "image", &header));
	assert_string_equal(header.release, "7.3.4+deb13-cloud-amd64");
	assert_int_equal(header.payload_offset, SETUP_BYTES + 256);
	assert_int_equal(header.payload_length, 1024);
}

static void truncated_images_are_refused(void **state)
{
	_cleanup_free_ unsigned char *image = make_image();

	(void)state;
	/* Each length on its own allocation: the sanitizer then sees a read behind the end. */
	for (size_t length = 0; length < SETUP_BYTES + 4096; length += 37) {
		_cleanup_free_ unsigned char *part = ktstr_xmalloc(length + 1);
		struct ktstr_bzimage header = { 0 };
		struct ktstr_error *error;

		part = realloc(part, length ? length : 1);
		memcpy(part, image, length);
		error = ktstr_bzimage_parse(part, length, "part", &header);
		if (!error)
			fail_msg("%zu bytes pass for an image", length);
		ktstr_error_free(error);
	}
}

static void hostile_headers_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		int bytes;
		const char *says;
	} cases[] = {
		{ 0x1f4, 0xffffffff, 4, "truncated" },
		{ 0x1f1, 0xff, 1, "truncated" },
		{ 0x20e, 0xffff, 2, "outside" },
		{ 0x20e, 0, 2, "outside" },
		{ 0x248, 0xffffffff, 4, "beyond" },
		{ 0x248, IMAGE_BYTES, 4, "beyond" },
		{ 0x24c, 0xffffffff, 4, "beyond" },
		{ RELEASE_AT, 0, 1, "no kernel release" },
		{ RELEASE_AT, '/', 1, "no kernel release" },
		{ RELEASE_AT, '.', 1, "no kernel release" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ unsigned char *image = make_image();
		struct ktstr_bzimage header = { 0 };

		if (cases[i].bytes == 1)
			image[cases[i].at] = (unsigned char)cases[i].value;
		else if (cases[i].bytes == 2)
			put16(image, cases[i].at, (uint16_t)cases[i].value);
		else
			put32(image, cases[i].at, cases[i].value);
		assert_fails(ktstr_bzimage_parse(image, IMAGE_BYTES, "image", &header),
			     KTSTR_ERR_CORRUPT, cases[i].says);
	}
}

static void payload_must_be_a_kernel(void **state)
{
	_cleanup_free_ unsigned char *image = make_image();
	_cleanup_free_ char *vmlinux = NULL;
	size_t length;

	(void)state;
	assert_fails(ktstr_bzimage_vmlinux(image, IMAGE_BYTES, "image", &vmlinux, &length),
		     KTSTR_ERR_CORRUPT, "image");
	/* A zstd magic with nothing sensible behind it. */
	put32(image, SETUP_BYTES + 256, 0xfd2fb528);
	assert_fails(ktstr_bzimage_vmlinux(image, IMAGE_BYTES, "image", &vmlinux, &length),
		     KTSTR_ERR_CORRUPT, "image");
	assert_null(vmlinux);
}

static void a_bomb_is_stopped(void **state)
{
	/* Uncompressed data takes the same road, so it serves to reach the limit. */
	_cleanup_free_ char *text = ktstr_xcalloc(1, 1 << 20), *out = NULL;
	size_t length;

	(void)state;
	assert_fails(ktstr_decompress(text, 1 << 20, 1 << 16, "bomb", &out, &length),
		     KTSTR_ERR_CORRUPT, "more than 65536 bytes");
}

/* --- config --- */

static void config_values_are_looked_up(void **state)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/config", scratch);
	struct ktstr_kernel kernel = { .config_path = path };
	static const char *const cases[][2] = { { "SCHED_CLASS_EXT", "y" },
						{ "CONFIG_SCHED_CLASS_EXT", "y" },
						{ "BTRFS_FS", "m" },
						{ "HZ", "250" },
						{ "LOCALVERSION", "-test" },
						{ "SCHED_CLASS", NULL },
						{ "KASAN", NULL } };

	(void)state;
	put("config", "# Linux\nCONFIG_SCHED_CLASS_EXT=y\nCONFIG_BTRFS_FS=m\nCONFIG_HZ=250\n"
			   "CONFIG_LOCALVERSION=\"-test\"\n# CONFIG_KASAN is not set\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *value = ktstr_kernel_config_value(&kernel, cases[i][0]);

		if (cases[i][1])
			assert_string_equal(value, cases[i][1]);
		else
			assert_null(value);
	}
	kernel.config_path = NULL;
	assert_null(ktstr_kernel_config_value(&kernel, "HZ"));
}

/* --- cache entries --- */

static void put_entry(const char *key, const char *version, const char *flavour)
{
	static const char *const files[] = { "vmlinuz", "vmlinux", "config", "modules/order" };
	_cleanup_free_ char *dir = ktstr_xasprintf("%s/kernels/%s", scratch, key);
	_cleanup_free_ char *release = ktstr_xasprintf("%s+test", version);
	struct ktstr_store_origin origin = { .version = version,
					     .release = release,
					     .flavour = flavour,
					     .suite = "suite",
					     .package = "package",
					     .package_version = "1" };

	assert_ok(ktstr_remove_tree(dir));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("kernels/%s/%s", key, files[i]);

		put(path, key);
	}
	assert_ok(ktstr_store_write_metadata(dir, &origin));
}

static void good_entry_is_loaded(void **state)
{
	_cleanup_(ktstr_kernel_deinit) struct ktstr_kernel kernel = { 0 };
	int64_t fetched = 0;

	(void)state;
	put_entry("7.3.4", "7.3.4", "cloud");
	assert_ok(ktstr_store_load("7.3.4", &kernel, &fetched));
	assert_string_equal(kernel.release, "7.3.4+test");
	assert_string_equal(kernel.source, "debian");
	assert_int_equal(strlen(kernel.image_sha256), 64);
	assert_true(ktstr_path_exists(kernel.image_path));
	assert_true(ktstr_path_exists(kernel.modules_dir));
	assert_true(fetched > 1700000000);
}

/* What is done to an entry, and what is then said about it. */
static const struct {
	const char *file, *content, *says;
} damages[] = {
	{ "vmlinuz", "7.3", "vmlinuz has 3 bytes instead of 5" },
	{ "vmlinuz", "7.3.5", "vmlinuz has SHA-256" },
	{ "vmlinux", "", "vmlinux has 0 bytes" },
	{ "modules/order", NULL, "modules/order is missing" },
	{ "config", NULL, "config is missing" },
	{ "metadata.json", NULL, "metadata.json is missing" },
	{ "metadata.json", "{ \"version\":", "metadata.json, line 1" },
	{ "metadata.json", "[]", "metadata.json: Expected object" },
	{ "metadata.json", "{\"format\": 1}", "metadata.json: Object item not found" },
	{ "metadata.json",
	  "{\"format\": 99, \"version\": \"7.3.4\", \"release\": \"r\", \"flavour\": \"cloud\", "
	  "\"image_sha256\": \"0\", "
	  "\"fetched_at\": \"x\", \"source\": {\"type\": \"debian\"}}",
	  "format 99" },
	{ "metadata.json",
	  "{\"format\": 1, \"version\": \"7.3.4\", \"release\": \"r\", \"flavour\": \"cloud\", "
	  "\"image_sha256\": \"0\", "
	  "\"fetched_at\": \"x\", \"source\": {\"type\": \"debian\"}}",
	  "lists no vmlinuz" },
	{ "metadata.json",
	  "{\"format\": 1, \"version\": \"7.3.3\", \"release\": \"r\", \"flavour\": \"cloud\", "
	  "\"image_sha256\": \"0\", "
	  "\"fetched_at\": \"x\", \"source\": {\"type\": \"debian\"}}",
	  "that of 7.3.3" },
};

static void damaged_entries_are_corrupt(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("kernels/7.3.4/%s", damages[i].file);
		_cleanup_free_ char *full = ktstr_xasprintf("%s/%s", scratch, path);
		struct ktstr_kernel kernel = { 0 };

		put_entry("7.3.4", "7.3.4", "cloud");
		if (damages[i].content)
			put(path, damages[i].content);
		else
			assert_int_equal(unlink(full), 0);
		assert_fails(ktstr_store_load("7.3.4", &kernel, NULL), KTSTR_ERR_CORRUPT,
			     damages[i].says);
	}
}

static void list_is_newest_first_with_corrupt_ones(void **state)
{
	struct ktstr_kernel_entry *entries;
	size_t count;

	(void)state;
	put_entry("6.16.12", "6.16.12", "cloud");
	put_entry("6.16.3", "6.16.3", "cloud");
	put_entry("7.3.4", "7.3.4", "cloud");
	put("kernels/7.3.4/vmlinuz", "x");
	put("kernels/.tmp-9.9,pid-1/vmlinuz", "unfinished");
	assert_ok(ktstr_kernel_list(&entries, &count));
	assert_int_equal(count, 3);
	assert_string_equal(entries[0].version, "7.3.4");
	assert_string_equal(entries[0].corrupt_reason, "vmlinuz has 1 bytes instead of 5");
	assert_null(entries[0].kernel.image_path);
	assert_string_equal(entries[1].version, "6.16.12");
	assert_null(entries[1].corrupt_reason);
	assert_string_equal(entries[2].version, "6.16.3");
	ktstr_kernel_entries_free(entries, count);
}

static void assert_resolves(const char *spec, const char *version)
{
	_cleanup_(ktstr_kernel_deinit) struct ktstr_kernel kernel = { 0 };

	assert_ok(ktstr_kernel_resolve(spec, false, NULL, &kernel));
	assert_string_equal(kernel.version, version);
}

static void versions_resolve_to_the_newest_valid(void **state)
{
	struct ktstr_kernel kernel;

	(void)state;
	put_entry("6.16.3", "6.16.3", "cloud");
	put_entry("6.16.12", "6.16.12", "cloud");
	put_entry("7.3.4", "7.3.4", "cloud");
	put_entry("7.3.4-rt", "7.3.4", "rt");
	assert_resolves(NULL, "7.3.4");
	assert_resolves("6.16", "6.16.12");
	assert_resolves("6.16.3", "6.16.3");
	assert_resolves("7.3-rt", "7.3.4-rt");
	put("kernels/7.3.4/vmlinuz", "x");
	assert_resolves("latest", "6.16.12");
	setenv("KTSTR_KERNEL", "6.16.3", 1);
	assert_resolves("", "6.16.3");
	assert_resolves("6.16", "6.16.12");
	setenv("KTSTR_KERNEL", "9.9", 1);
	assert_fails(ktstr_kernel_resolve(NULL, false, NULL, &kernel), KTSTR_ERR_NOT_FOUND,
		     "KTSTR_KERNEL=9.9: no kernel 9.9");
	unsetenv("KTSTR_KERNEL");
	assert_fails(ktstr_kernel_resolve("7.3", false, NULL, &kernel), KTSTR_ERR_NOT_FOUND,
		     "7.3.4 (corrupt: vmlinuz has 1 bytes instead of 5), 6.16.12, 6.16.3");
	assert_fails(ktstr_kernel_resolve("9.9", true, NULL, &kernel), KTSTR_ERR_NOT_FOUND,
		     "no Debian mirror");
	assert_fails(ktstr_kernel_resolve("bzImage", false, NULL, &kernel), KTSTR_ERR_INVALID,
		     "./bzImage");
}

static void entries_are_removed(void **state)
{
	(void)state;
	put_entry("6.16.3", "6.16.3", "cloud");
	put_entry("7.3.4", "7.3.4", "cloud");
	assert_ok(ktstr_kernel_remove("7.3.4"));
	assert_fails(ktstr_kernel_remove("7.3.4"), KTSTR_ERR_NOT_FOUND, "which has 6.16.3");
	assert_fails(ktstr_kernel_remove("../kernels"), KTSTR_ERR_INVALID, "../kernels");
	assert_fails(ktstr_kernel_remove(".locks"), KTSTR_ERR_INVALID, ".locks");
	assert_ok(ktstr_kernel_remove("6.16.3"));
	assert_fails(ktstr_kernel_remove("6.16.3"), KTSTR_ERR_NOT_FOUND, "kernels is empty");
}

static void leftovers_of_the_dead_are_reclaimed(void **state)
{
	_cleanup_workdir_ struct ktstr_workdir alive = { .lock_fd = -1 }, work = { .lock_fd = -1 };
	_cleanup_free_ char *store = ktstr_store_dir();
	_cleanup_free_ char *dead = ktstr_xasprintf("%s/.tmp-5.5,pid-1", store), *kept = NULL;

	(void)state;
	put("kernels/.tmp-5.5,pid-1/vmlinuz", "of a killed process");
	assert_ok(ktstr_workdir_open(store, "6.6", &alive));
	assert_ok(ktstr_workdir_begin(&alive));
	kept = ktstr_xstrdup(alive.path);
	assert_false(ktstr_path_exists(dead));
	put("kernels/.tmp-5.5,pid-1/vmlinuz", "of another one");
	assert_ok(ktstr_workdir_open(store, "7.7", &work));
	assert_ok(ktstr_workdir_begin(&work));
	assert_false(ktstr_path_exists(dead));
	assert_true(ktstr_path_exists(kept));
	ktstr_workdir_close(&alive);
	assert_false(ktstr_path_exists(kept));
}

static void publishing_replaces_the_old_entry(void **state)
{
	_cleanup_free_ char *store = ktstr_store_dir();
	_cleanup_free_ char *old = ktstr_xasprintf("%s/8.8/old", store);
	_cleanup_free_ char *new = ktstr_xasprintf("%s/8.8/new", store), *temp = NULL;
	struct ktstr_workdir work;

	(void)state;
	put("kernels/8.8/old", "old");
	assert_ok(ktstr_workdir_open(store, "8.8", &work));
	assert_ok(ktstr_workdir_begin(&work));
	temp = ktstr_xstrdup(work.path);
	assert_ok(ktstr_store_file(work.path, "new", "new", 3));
	assert_false(ktstr_path_exists(new));
	assert_ok(ktstr_workdir_publish(&work));
	ktstr_workdir_close(&work);
	assert_true(ktstr_path_exists(new));
	assert_false(ktstr_path_exists(old));
	assert_false(ktstr_path_exists(temp));
}

static void lack_of_space_names_path_and_need(void **state)
{
	(void)state;
	assert_ok(ktstr_check_space(scratch, 1));
	assert_fails(ktstr_check_space(scratch, UINT64_MAX / 2), KTSTR_ERR_NO_SPACE, scratch);
	assert_fails(ktstr_check_space(scratch, UINT64_MAX / 2), KTSTR_ERR_NO_SPACE,
		     "KTSTR_CACHE_DIR");
}

/* --- modules --- */

/* The smallest ELF file with a .modinfo section: header, that section, section names, table. */
static void put_module(const char *path, const char *modinfo, size_t modinfo_length)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	size_t names_at = sizeof(Elf64_Ehdr) + modinfo_length;
	size_t table_at = (names_at + sizeof(names) + 7) & ~7ul;
	size_t length = table_at + 3 * sizeof(Elf64_Shdr);
	_cleanup_free_ char *file = ktstr_xcalloc(1, length);
	Elf64_Ehdr header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
					   EV_CURRENT },
			      .e_type = ET_REL,
			      .e_machine = EM_X86_64,
			      .e_version = EV_CURRENT,
			      .e_shoff = table_at,
			      .e_ehsize = sizeof(header),
			      .e_shentsize = sizeof(Elf64_Shdr),
			      .e_shnum = 3,
			      .e_shstrndx = 2 };
	Elf64_Shdr sections[3] = { { 0 },
				   { .sh_name = 1,
				     .sh_type = SHT_PROGBITS,
				     .sh_offset = sizeof(header),
				     .sh_size = modinfo_length,
				     .sh_addralign = 1 },
				   { .sh_name = 10,
				     .sh_type = SHT_STRTAB,
				     .sh_offset = names_at,
				     .sh_size = sizeof(names),
				     .sh_addralign = 1 } };

	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), modinfo, modinfo_length);
	memcpy(file + names_at, names, sizeof(names));
	memcpy(file + table_at, sections, sizeof(sections));
	put_bytes(path, file, length);
}

#define PUT_MODULE(path, modinfo) put_module(path, modinfo, sizeof(modinfo))

static void modules_follow_their_dependencies(void **state)
{
	static const char *const wanted[] = { "top", "not_there", "other", NULL };
	_cleanup_free_ char *root = ktstr_xasprintf("%s/root", scratch);
	_cleanup_free_ char *into = ktstr_xasprintf("%s/into", scratch);
	_cleanup_free_ char *order_path = ktstr_xasprintf("%s/order", into), *order = NULL;
	size_t count;

	(void)state;
	PUT_MODULE("root/kernel/lib/mid-dle.ko", "depends=leaf");
	PUT_MODULE("root/kernel/lib/leaf.ko", "depends=");
	PUT_MODULE("root/kernel/lib/later.ko", "depends=");
	PUT_MODULE("root/kernel/lib/other.ko", "depends=leaf");
	PUT_MODULE("root/kernel/lib/unwanted.ko", "depends=");
	PUT_MODULE("root/kernel/crypto/hash_generic.ko", "alias=fancy-hash\0depends=");
	put("root/kernel/lib/notes.ko.txt", "no module");
	/* depends= spells names with '_' whatever the file is called. */
	PUT_MODULE("root/kernel/fs/top.ko",
		   "license=GPL\0softdep=pre: fancy-hash absent post: later\0depends=mid_dle,leaf");
	assert_ok(ktstr_modules_collect(root, wanted, into, &count));
	assert_int_equal(count, 5);
	order = ktstr_read_line(order_path);
	assert_string_equal(order, "hash_generic.ko\nleaf.ko\nmid_dle.ko\ntop.ko\nother.ko");
}

static void missing_dependency_is_an_error(void **state)
{
	static const char *const wanted[] = { "alone", NULL };
	_cleanup_free_ char *root = ktstr_xasprintf("%s/broken", scratch);
	_cleanup_free_ char *into = ktstr_xasprintf("%s/into2", scratch);
	size_t count;

	(void)state;
	PUT_MODULE("broken/alone.ko", "depends=gone");
	assert_fails(ktstr_modules_collect(root, wanted, into, &count), KTSTR_ERR_CORRUPT,
		     "needs gone");
	put("broken/alone.ko", "not ELF");
	assert_fails(ktstr_modules_collect(root, wanted, into, &count), KTSTR_ERR_CORRUPT,
		     "not an ELF");
}

static void dependency_cycles_end(void **state)
{
	static const char *const wanted[] = { "one", NULL };
	_cleanup_free_ char *root = ktstr_xasprintf("%s/cycle", scratch);
	_cleanup_free_ char *into = ktstr_xasprintf("%s/into3", scratch);
	size_t count;

	(void)state;
	PUT_MODULE("cycle/one.ko", "depends=two");
	PUT_MODULE("cycle/two.ko", "depends=one");
	assert_ok(ktstr_modules_collect(root, wanted, into, &count));
	assert_int_equal(count, 2);
}

/* --- paths --- */

static void paths_say_what_is_missing(void **state)
{
	_cleanup_free_ char *tree = ktstr_xasprintf("%s/tree", scratch);
	_cleanup_free_ char *vmlinux = ktstr_xasprintf("%s/tree/vmlinux", scratch);
	_cleanup_free_ char *config = ktstr_xasprintf("%s/config", scratch);
	struct ktstr_kernel kernel;

	(void)state;
	put("tree/Makefile", "");
	assert_fails(ktstr_kernel_resolve(tree, false, NULL, &kernel), KTSTR_ERR_INVALID,
		     "no kernel tree");
	put("tree/Kconfig", "");
	assert_fails(ktstr_kernel_resolve(tree, false, NULL, &kernel), KTSTR_ERR_NOT_FOUND,
		     "not configured");
	put("tree/.config", "CONFIG_HZ=1000\n");
	assert_fails(ktstr_kernel_resolve(tree, false, NULL, &kernel), KTSTR_ERR_NOT_FOUND,
		     "not built (vmlinux is missing): run `make -C");
	put("tree/vmlinux", "\x7f"
				 "ELF");
	assert_fails(ktstr_kernel_resolve(vmlinux, false, NULL, &kernel), KTSTR_ERR_NOT_FOUND,
		     "bzImage");
	put("config", "text, and long enough to be looked at");
	assert_fails(ktstr_kernel_resolve(config, false, NULL, &kernel), KTSTR_ERR_INVALID,
		     "not a bzImage");
	assert_fails(ktstr_kernel_resolve("./no/such", false, NULL, &kernel), KTSTR_ERR_NOT_FOUND,
		     "./no/such");
}

static void a_tree_gives_its_own_files(void **state)
{
	_cleanup_(ktstr_kernel_deinit) struct ktstr_kernel kernel = { 0 };
	_cleanup_free_ char *tree = ktstr_xasprintf("%s/built", scratch), *value = NULL;
	_cleanup_free_ unsigned char *image = make_image();

	(void)state;
	put("built/Makefile", "");
	put("built/Kconfig", "");
	put("built/.config", "CONFIG_HZ=1000\n");
	put("built/vmlinux", "\x7f"
				  "ELF without BTF");
	put("built/modules.order", "");
	PUT_MODULE("built/drivers/block/virtio_blk.ko", "depends=");
	put_bytes("built/arch/x86/boot/bzImage", image, IMAGE_BYTES);
	assert_ok(ktstr_kernel_resolve(tree, false, NULL, &kernel));
	assert_string_equal(kernel.source, "tree");
	assert_string_equal(kernel.version, "7.3.4");
	assert_null(kernel.vmlinux_path);
	value = ktstr_kernel_config_value(&kernel, "HZ");
	assert_string_equal(value, "1000");
	assert_non_null(kernel.modules_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_ordered_by_number),
		cmocka_unit_test(series_end_at_a_dot),
		cmocka_unit_test(releases_hold_versions),
		cmocka_unit_test(specs_name_flavours),
		cmocka_unit_test(package_names_are_told_apart),
		cmocka_unit_test(images_without_their_parts_are_no_offer),
		cmocka_unit_test_setup_teardown(deb822_source_is_found, make_cache, remove_scratch),
		cmocka_unit_test_setup_teardown(one_line_source_is_found, make_cache, remove_scratch),
		cmocka_unit_test_setup_teardown(missing_source_says_what_to_do, make_cache,
						remove_scratch),
		cmocka_unit_test(boot_header_is_read),
		cmocka_unit_test(truncated_images_are_refused),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(payload_must_be_a_kernel),
		cmocka_unit_test(a_bomb_is_stopped),
		cmocka_unit_test_setup_teardown(config_values_are_looked_up, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(good_entry_is_loaded, make_cache, remove_scratch),
		cmocka_unit_test_setup_teardown(damaged_entries_are_corrupt, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(list_is_newest_first_with_corrupt_ones, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(versions_resolve_to_the_newest_valid, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(entries_are_removed, make_cache, remove_scratch),
		cmocka_unit_test_setup_teardown(leftovers_of_the_dead_are_reclaimed, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(publishing_replaces_the_old_entry, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(lack_of_space_names_path_and_need, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(modules_follow_their_dependencies, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(missing_dependency_is_an_error, make_cache,
						remove_scratch),
		cmocka_unit_test_setup_teardown(dependency_cycles_end, make_cache, remove_scratch),
		cmocka_unit_test_setup_teardown(paths_say_what_is_missing, make_cache, remove_scratch),
		cmocka_unit_test_setup_teardown(a_tree_gives_its_own_files, make_cache, remove_scratch),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
