// SPDX-License-Identifier: GPL-2.0-only
/* What serial logs say about the end of a guest: panics, oopses, clean boots, and noise. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "vm/console.h"
#include "unit.h"

static char *panic_of(const char *log, size_t max_lines)
{
	return ktstr_console_panic_text(log, strlen(log), max_lines);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" has \"%s\"", text, part);
}

static size_t lines_in(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static const char clean_boot[] =
	"\x1b[2J\x1b[01;01HSeaBIOS (version 1.16.3)\r\n"
	"[    0.000000] Linux version 7.3.4+deb13-cloud-amd64 (debian-kernel@lists.debian.org)\r\n"
	"[    0.000000] Command line: console=ttyS0 oops=panic panic=-1\r\n"
	"[    0.000000] Kernel command line: console=ttyS0 oops=panic note=BUG: panic=-1\r\n"
	"[    0.118231] DEBUG: not a failure, Oops-a-daisy\r\n"
	"[    1.518231] traps: prog[77] general protection fault ip:401136 sp:7ffd error:0 in "
	"prog[401000+1000]\r\n"
	"[    2.018231] Run /init as init process\r\n"
	"ktstr-init: ready\r\n";

static void clean_boot_has_no_panic(void **state)
{
	(void)state;
	assert_null(panic_of(clean_boot, 20));
	assert_null(panic_of("", 20));
	assert_null(ktstr_console_panic_text(NULL, 0, 20));
}

static const char no_root[] =
	"[    1.530011] List of all bdev filesystems:\r\n"
	"[    1.530500][    T1] VFS: Cannot open root device \"\" or unknown-block(0,0): error "
	"-6\r\n"
	"[    1.531120][    T1] Please append a correct \"root=\" boot option; here are the "
	"available partitions:\r\n"
	"[    1.532003][    T1] Kernel panic - not syncing: VFS: Unable to mount root fs on "
	"unknown-block(0,0)\r\n"
	"[    1.533204][    T1] CPU: 1 UID: 0 PID: 1 Comm: swapper/0 Not tainted "
	"7.3.4+deb13-cloud-amd64 #1\r\n"
	"[    1.534000][    T1] Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), BIOS "
	"1.16.3\r\n"
	"[    1.534100][    T1] Call Trace:\r\n"
	"[    1.534200][    T1]  <TASK>\r\n"
	"[    1.534300][    T1]  panic+0x11b/0x2d0\r\n"
	"[    1.534400][    T1]  mount_root_generic+0x1d0/0x270\r\n"
	"[    1.534500][    T1]  ? __pfx_kernel_init+0x10/0x10\r\n"
	"[    1.534600][    T1]  </TASK>\r\n"
	"[    1.534700][    T1] Kernel Offset: 0x1400000 from 0xffffffff81000000\r\n"
	"[    1.534800][    T1] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs "
	"on unknown-block(0,0) ]---\r\n"
	"after the end\r\n";

static void panic_without_root(void **state)
{
	_cleanup_free_ char *text = panic_of(no_root, 30);

	(void)state;
	assert_has(text, "VFS: Cannot open root device \"\" or unknown-block(0,0): error "
			 "-6\nKernel panic - not");
	assert_has(text, "\nCPU: 1 UID: 0 PID: 1 Comm: swapper/0");
	assert_has(text,
		   "\nCall Trace:\n <TASK>\n panic+0x11b/0x2d0\n mount_root_generic+0x1d0/0x270\n");
	assert_lacks(text, "Hardware name");
	assert_lacks(text, "[    1.5");
	assert_lacks(text, "after the end");
	assert_lacks(text, "\r");
}

static const char oops[] =
	"[   12.100000] sched_ext: BPF scheduler \"simple\" enabled\r\n"
	"[   12.345678] BUG: kernel NULL pointer dereference, address: 0000000000000010\r\n"
	"[   12.345700] #PF: supervisor read access in kernel mode\r\n"
	"[   12.345710] #PF: error_code(0x0000) - not-present page\r\n"
	"[   12.345720] PGD 0 P4D 0\r\n"
	"[   12.345730] Oops: Oops: 0000 [#1] SMP NOPTI\r\n"
	"\x1b[1;31m[   12.345740] CPU: 3 UID: 0 PID: 88 Comm: worker Not tainted 7.3.4 "
	"#1\x1b[0m\r\n"
	"[   12.345745] Sched_ext: simple (enabled+all), task: runnable_at=-3ms\r\n"
	"[   12.345750] RIP: 0010:dsq_first_task+0x12/0x40\r\n"
	"[   12.345760] Code: 66 90 0f 1f 44 00 00 48 8b 47 10\r\n"
	"[   12.345770] RSP: 0018:ffffc900001b3d60 EFLAGS: 00010046\r\n"
	"[   12.345780] RAX: 0000000000000000 RBX: ffff888003a3c000 RCX: 0000000000000001\r\n"
	"[   12.345790] Call Trace:\r\n"
	"[   12.345800]  <TASK>\r\n"
	"[   12.345810]  balance_one+0x1aa/0x3f0\r\n"
	"[   12.345820]  __schedule+0x6d2/0x17a0\r\n"
	"[   12.345830]  </TASK>\r\n"
	"[   12.345840] Modules linked in: virtio_console\r\n"
	"[   12.345850] ---[ end trace 0000000000000000 ]---\r\n"
	"[   12.345860] RIP: 0010:dsq_first_task+0x12/0x40\r\n"
	"[   12.345870] Kernel panic - not syncing: Fatal exception in interrupt\r\n";

static void oops_with_trace(void **state)
{
	_cleanup_free_ char *text = panic_of(oops, 40);
	_cleanup_free_ char *brief = panic_of(oops, 3);
	_cleanup_free_ char *one = panic_of(oops, 1);

	(void)state;
	assert_true(ktstr_str_starts_with(text, "BUG: kernel NULL pointer dereference"));
	assert_has(text, "\nOops: Oops: 0000 [#1] SMP NOPTI\nCPU: 3 UID: 0 PID: 88 Comm: worker");
	assert_has(text, "\nSched_ext: simple (enabled+all)");
	assert_has(
		text,
		"\nRIP: 0010:dsq_first_task+0x12/0x40\nCall Trace:\n <TASK>\n balance_one+0x1aa");
	assert_has(text, "\nKernel panic - not syncing: Fatal exception in interrupt");
	assert_lacks(text, "RAX:");
	assert_lacks(text, "RSP:");
	assert_lacks(text, "Modules linked");
	assert_lacks(text, "\x1b");
	/* The panic that ended it keeps a place. */
	assert_int_equal(lines_in(brief), 3);
	assert_has(brief, "BUG: kernel NULL");
	assert_has(brief, "\nKernel panic - not syncing: Fatal exception");
	assert_string_equal(one, "Kernel panic - not syncing: Fatal exception in interrupt");
}

static void other_failures(void **state)
{
	static const char *const logs[] = {
		"[   40.0] watchdog: BUG: soft lockup - CPU#2 stuck for 26s! [worker:99]\n",
		"<4>[    3.1] kernel BUG at kernel/sched/ext.c:812!\n",
		"[    3.1] Oops: general protection fault, probably for non-canonical address "
		"0xdead: 0000 [#1]\n",
		"[    3.1] general protection fault: 0000 [#1] PREEMPT SMP\n",
		"[    2.2] ktstr-init: cannot mount /proc: Out of luck\n"
		"[    2.3] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		_cleanup_free_ char *text = panic_of(logs[i], 10);

		assert_non_null(text);
		assert_lacks(text, "[    ");
		if (i == 4)
			assert_has(text,
				   "ktstr-init: cannot mount /proc: Out of luck\nKernel panic");
	}
}

static void block_without_end_stops(void **state)
{
	_cleanup_str_ struct ktstr_str log = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	ktstr_str_add(&log, "[ 1.0] BUG: workqueue lockup - pool cpus=0\n");
	for (int i = 0; i < 5000; i++)
		ktstr_str_addf(&log, "[ 1.%d] CPU: %d up\n", i, i);
	text = ktstr_console_panic_text(log.data, log.length, 10000);
	assert_non_null(text);
	assert_true(lines_in(text) <= 201);
}

static void tails(void **state)
{
	_cleanup_free_ char *last = ktstr_console_tail(clean_boot, strlen(clean_boot), 2);
	_cleanup_free_ char *all = ktstr_console_tail("a\n\n  \nb\x07\x9b\xff", 10, 100);
	_cleanup_free_ char *none = ktstr_console_tail("a\n", 2, 0);
	_cleanup_free_ char *empty = ktstr_console_tail(NULL, 0, 5);

	(void)state;
	assert_string_equal(last, "[    2.018231] Run /init as init process\nktstr-init: ready");
	assert_string_equal(all, "a\nb\\x07\\x9b\\xff");
	assert_string_equal(none, "");
	assert_string_equal(empty, "");
}

static void assert_printable(const char *text)
{
	for (; *text; text++)
		assert_true(*text == '\n' || *text == '\t' || (*text >= 0x20 && *text < 0x7f));
}

static void random_bytes(void **state)
{
	const size_t length = 1 << 20;
	_cleanup_free_ char *noise = ktstr_xmalloc(length);
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 4; round++) {
		_cleanup_free_ char *tail = NULL;
		_cleanup_free_ char *panic = NULL;

		for (size_t i = 0; i < length; i++) {
			seed = seed * 1664525u + 1013904223u;
			noise[i] = (char)(seed >> 24);
		}
		/* Also one line of a mebibyte, escapes without end, and a panic at the very end. */
		if (round == 1)
			memset(noise, 'x', length);
		if (round == 2)
			for (size_t i = 0; i < length; i++)
				noise[i] = "\x1b[0;1"[i % 5];
		memcpy(noise + length - 32, "\nKernel panic - not syncing: end", 32);
		panic = ktstr_console_panic_text(noise, length, 50);
		tail = ktstr_console_tail(noise, length, 50);
		assert_has(panic, "Kernel panic - not syncing: end");
		assert_has(tail, "Kernel panic - not syncing: end");
		assert_printable(panic);
		assert_printable(tail);
		assert_true(strlen(tail) <= 51 * 510);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_boot_has_no_panic),
		cmocka_unit_test(panic_without_root),
		cmocka_unit_test(oops_with_trace),
		cmocka_unit_test(other_failures),
		cmocka_unit_test(block_without_end_stops),
		cmocka_unit_test(tails),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
