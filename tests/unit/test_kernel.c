// SPDX-License-Identifier: GPL-2.0-only
/* Kernels of the cache, whole and damaged; images and trees by their path; without network and without a real kernel. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "kernel_fixture.h"

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

/* With 6.16.3, 6.16.12, 7.3.4 and 7.3.4-rt in the cache; `found` NULL: an error that says `says`. */
static const struct {
	const char *variable, *spec;
	bool newest_is_corrupt;
	const char *found, *says;
	enum ktstr_error_code code;
} resolutions[] = {
	{ .spec = NULL, .found = "7.3.4" },
	{ .spec = "6.16", .found = "6.16.12" },
	{ .spec = "6.16.3", .found = "6.16.3" },
	{ .spec = "7.3-rt", .found = "7.3.4-rt" },
	{ .newest_is_corrupt = true, .spec = "latest", .found = "6.16.12" },
	{ .newest_is_corrupt = true, .variable = "6.16.3", .spec = "", .found = "6.16.3" },
	{ .newest_is_corrupt = true, .variable = "6.16.3", .spec = "6.16", .found = "6.16.12" },
	{ .variable = "9.9", .spec = NULL, .code = KTSTR_ERR_NOT_FOUND, .says = "KTSTR_KERNEL=9.9: no kernel 9.9" },
	{ .newest_is_corrupt = true, .spec = "7.3", .code = KTSTR_ERR_NOT_FOUND,
	  .says = "7.3.4 (corrupt: vmlinuz has 1 bytes instead of 5), 6.16.12, 6.16.3" },
	{ .spec = "9.9", .code = KTSTR_ERR_NOT_FOUND, .says = "no kernel 9.9" },
	{ .spec = "bzImage", .code = KTSTR_ERR_INVALID, .says = "./bzImage" },
};

static void versions_resolve_to_the_newest_valid(void **state)
{
	(void)state;
	put_entry("6.16.3", "6.16.3", "cloud");
	put_entry("6.16.12", "6.16.12", "cloud");
	put_entry("7.3.4-rt", "7.3.4", "rt");
	for (size_t i = 0; i < sizeof(resolutions) / sizeof(resolutions[0]); i++) {
		_cleanup_(ktstr_kernel_deinit) struct ktstr_kernel kernel = { 0 };
		struct ktstr_error *error;

		put_entry("7.3.4", "7.3.4", "cloud");
		if (resolutions[i].newest_is_corrupt)
			put("kernels/7.3.4/vmlinuz", "x");
		setenv("KTSTR_KERNEL", resolutions[i].variable ? resolutions[i].variable : "", 1);
		error = ktstr_kernel_resolve(resolutions[i].spec, false, NULL, &kernel);
		if (!resolutions[i].found) {
			assert_fails(error, resolutions[i].code, resolutions[i].says);
			continue;
		}
		assert_ok(error);
		assert_string_equal(kernel.version, resolutions[i].found);
	}
	unsetenv("KTSTR_KERNEL");
}

static void what_is_not_cached_needs_a_mirror(void **state)
{
	struct ktstr_kernel kernel;

	(void)state;
	assert_fails(ktstr_kernel_resolve("9.9", true, NULL, &kernel), KTSTR_ERR_NOT_FOUND, "no Debian mirror");
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

/* --- paths --- */

/* What is put there, in turn, and what is then said about a path. */
static const struct {
	const char *file, *content, *path;
	enum ktstr_error_code code;
	const char *says;
} missing_parts[] = {
	{ "tree/Makefile", "", "tree", KTSTR_ERR_INVALID, "no kernel tree" },
	{ "tree/Kconfig", "", "tree", KTSTR_ERR_NOT_FOUND, "not configured" },
	{ "tree/.config", "CONFIG_HZ=1000\n", "tree", KTSTR_ERR_NOT_FOUND, "not built (vmlinux is missing): run `make -C" },
	{ "tree/vmlinux", "\x7f" "ELF", "tree/vmlinux", KTSTR_ERR_NOT_FOUND, "bzImage" },
	{ "config", "text, and long enough to be looked at", "config", KTSTR_ERR_INVALID, "not a bzImage" },
	{ NULL, NULL, "no/such", KTSTR_ERR_NOT_FOUND, "/no/such" },
};

static void paths_say_what_is_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(missing_parts) / sizeof(missing_parts[0]); i++) {
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", scratch, missing_parts[i].path);
		struct ktstr_kernel kernel;

		if (missing_parts[i].file)
			put(missing_parts[i].file, missing_parts[i].content);
		assert_fails(ktstr_kernel_resolve(path, false, NULL, &kernel), missing_parts[i].code, missing_parts[i].says);
	}
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
		IN_CACHE(config_values_are_looked_up),
		IN_CACHE(good_entry_is_loaded),
		IN_CACHE(damaged_entries_are_corrupt),
		IN_CACHE(list_is_newest_first_with_corrupt_ones),
		IN_CACHE(versions_resolve_to_the_newest_valid),
		IN_CACHE(what_is_not_cached_needs_a_mirror),
		IN_CACHE(entries_are_removed),
		IN_CACHE(leftovers_of_the_dead_are_reclaimed),
		IN_CACHE(publishing_replaces_the_old_entry),
		IN_CACHE(lack_of_space_names_path_and_need),
		IN_CACHE(paths_say_what_is_missing),
		IN_CACHE(a_tree_gives_its_own_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
