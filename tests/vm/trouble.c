// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test bodies that end in every way but a good one. vm/trouble.bats looks at what is said about each; `hangs` is
 * for the slow suite.
 */
#include <ktstr.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

KTSTR_SCHEDULER(scx_ktstr, .binary = "scx_ktstr");

KTSTR_TEST(panics_the_guest, .duration = KTSTR_SEC(1))
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0 || write(fd, "c", 1) < 0)
		ktstr_fail(ctx, "the guest has no sysrq");
	pause();
}

/* What a guest prints whose emulator has broken it. */
KTSTR_TEST(emulated_badly, .duration = KTSTR_SEC(1))
{
	static const char words[] = "<0>Oops: int3: 0000 [#1] SMP\n";
	int log = open("/dev/kmsg", O_WRONLY), fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (log < 0 || fd < 0 || write(log, words, sizeof(words) - 1) < 0 || write(fd, "c", 1) < 0) {
		ktstr_fail(ctx, "the guest has no /dev/kmsg (%d) or no sysrq (%d): %m", log, fd);
		return;
	}
	pause();
}

KTSTR_TEST(segfaults, .duration = KTSTR_SEC(1))
{
	volatile int *nowhere = NULL;

	fputs("last words before the crash\n", stderr);
	*nowhere = 1;
}

KTSTR_TEST(exits_without_verdict, .duration = KTSTR_SEC(1))
{
	exit(0);
}

KTSTR_TEST(powers_off, .duration = KTSTR_SEC(1))
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0 || write(fd, "b", 1) < 0)
		ktstr_fail(ctx, "the guest has no sysrq");
	pause();
}

KTSTR_TEST(skips, .duration = KTSTR_SEC(1))
{
	ktstr_skip(ctx, "needs %d LLCs", 99);
}

KTSTR_TEST(fails_by_its_own_words, .duration = KTSTR_SEC(1), .scheduler = &scx_ktstr)
{
	printf("a line on stdout\n");
	ktstr_note(ctx, "a note of the body");
	ktstr_fail(ctx, "the body says \"%s\"", "no");
}

/* More than pipes, frames and the port can hold at once, with bytes that terminals act on. */
KTSTR_TEST(talks_without_end, .duration = KTSTR_SEC(1))
{
	for (int i = 0; i < 40000; i++)
		printf("line %d of far too many \x1b[31m in red \x07\n", i);
	ktstr_fail(ctx, "said it all");
}

KTSTR_TEST(bad_cgroup_name, .duration = KTSTR_SEC(1))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "../escape" }));
}

KTSTR_TEST(odd_pipe_workers, .duration = KTSTR_SEC(1))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "odd", .workers = 3, .work = KTSTR_WORK(PIPE_IO) }));
}

KTSTR_TEST(hangs, .duration = KTSTR_SEC(1), .ignore = true)
{
	for (;;)
		pause();
}
