// SPDX-License-Identifier: GPL-2.0-only
/* Disks of guests, without one: what is refused, what QEMU and the guest are told, the files behind them. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/sparse.h"
#include "disk/disk.h"
#include "disk/image.h"
#include "runner/disk.h"
#include "vm/argv.h"
#include "vm/disk_counters.h"
#include "scratch.h"
#include "unit.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* --- what is declared --- */

static void first_mistake_of_a_throttle(void **state)
{
	static const struct {
		struct ktstr_disk_throttle throttle;
		struct ktstr_disk_throttle_validation_error found;
	} cases[] = {
		{ { 0 }, { 0 } },
		{ { .iops = 100, .iops_burst_capacity = 100 }, { 0 } },
		{ { .iops = 100, .bytes_per_sec = 5 }, { 0 } },
		{ { .iops = 100, .iops_burst_capacity = 99 },
		  { KTSTR_DISK_THROTTLE_BURST_BELOW_RATE, KTSTR_THROTTLE_IOPS, 99, 100 } },
		{ { .iops_burst_capacity = 7 }, { KTSTR_DISK_THROTTLE_BURST_WITHOUT_RATE, KTSTR_THROTTLE_IOPS, 7, 0 } },
		{ { .bytes_per_sec = 10, .bytes_burst_capacity = 9 },
		  { KTSTR_DISK_THROTTLE_BURST_BELOW_RATE, KTSTR_THROTTLE_BYTES, 9, 10 } },
		/* Both are wrong: iops first. */
		{ { .iops_burst_capacity = 7, .bytes_burst_capacity = 9 },
		  { KTSTR_DISK_THROTTLE_BURST_WITHOUT_RATE, KTSTR_THROTTLE_IOPS, 7, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ktstr_disk_throttle_validation_error found = ktstr_disk_throttle_check(&cases[i].throttle);

		assert_int_equal(found.fault, cases[i].found.fault);
		if (!found.fault)
			continue;
		assert_int_equal(found.dimension, cases[i].found.dimension);
		assert_int_equal(found.burst, cases[i].found.burst);
		assert_int_equal(found.rate, cases[i].found.rate);
	}
}

static void what_a_disk_cannot_be(void **state)
{
	static const struct {
		struct ktstr_disk_config disk;
		const char *says; /* NULL = it is fine */
	} cases[] = {
		{ { 0 }, NULL },
		{ { .name = "scratch-1.x_y", .capacity_mib = 1 }, NULL },
		{ { .filesystem = KTSTR_FILESYSTEM_BTRFS }, NULL },
		{ { .filesystem = KTSTR_FILESYSTEM_BTRFS, .capacity_mib = 127 }, ".capacity_mib (127)" },
		{ { .filesystem = (enum ktstr_filesystem)7 }, ".filesystem 7" },
		{ { .name = "" }, ".name \"\"" },
		{ { .name = ".." }, ".name \"..\"" },
		{ { .name = "a b" }, ".name \"a b\"" },
		{ { .name = "123456789012345678901234567890123" }, ".name \"1234" },
		{ { .throttle = { .iops = 5, .iops_burst_capacity = 4 } },
		  ".throttle: .iops_burst_capacity (4) is below .iops (5)" },
		{ { .throttle = { .bytes_burst_capacity = 4 } }, ".throttle: .bytes_burst_capacity (4) without .bytes_per_sec" },
		{ { .throttle = { .bytes_per_sec = KTSTR_DISK_THROTTLE_MAX + 1 } }, ".throttle: no limit may be above" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ktstr_error *error = ktstr_disk_config_validate(&cases[i].disk);

		if (!cases[i].says)
			assert_null(error);
		else if (!strstr(ktstr_error_message(error), cases[i].says))
			fail_msg("no \"%s\" in: %s", cases[i].says, ktstr_error_message(error));
	}
}

static void sizes_are_in_iec_units(void **state)
{
	static const char *const wrong[] = { "",	"256",	"256MB", "256M",   "MiB",  "0MiB",	    "-1MiB",
					     "1.5GiB", "1KiB", "1MiB ", "1 MiB", "+1MiB", "99999999999TiB" };
	unsigned int mib;

	(void)state;
	assert_ok(ktstr_disk_parse_size("256MiB", &mib));
	assert_int_equal(mib, 256);
	assert_ok(ktstr_disk_parse_size("3GiB", &mib));
	assert_int_equal(mib, 3072);
	assert_ok(ktstr_disk_parse_size("2TiB", &mib));
	assert_int_equal(mib, 2 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_error_ struct ktstr_error *error = ktstr_disk_parse_size(wrong[i], &mib);

		if (!error)
			fail_msg("\"%s\" is taken for %u MiB", wrong[i], mib);
		assert_non_null(strstr(ktstr_error_message(error), wrong[i]));
	}
}

static void the_description_brings_it_to_the_host(void **state)
{
	const struct ktstr_disk_config *disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .name = "x", .read_only = true,
							  .throttle = { .iops = 3, .iops_burst_capacity = 4 });
	json_t *json = ktstr_disk_to_json(disk), *nothing = ktstr_disk_to_json(NULL);
	struct ktstr_disk_config *read;

	(void)state;
	assert_ok(ktstr_disk_from_json(json, &read));
	assert_int_equal(read->capacity_mib, KTSTR_DISK_DEFAULT_MIB);
	assert_int_equal(read->filesystem, KTSTR_FILESYSTEM_BTRFS);
	assert_string_equal(read->name, "x");
	assert_true(read->read_only && !read->no_auto_mount);
	assert_memory_equal(&read->throttle, &disk->throttle, sizeof(disk->throttle));
	ktstr_disk_free(read);
	assert_ok(ktstr_disk_from_json(nothing, &read));
	assert_null(read);
	/* A program of another version may say anything. */
	json_object_set_new(json, "name", json_string("a/b"));
	ktstr_error_free(ktstr_disk_from_json(json, &read));
	assert_null(read);
	json_decref(json);
	json_decref(nothing);
}

/* --- what QEMU is told --- */

static char *command_line(const struct ktstr_disk_config *disk, bool for_template)
{
	static const struct ktstr_topology topology = { 1, 1, 2, 1, NULL, 0, NULL };
	struct ktstr_qemu qemu = { .path = (char *)"qemu", .version = (char *)"10.0.2", .major = 10 };
	struct ktstr_accel_choice accel = { .accel = KTSTR_ACCEL_TCG, .multi_threaded = true };
	struct ktstr_kernel kernel = { .image_path = (char *)"vmlinuz" };
	struct ktstr_vm_config config = {
		.qemu = &qemu, .accel = &accel, .kernel = &kernel, .topology = &topology, .memory_mib = 512, .disk = disk
	};
	struct ktstr_vm_names names = { .ram_path = "RAM", .terminal = -1, .gdb = -1, .disk = 42, .for_template = for_template };
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	struct ktstr_str line = { 0 };

	assert_ok(ktstr_vm_argv(&config, &names, &argv));
	for (size_t i = 0; i < argv.count; i++)
		ktstr_str_addf(&line, "%s%s", i ? " " : "", argv.items[i]);
	return ktstr_str_take(&line);
}

static void assert_words(const struct ktstr_disk_config *disk, bool for_template, const char *part, bool there)
{
	_cleanup_free_ char *line = command_line(disk, for_template);

	if (!strstr(line, part) == there)
		fail_msg("%s \"%s\" in: %s", there ? "no" : "unexpected", part, line);
}

static void qemu_and_kernel_hear_of_it(void **state)
{
	const struct ktstr_disk_config *plain = KTSTR_DISK(.name = "x");
	const struct ktstr_disk_config *limited =
		KTSTR_DISK(.throttle = { .iops = 10, .bytes_per_sec = 4096, .bytes_burst_capacity = 8192 });
	const struct ktstr_disk_config *mounted = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .name = "x", .read_only = true);
	const struct ktstr_disk_config *unmounted = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .no_auto_mount = true);

	(void)state;
	assert_words(NULL, false, "virtio-blk", false);
	assert_words(NULL, false, "KTSTR_DISK0", false);
	assert_words(plain, false, "file.filename=/proc/self/fd/42,", true);
	assert_words(plain, false, "-device virtio-blk-pci,drive=disk0,werror=report,rerror=report", true);
	assert_words(plain, false, "throttling", false);
	assert_words(plain, false, "readonly", false);
	assert_words(plain, false, " KTSTR_DISK0_FS=raw", true);
	assert_words(plain, false, "KTSTR_DISK0_MOUNT", false);
	/* A burst that is not declared is the rate. */
	assert_words(limited, false, ",throttling.iops-total=10,throttling.iops-total-max=10", true);
	assert_words(limited, false, ",throttling.bps-total=4096,throttling.bps-total-max=8192", true);
	assert_words(mounted, false, ",readonly=on", true);
	assert_words(mounted, false, " KTSTR_DISK0_FS=btrfs KTSTR_DISK0_MOUNT=/mnt/x KTSTR_DISK0_RO=1", true);
	assert_words(unmounted, false, " KTSTR_DISK0_FS=btrfs", true);
	assert_words(unmounted, false, "KTSTR_DISK0_MOUNT", false);
	/* Limits are of the clone, so that one template serves all of them. */
	assert_words(limited, true, "throttling", false);
	assert_words(limited, true, "virtio-blk-pci", true);
}

static void counters_that_qemu_has(void **state)
{
	static const char answer[] =
		"[{\"device\": \"other\", \"stats\": {\"rd_operations\": 99}},"
		" {\"device\": \"disk0\", \"stats\": {\"rd_operations\": 1, \"wr_operations\": 2, \"flush_operations\": 3,"
		"  \"rd_bytes\": 4, \"wr_bytes\": 5, \"failed_rd_operations\": 6, \"failed_wr_operations\": 7,"
		"  \"failed_flush_operations\": 8}}]";
	json_t *json = json_loads(answer, 0, NULL), *written, *again;
	struct ktstr_virtio_blk_counters_snapshot counters, read;
	struct ktstr_test_result result = { 0 };

	(void)state;
	assert_ok(ktstr_disk_counters_of(json, &counters));
	assert_int_equal(counters.reads_completed.value, 1);
	assert_int_equal(counters.writes_completed.value, 2);
	assert_int_equal(counters.flushes_completed.value, 3);
	assert_int_equal(counters.bytes_read.value, 4);
	assert_int_equal(counters.bytes_written.value, 5);
	assert_int_equal(counters.io_errors.value, 21);
	assert_false(counters.throttled_count.set || counters.currently_throttled_gauge.set ||
		     counters.invalid_avail_idx_count.set);
	written = ktstr_disk_counters_to_json(&counters);
	assert_true(json_is_null(json_object_get(written, "throttled_count")));
	read = ktstr_disk_counters_from_json(written);
	again = ktstr_disk_counters_to_json(&read);
	assert_true(json_equal(again, written));
	/* Requests that failed are the host's fault, and fail the run. */
	ktstr_run_judge_disk(&counters, "/", &result);
	assert_int_equal(ktstr_assert_result_kind(&result.verdict), KTSTR_OUTCOME_FAIL);
	assert_non_null(strstr(result.verdict.outcomes[0].detail.message, "21 requests of the guest's disk failed"));
	ktstr_test_result_deinit(&result);
	json_array_remove(json, 1);
	ktstr_error_free(ktstr_disk_counters_of(json, &counters));
	assert_false(counters.reads_completed.set);
	json_decref(json);
	json_decref(written);
	json_decref(again);
}

/* --- files --- */

static uint64_t allocated(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static int new_file(const char *dir, const char *name)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* Data in the middle, holes around it, and a second file system for what cannot be done within one. */
static void copies_keep_holes(void **state)
{
	const char *const places[] = { scratch, "/dev/shm" };
	_cleanup_close_ int in = new_file(scratch, "in");
	char found[8];

	(void)state;
	assert_int_equal(ftruncate(in, 64 << 20), 0);
	assert_int_equal(pwrite(in, "middle", 7, 33 << 20), 7);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int out = open(places[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		struct stat st;

		assert_true(out >= 0);
		assert_ok(ktstr_copy_sparse(in, out, "it"));
		assert_int_equal(fstat(out, &st), 0);
		assert_int_equal(st.st_size, 64 << 20);
		assert_int_equal(pread(out, found, 7, 33 << 20), 7);
		assert_string_equal(found, "middle");
		assert_true(allocated(out) < 2 << 20);
	}
}

static void a_copy_that_fails_says_so(void **state)
{
	_cleanup_close_ int in = new_file(scratch, "source");
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	_cleanup_error_ struct ktstr_error *error = NULL;

	(void)state;
	assert_int_equal(pwrite(in, "x", 1, 0), 1);
	error = ktstr_copy_sparse(in, full, "the template");
	assert_non_null(error);
	assert_non_null(strstr(ktstr_error_message(error), "cannot copy the template"));
}

static void set_cache(const char *dir)
{
	setenv("KTSTR_CACHE_DIR", dir, 1);
}

static void a_raw_disk_is_a_hole_without_a_name(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	set_cache(scratch);
	assert_ok(ktstr_disk_image_open(KTSTR_DISK(.capacity_mib = 4096), false, &fd));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4096ll << 20);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(allocated(fd), 0);
	close(fd);
}

/* Each its own copy of one that mkfs made once. */
static void a_btrfs_is_made_once(void **state)
{
	const struct ktstr_disk_config *disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS);
	char magic[9] = "", changed[9] = "";
	int first, second, blank;

	(void)state;
	if (access("/usr/sbin/mkfs.btrfs", X_OK)) {
		print_message("skipped: no mkfs.btrfs\n");
		skip();
	}
	set_cache(scratch);
	assert_ok(ktstr_disk_image_open(disk, false, &first));
	assert_int_equal(pread(first, magic, 8, 0x10040), 8); /* of the superblock at 64 KiB */
	assert_string_equal(magic, "_BHRfS_M");
	assert_true(allocated(first) < 32 << 20);
	assert_int_equal(pwrite(first, "changed!", 8, 0x10040), 8);
	assert_ok(ktstr_disk_image_open(disk, false, &second));
	assert_int_equal(pread(second, changed, 8, 0x10040), 8);
	assert_string_equal(changed, "_BHRfS_M");
	/* Both have the identity that mkfs drew. */
	assert_int_equal(pread(first, magic, 8, 0x10020), 8);
	assert_int_equal(pread(second, changed, 8, 0x10020), 8);
	assert_memory_equal(magic, changed, 8);
	assert_ok(ktstr_disk_image_open(disk, true, &blank));
	assert_int_equal(allocated(blank), 0);
	close(first);
	close(second);
	close(blank);
}

static void a_template_that_was_cut_short_is_made_anew(void **state)
{
	const struct ktstr_disk_config *disk = KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS, .capacity_mib = 128);
	_cleanup_free_ char *find = ktstr_xasprintf("truncate -s 1M %s/disk_templates/btrfs-128mib-*/template.img", scratch);
	char magic[9] = "";
	int fd;

	(void)state;
	if (access("/usr/sbin/mkfs.btrfs", X_OK)) {
		print_message("skipped: no mkfs.btrfs\n");
		skip();
	}
	set_cache(scratch);
	assert_ok(ktstr_disk_image_open(disk, false, &fd));
	close(fd);
	assert_int_equal(system(find), 0);
	assert_ok(ktstr_disk_image_open(disk, false, &fd));
	assert_int_equal(pread(fd, magic, 8, 0x10040), 8);
	assert_string_equal(magic, "_BHRfS_M");
	close(fd);
}

static void a_full_file_system_is_named(void **state)
{
	_cleanup_free_ char *small = ktstr_xasprintf("%s/small", scratch);
	_cleanup_error_ struct ktstr_error *error = NULL;
	int fd = -1;

	(void)state;
	if (geteuid() || access("/usr/sbin/mkfs.btrfs", X_OK) || mkdir(small, 0700) ||
	    mount("tmpfs", small, "tmpfs", 0, "size=1m")) {
		print_message("skipped: needs root, a mount and mkfs.btrfs\n");
		skip();
	}
	set_cache(small);
	error = ktstr_disk_image_open(KTSTR_DISK(.filesystem = KTSTR_FILESYSTEM_BTRFS), false, &fd);
	umount(small);
	assert_non_null(error);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NO_SPACE);
	assert_non_null(strstr(ktstr_error_message(error), small));
	assert_non_null(strstr(ktstr_error_message(error), "KTSTR_CACHE_DIR"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_mistake_of_a_throttle),
		cmocka_unit_test(what_a_disk_cannot_be),
		cmocka_unit_test(sizes_are_in_iec_units),
		cmocka_unit_test(the_description_brings_it_to_the_host),
		cmocka_unit_test(qemu_and_kernel_hear_of_it),
		cmocka_unit_test(counters_that_qemu_has),
		cmocka_unit_test_setup_teardown(copies_keep_holes, make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(a_copy_that_fails_says_so, make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(a_raw_disk_is_a_hole_without_a_name, make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(a_btrfs_is_made_once, make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(a_template_that_was_cut_short_is_made_anew, make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(a_full_file_system_is_named, make_scratch, remove_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
