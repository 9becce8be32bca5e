// SPDX-License-Identifier: GPL-2.0-only
/* Every road to an accelerator, on hosts made of files and with shell scripts for a QEMU. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "vm/accel.h"
#include "scratch.h"

static char cpuinfo[96], kvm[96], boot_id[96], cache[96], script[96];

static void write_text(const char *path, const char *text)
{
	assert_null(ktstr_write_file_atomic(path, text, strlen(text)));
}

/* A host with vmx and /dev/kvm on which nothing has been probed yet. */
static int good_host(void **state)
{
	(void)state;
	write_text(cpuinfo,
	    "processor\t: 0\nvmx flags\t: vnmi\nflags\t\t: fpu vme vmx lm\nbugs\t\t: none\n");
	write_text(kvm, "");
	write_text(boot_id, "11111111-aaaa\n");
	unlink(cache);
	unlink(script);
	unsetenv("KTSTR_ACCEL");
	return 0;
}

static struct ktstr_accel_inputs host(void)
{
	return (struct ktstr_accel_inputs){
		.cpuinfo_path = cpuinfo,
		.kvm_path = kvm,
		.boot_id_path = boot_id,
		.cache_path = cache,
		.image_path = "/boot/image",
		.probe_timeout_ns = 5000000000ull,
	};
}

/* A stand-in for QEMU that runs these shell lines; $@ is what we gave it. */
static void fake_qemu(const char *lines)
{
	_cleanup_free_ char *text =
		ktstr_xasprintf("#!/bin/sh\necho run >> %s/runs\n%s\n", scratch, lines);

	write_text(script, text);
	assert_int_equal(chmod(script, 0755), 0);
}

static struct ktstr_qemu qemu_of_version(unsigned int major, unsigned int minor, char *version)
{
	return (struct ktstr_qemu){
		.path = script, .version = version, .major = major, .minor = minor
	};
}

static void expect_version(struct ktstr_accel_inputs inputs, unsigned int major,
			   enum ktstr_accel accel, const char *part)
{
	struct ktstr_qemu qemu = qemu_of_version(major, 2, major == 7 ? "7.2.0" : "10.0.2");
	_cleanup_(ktstr_accel_choice_deinit) struct ktstr_accel_choice choice = { 0 };

	assert_null(ktstr_accel_choose_from(&qemu, &inputs, &choice));
	if (!strstr(choice.reason, part))
		fail_msg("\"%s\" lacks \"%s\"", choice.reason, part);
	assert_int_equal(choice.accel, accel);
	assert_int_equal(choice.multi_threaded, accel == KTSTR_ACCEL_KVM || major >= 10);
}

static void expect(struct ktstr_accel_inputs inputs, enum ktstr_accel accel, const char *part)
{
	expect_version(inputs, 10, accel, part);
}

static size_t probe_runs(void)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/runs", scratch);
	struct stat st;

	return stat(path, &st) ? 0 : (size_t)st.st_size / 4;
}

static void override_decides(void **state)
{
	struct ktstr_accel_inputs inputs = host();
	struct ktstr_qemu qemu = qemu_of_version(10, 0, "10.0.2");
	struct ktstr_accel_choice choice = { 0 };
	struct ktstr_error *error;

	(void)state;
	inputs.kvm_path = "/no/such/kvm";
	inputs.override = "kvm";
	expect(inputs, KTSTR_ACCEL_KVM, "KTSTR_ACCEL=kvm");
	inputs.override = "tcg";
	expect(inputs, KTSTR_ACCEL_TCG, "KTSTR_ACCEL=tcg");
	expect_version(inputs, 7, KTSTR_ACCEL_TCG, "text patching in QEMU 7.2");
	inputs.override = "hvf";
	error = ktstr_accel_choose_from(&qemu, &inputs, &choice);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_INVALID);
	assert_non_null(strstr(ktstr_error_message(error), "KTSTR_ACCEL=hvf: expected kvm or tcg"));
	ktstr_error_free(error);
	assert_string_equal(ktstr_accel_name(KTSTR_ACCEL_KVM), "kvm");
	assert_string_equal(ktstr_accel_name(KTSTR_ACCEL_TCG), "tcg");
}

static void obstacles(void **state)
{
	struct ktstr_accel_inputs inputs = host();
	uid_t user = geteuid();

	(void)state;
	inputs.kvm_path = "/no/such/kvm";
	expect(inputs, KTSTR_ACCEL_TCG, "there is no /no/such/kvm");
	inputs = host();
	/* "vmx" in other words and lines does not count. */
	write_text(cpuinfo, "vmx flags\t: vmx\nflags\t\t: fpu vmx_like hypervisor\nflags\t\t: vmx\n");
	expect(inputs, KTSTR_ACCEL_TCG,
	       "KVM not used: this CPU shows neither vmx nor svm (a nested or paravirtual host);");
	inputs.cpuinfo_path = "/no/such/cpuinfo";
	expect(inputs, KTSTR_ACCEL_TCG, "neither vmx nor svm");
	inputs = host();
	write_text(cpuinfo, "flags\t\t: svm\n");
	inputs.image_path = NULL;
	expect(inputs, KTSTR_ACCEL_TCG, "no kernel yet to probe with");
	assert_int_equal(chmod(kvm, 0600), 0);
	if (user || seteuid(65534))
		return;
	expect(inputs, KTSTR_ACCEL_TCG, "usermod -aG kvm");
	assert_int_equal(seteuid(0), 0);
}

static void probe_success_is_remembered(void **state)
{
	struct ktstr_accel_inputs inputs = host();
	size_t before = probe_runs();

	(void)state;
	/* The guest is still running when it has shown what we want: the probe must end it. */
	fake_qemu("[ \"$2\" = kvm ] || exit 9\n"
		  "echo 'Linux version 7.3'; echo 'Kernel panic - not syncing: VFS: Unable to "
		  "mount root fs'\n"
		  "exec sleep 600");
	expect(inputs, KTSTR_ACCEL_KVM, "KVM works: a small VM booted on it");
	assert_int_equal(probe_runs(), before + 1);
	inputs.image_path = NULL;
	expect(inputs, KTSTR_ACCEL_KVM, "probed earlier since this host booted");
	assert_int_equal(probe_runs(), before + 1);
	/* Another QEMU, another boot, a damaged memory: asked again. */
	expect_version(inputs, 7, KTSTR_ACCEL_TCG, "no kernel yet");
	write_text(boot_id, "22222222-bbbb\n");
	expect(inputs, KTSTR_ACCEL_TCG, "no kernel yet");
	write_text(cache, "{\"boot_id\": 5, \"kvm_works\": true");
	inputs.image_path = "/boot/image";
	expect(inputs, KTSTR_ACCEL_KVM, "KVM works");
	assert_int_equal(probe_runs(), before + 2);
	inputs.cache_path = NULL;
	expect(inputs, KTSTR_ACCEL_KVM, "KVM works");
	assert_int_equal(probe_runs(), before + 3);
}

static void probe_failures(void **state)
{
	struct ktstr_accel_inputs inputs = host();
	uint64_t started;

	(void)state;
	fake_qemu("echo 'Linux version 7.3'; echo 'KVM: entry failed, hardware error 0x7' >&2; "
		  "exit 1");
	expect(inputs, KTSTR_ACCEL_TCG,
	       "a small VM under it failed: KVM: entry failed, hardware error 0x7");
	inputs.image_path = NULL;
	expect(inputs, KTSTR_ACCEL_TCG,
	       "hardware error 0x7 (probed earlier since this host booted)");
	unlink(cache);
	inputs = host();
	fake_qemu("exit 0");
	expect(inputs, KTSTR_ACCEL_TCG, "it printed nothing");
	unlink(cache);
	/* A guest that starts and then hangs is no working KVM, however much it prints. */
	fake_qemu("echo 'Linux version 7.3'; exec sleep 600");
	inputs.probe_timeout_ns = 300000000;
	started = ktstr_now_ns();
	expect(inputs, KTSTR_ACCEL_TCG,
	       "did not boot within 300ms; it last printed: Linux version 7.3");
	assert_true(ktstr_now_ns() - started < 5000000000ull);
	unlink(cache);
	fake_qemu("while :; do echo noise noise noise noise noise noise noise; done");
	expect(inputs, KTSTR_ACCEL_TCG, "did not boot within 300ms");
	unlink(cache);
	unlink(script);
	expect(inputs, KTSTR_ACCEL_TCG, "the probe VM did not start: ");
}

static void find_qemu(void **state)
{
	_cleanup_(ktstr_qemu_deinit) struct ktstr_qemu qemu = { 0 };
	struct ktstr_error *error;

	(void)state;
	fake_qemu("echo 'QEMU emulator version 8.1.50 (v8.1.0-55-g)'; echo Copyright");
	setenv("KTSTR_QEMU", script, 1);
	assert_null(ktstr_qemu_find(&qemu));
	assert_string_equal(qemu.version, "8.1.50");
	assert_string_equal(qemu.path, script);
	assert_int_equal(qemu.major, 8);
	assert_int_equal(qemu.minor, 1);
	fake_qemu("printf 'hello \\033[1m'");
	error = ktstr_qemu_find(&qemu);
	assert_non_null(strstr(ktstr_error_message(error), "hello \\x1b[1m"));
	ktstr_error_free(error);
	setenv("KTSTR_QEMU", scratch, 1);
	error = ktstr_qemu_find(&qemu);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	assert_non_null(strstr(ktstr_error_message(error), "qemu-system-x86"));
	ktstr_error_free(error);
	unsetenv("KTSTR_QEMU");
}

static void no_qemu_in_path(void **state)
{
	_cleanup_free_ char *path = ktstr_xstrdup(getenv("PATH"));
	struct ktstr_qemu qemu;
	struct ktstr_error *error;

	(void)state;
	setenv("PATH", "/no/such::/bin-none", 1);
	error = ktstr_qemu_find(&qemu);
	setenv("PATH", path, 1);
	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_NOT_FOUND);
	assert_non_null(strstr(ktstr_error_message(error), "install the package qemu-system-x86"));
	ktstr_error_free(error);
}

static int make_directory(void **state)
{
	if (make_scratch(state))
		return -1;
	sprintf(cpuinfo, "%s/cpuinfo", scratch);
	sprintf(kvm, "%s/kvm", scratch);
	sprintf(boot_id, "%s/boot_id", scratch);
	sprintf(cache, "%s/accel.json", scratch);
	sprintf(script, "%s/qemu", scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(override_decides, good_host),
		cmocka_unit_test_setup(obstacles, good_host),
		cmocka_unit_test_setup(probe_success_is_remembered, good_host),
		cmocka_unit_test_setup(probe_failures, good_host),
		cmocka_unit_test_setup(find_qemu, good_host),
		cmocka_unit_test_setup(no_qemu_in_path, good_host),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_scratch);
}
