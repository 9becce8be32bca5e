// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schedulers that come and go under workers that stay, and everything that a declaration can ask for before one starts.
 * vm/live.bats looks at the results.
 */
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ktstr.h>

KTSTR_SCHEDULER(good, .binary = "scx_ktstr", .args = KTSTR_ARGS("--slice-us=5000"));
KTSTR_SCHEDULER(slow, .binary = "scx_ktstr", .args = KTSTR_ARGS("--slow-dispatch-us=10000"));
KTSTR_SCHEDULER(refused, .binary = "scx_ktstr", .args = KTSTR_ARGS("--reject"));
/* Once the workload runs: neither a template nor a slow host makes it early. */
KTSTR_SCHEDULER(errors, .binary = "scx_ktstr", .args = KTSTR_ARGS("--error-after-ms=200", "--since=cg_0"));
KTSTR_SCHEDULER(elsewhere, .binary = "scx_ktstr");

/* The first line of a file, without its end; "" when it cannot be read. */
static const char *line_of(const char *path)
{
	static char line[4096];
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (file && fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
	return line;
}

static void expect_line(struct ktstr_ctx *ctx, const char *path, const char *text)
{
	if (strcmp(line_of(path), text))
		ktstr_fail(ctx, "%s is \"%s\", not \"%s\"", path, line_of(path), text);
}

static void expect_part(struct ktstr_ctx *ctx, const char *path, const char *part)
{
	if (!strstr(line_of(path), part))
		ktstr_fail(ctx, "%s is \"%s\", without \"%s\"", path, line_of(path), part);
}

/* The operation must fail with that code and say that. */
static void expect_error(struct ktstr_ctx *ctx, struct ktstr_error *error, enum ktstr_error_code code, const char *part)
{
	if (ktstr_error_code(error) != code || !strstr(ktstr_error_message(error), part))
		ktstr_fail(ctx, "error %d \"%s\", expected %d with \"%s\"", ktstr_error_code(error),
			   ktstr_error_message(error), code, part);
	ktstr_error_free(error);
}

static void expect_attached(struct ktstr_ctx *ctx, const char *label)
{
	expect_line(ctx, "/sys/kernel/sched_ext/state", "enabled");
	expect_line(ctx, "/sys/kernel/sched_ext/root/ops", "ktstr");
	KTSTR_CLAIM(ctx, ctx->sched_pid, gt, 0);
	KTSTR_CLAIM(ctx, (int)ktstr_scheduler_alive(ctx), eq, 1);
	if (strcmp(ctx->scheduler, label))
		ktstr_fail(ctx, "the scheduler is %s, not %s", ctx->scheduler, label);
}

static void expect_eevdf(struct ktstr_ctx *ctx)
{
	expect_line(ctx, "/sys/kernel/sched_ext/state", "disabled");
	KTSTR_CLAIM(ctx, ctx->sched_pid, eq, 0);
	if (strcmp(ctx->scheduler, "eevdf"))
		ktstr_fail(ctx, "the scheduler is %s, not eevdf", ctx->scheduler);
}

/* Two processes that hand a byte back and forth on one CPU, and outlive every scheduler. */
static void hand_over(int in, int out, volatile unsigned long *count)
{
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1)
		++*count;
	_exit(0);
}

static double now_sec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What they do in a second, by at least half of one. */
static double pace(volatile unsigned long *count)
{
	unsigned long before = *count;
	double began = now_sec();

	usleep(500000);
	return (double)(*count - before) / (now_sec() - began);
}

static volatile unsigned long *start_partners(pid_t partners[2])
{
	unsigned long *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t cpu;
	int there[2], back[2];

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (pipe(there) || pipe(back))
		return NULL;
	for (int i = 0; i < 2; i++) {
		partners[i] = fork();
		if (!partners[i]) {
			sched_setaffinity(0, sizeof(cpu), &cpu);
			hand_over(i ? there[0] : back[0], i ? back[1] : there[1], &count[i]);
		}
	}
	return write(back[1], "x", 1) == 1 ? count : NULL;
}

static void end_partners(const pid_t partners[2])
{
	for (int i = 0; i < 2; i++) {
		kill(partners[i], SIGKILL);
		waitpid(partners[i], NULL, 0);
	}
}

KTSTR_TEST(swaps, .duration = KTSTR_MS(300), .staged_schedulers = KTSTR_SCHEDULERS(&good, &slow, &refused))
{
	pid_t partners[2];
	volatile unsigned long *count = start_partners(partners);
	double eevdf, with_good, with_slow;

	if (!count) {
		ktstr_fail(ctx, "no partners");
		return;
	}
	expect_eevdf(ctx);
	eevdf = pace(count);
	expect_error(ctx, ktstr_live_detach(ctx), KTSTR_ERR_NOT_FOUND, "none is attached");
	expect_error(ctx, ktstr_live_replace(ctx, &slow), KTSTR_ERR_NOT_FOUND, "none is attached");
	expect_error(ctx, ktstr_live_restart(ctx), KTSTR_ERR_NOT_FOUND, "own scheduler is EEVDF");
	expect_error(ctx, ktstr_live_attach(ctx, &elsewhere), KTSTR_ERR_NOT_FOUND, "it stages good, slow, refused");

	ktstr_fail_error(ctx, ktstr_live_attach(ctx, &good));
	expect_attached(ctx, "good");
	with_good = pace(count);
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "under_good" }));
	expect_error(ctx, ktstr_live_attach(ctx, &slow), KTSTR_ERR_BUSY, "scheduler good is attached (EBUSY)");
	expect_attached(ctx, "good");

	expect_error(ctx, ktstr_live_replace(ctx, &elsewhere), KTSTR_ERR_NOT_FOUND, "it stages");
	expect_attached(ctx, "good");
	ktstr_fail_error(ctx, ktstr_live_replace(ctx, &slow));
	expect_attached(ctx, "slow");
	with_slow = pace(count);

	ktstr_fail_error(ctx, ktstr_live_detach(ctx));
	expect_eevdf(ctx);
	expect_error(ctx, ktstr_live_detach(ctx), KTSTR_ERR_NOT_FOUND, "none is attached");
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "under_eevdf" }));
	expect_error(ctx, ktstr_live_attach(ctx, &refused), KTSTR_ERR_GUEST, "exited before it attached (exit code 1)");
	expect_eevdf(ctx);
	ktstr_fail_error(ctx, ktstr_live_attach(ctx, &good));
	expect_attached(ctx, "good");

	ktstr_note(ctx, "handovers a second: %.0f under EEVDF, %.0f under good, %.0f under slow", eevdf, with_good, with_slow);
	/* 10 ms in each dispatch leave at most 100 of them. */
	KTSTR_CLAIM(ctx, with_slow, at_most, 105.0);
	KTSTR_CLAIM(ctx, with_good, gt, with_slow * 2);
	KTSTR_CLAIM(ctx, eevdf, gt, with_slow * 2);
	end_partners(partners);
}

/* How many maps of that name the kernel has. */
static unsigned int maps_named(const char *name)
{
	union bpf_attr next = { 0 };
	unsigned int count = 0;

	while (!syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &next, sizeof(next))) {
		union bpf_attr by_id = { .map_id = next.next_id };
		struct bpf_map_info info = { 0 };
		int fd = (int)syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &by_id, sizeof(by_id));
		union bpf_attr query = { .info = { .bpf_fd = (unsigned int)fd,
						   .info_len = sizeof(info),
						   .info = (unsigned long)&info } };

		if (fd >= 0 && !syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &query, sizeof(query)))
			count += !strcmp(info.name, name);
		close(fd);
		next.start_id = next.next_id;
	}
	return count;
}

/* The maps of a scheduler go with it, a little later, but for the one that is kept. */
KTSTR_TEST(pins, .scheduler = &good, .duration = KTSTR_SEC(1))
{
	int own = ctx->sched_pid;

	expect_error(ctx, ktstr_live_pin_bpf_map(ctx, "no_such_map"), KTSTR_ERR_NOT_FOUND, "no_such_map");
	expect_error(ctx, ktstr_live_pin_bpf_map(ctx, "sixteen_letters_"), KTSTR_ERR_INVALID, "1 to 15");
	ktstr_fail_error(ctx, ktstr_live_pin_bpf_map(ctx, "stats"));
	ktstr_fail_error(ctx, ktstr_live_pin_bpf_map(ctx, "stats"));
	expect_attached(ctx, "good");
	ktstr_fail_error(ctx, ktstr_live_restart(ctx));
	expect_attached(ctx, "good");
	KTSTR_CLAIM(ctx, ctx->sched_pid, ne, own);
	ktstr_fail_error(ctx, ktstr_live_detach(ctx));
	expect_eevdf(ctx);
	for (int i = 0; i < 300 && (maps_named("task_states") > 0 || maps_named("stats") > 1); i++)
		usleep(100000);
	KTSTR_CLAIM(ctx, maps_named("task_states"), eq, 0u);
	KTSTR_CLAIM(ctx, maps_named("stats"), eq, 1u);
}

KTSTR_TEST(deterministic_swap, .deterministic = true, .duration = KTSTR_MS(200), .ignore = true,
	   .staged_schedulers = KTSTR_SCHEDULERS(&good))
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "before" }));
	ktstr_fail_error(ctx, ktstr_live_attach(ctx, &good));
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "under_good" }));
	ktstr_fail_error(ctx, ktstr_live_detach(ctx));
	expect_eevdf(ctx);
}

/* A scheduler that is lost after a swap is named, not the one that the test began with. */
KTSTR_TEST(lost, .duration = KTSTR_SEC(4), .staged_schedulers = KTSTR_SCHEDULERS(&good, &errors))
{
	ktstr_fail_error(ctx, ktstr_live_attach(ctx, &good));
	ktstr_fail_error(ctx, ktstr_live_replace(ctx, &errors));
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
}

KTSTR_SCHEDULER(configured, .binary = "scx_ktstr",
		.args = KTSTR_ARGS("--cell-parent-cgroup", "/cells//of/./mine"),
		.kargs = KTSTR_ARGS("ktstr_probe=7"),
		.sysctls = KTSTR_SYSCTLS({ "kernel.sched_rt_runtime_us", "900000" }, { "kernel.printk", "4 4 1 7" },
					 { "kernel.sched_rt_runtime_us", "910000" }),
		.cgroup_parent = KTSTR_CGROUP_PATH("system/scx"),
		.config_file_def = { .args = KTSTR_ARGS("--config={file}"), .guest_path = "/include-files/slice.conf" },
		.include_files = KTSTR_ARGS("cat"));

KTSTR_TEST(declared, .scheduler = &configured, .duration = KTSTR_MS(300), .config = "slice-us 7000\n",
	   .workload_root_cgroup = KTSTR_CGROUP_PATH("work/tests"), .kaslr = KTSTR_OFF)
{
	char path[64];

	expect_attached(ctx, "configured");
	expect_part(ctx, "/proc/cmdline", " ktstr_probe=7 nokaslr");
	expect_line(ctx, "/proc/sys/kernel/sched_rt_runtime_us", "910000");
	expect_line(ctx, "/proc/sys/kernel/printk", "4\t4\t1\t7");
	expect_part(ctx, "/sys/fs/cgroup/system/scx/cgroup.controllers", "cpuset cpu");
	expect_part(ctx, "/sys/fs/cgroup/cells/of/mine/cgroup.controllers", "cpuset cpu");
	expect_line(ctx, "/include-files/slice.conf", "slice-us 7000");
	KTSTR_CLAIM(ctx, access(KTSTR_INCLUDE_DIR "/cat", X_OK), eq, 0);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", ctx->sched_pid);
	expect_part(ctx, path, "scx_ktstr");
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
	KTSTR_CLAIM(ctx, access("/sys/fs/cgroup/work/tests", F_OK), eq, 0);
}

/* What the kernel has built in is turned on and off by commands; such a one can be staged, too. */
KTSTR_SCHEDULER(tuned,
		.enable = KTSTR_ARGS("echo 920000 >/proc/sys/kernel/sched_rt_runtime_us", "echo tuned is on"),
		.disable = KTSTR_ARGS("echo 950000 >/proc/sys/kernel/sched_rt_runtime_us", "echo tuned is off"));
KTSTR_SCHEDULER(other, .enable = KTSTR_ARGS("echo 930000 >/proc/sys/kernel/sched_rt_runtime_us"));
KTSTR_SCHEDULER(broken, .enable = KTSTR_ARGS("echo no such knob >&2; exit 3"));

KTSTR_TEST(builtin, .scheduler = &tuned, .duration = KTSTR_MS(300), .staged_schedulers = KTSTR_SCHEDULERS(&other, &broken))
{
	expect_line(ctx, "/proc/sys/kernel/sched_rt_runtime_us", "920000");
	KTSTR_CLAIM(ctx, ctx->sched_pid, eq, 0);
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
	ktstr_fail_error(ctx, ktstr_live_detach(ctx));
	expect_line(ctx, "/proc/sys/kernel/sched_rt_runtime_us", "950000");
	expect_error(ctx, ktstr_live_attach(ctx, &broken), KTSTR_ERR_GUEST, "exit code 3");
	ktstr_fail_error(ctx, ktstr_live_attach(ctx, &other));
	expect_line(ctx, "/proc/sys/kernel/sched_rt_runtime_us", "930000");
	ktstr_fail_error(ctx, ktstr_live_restart(ctx));
	expect_line(ctx, "/proc/sys/kernel/sched_rt_runtime_us", "920000");
}

KTSTR_TEST(broken_builtin, .scheduler = &broken)
{
}

KTSTR_TEST(expected_error, .scheduler = &errors, .duration = KTSTR_SEC(4), .expect_err = true,
	   .expect_scx_bpf_error_contains = "ktstr fixture error",
	   .expect_scx_bpf_error_matches = "requested [0-9]+ ms after its cgroup's first task")
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
}

KTSTR_TEST(no_error, .duration = KTSTR_MS(200), .expect_err = true)
{
	ktstr_run_cgroups(ctx, KTSTR_CGROUPS({ .name = "cg_0" }));
}

KTSTR_SCHEDULER(old, .binary = "scx_ktstr", .kernels = KTSTR_ARGS("5.10..5.15", "6.1"));

KTSTR_TEST(other_kernels, .scheduler = &old)
{
}
