// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of `ktstr doctor`: what this machine has of that which tests need, and the remedy for
 * what it lacks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "doctor.h"
#include "kernel/kernel.h"
#include "vm/qemu.h"

enum { MIB = 1 << 20, LOW_MEMORY_MIB = 1024, LOW_CACHE_MIB = 1024 };

void ktstr_doctor_deinit(struct doctor_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->checks[i].found);
		free(report->checks[i].remedy);
	}
}

/* Steals found and remedy. */
static void add(struct doctor_report *report, enum doctor_status status, const char *name,
		char *found, const char *meaning, char *remedy)
{
	report->checks[report->count++] = (struct doctor_check){
		.status = status, .name = name, .found = found, .meaning = meaning, .remedy = remedy
	};
}

static bool check_qemu(struct doctor_report *report, struct ktstr_qemu *qemu)
{
	static const char meaning[] = "every test runs in a QEMU virtual machine";
	_cleanup_error_ struct ktstr_error *error = ktstr_qemu_find(qemu);
	char *found;

	if (error) {
		add(report, DOCTOR_MISSING, "qemu", ktstr_xstrdup(ktstr_error_message(error)),
		    meaning, ktstr_xstrdup("sudo apt install qemu-system-x86"));
		return false;
	}
	found = ktstr_xasprintf("%s (%s)", qemu->version, qemu->path);
	if (qemu->major >= 10)
		add(report, DOCTOR_OK, "qemu", found, meaning, NULL);
	else
		add(report, DOCTOR_WARN, "qemu", found, meaning,
		    ktstr_xstrdup("10 or later is recommended (Debian 12: bookworm-backports): "
				  "multi-threaded "
				  "emulation without KVM, fair CPUs in deterministic runs, more "
				  "than 254 CPUs"));
	return true;
}

static void check_accelerator(struct doctor_report *report, const struct ktstr_qemu *qemu,
			      const char *image_path)
{
	static const char meaning[] = "tcg is emulation: every test runs, virtual-time latencies "
				      "are meaningful, real-time ones are not";
	_cleanup_(ktstr_accel_choice_deinit) struct ktstr_accel_choice choice = { 0 };
	_cleanup_error_ struct ktstr_error *error = ktstr_accel_choose(qemu, image_path, &choice);
	enum doctor_status status;
	char *found;

	if (error) {
		add(report, DOCTOR_MISSING, "accelerator",
		    ktstr_xstrdup(ktstr_error_message(error)), meaning,
		    ktstr_xstrdup("unset KTSTR_ACCEL"));
		return;
	}
	found = ktstr_xasprintf("%s, %s: %s", ktstr_accel_name(choice.accel),
				choice.multi_threaded ? "one thread per CPU" : "single thread",
				choice.reason);
	if (choice.accel == KTSTR_ACCEL_KVM)
		status = DOCTOR_OK;
	else
		status = choice.multi_threaded ? DOCTOR_INFO : DOCTOR_WARN;
	/* TCG is a full way to run; what could be done about it is in the reason. */
	add(report, status, "accelerator", found, meaning, NULL);
}

/* All entries as "7.3.4, 6.16.12 (corrupt: no image)", heap. */
static char *describe_cache(void)
{
	struct ktstr_kernel_entry *entries = NULL;
	struct ktstr_str text = { 0 };
	size_t count = 0;
	_cleanup_error_ struct ktstr_error *error = ktstr_kernel_list(&entries, &count);

	if (error)
		return ktstr_xstrdup(ktstr_error_message(error));
	for (size_t i = 0; i < count; i++) {
		ktstr_str_addf(&text, "%s%s", i ? ", " : "", entries[i].version);
		if (entries[i].corrupt_reason)
			ktstr_str_addf(&text, " (corrupt: %s)", entries[i].corrupt_reason);
	}
	ktstr_kernel_entries_free(entries, count);
	if (!text.length)
		ktstr_str_add(&text, "empty");
	return ktstr_str_take(&text);
}

/* *image_path is that of the kernel which tests boot by default, heap. */
static void check_kernels(struct doctor_report *report, char **image_path)
{
	static const char meaning[] =
		"what tests boot; for sched_ext CONFIG_SCHED_CLASS_EXT=y (Debian: 6.16 and "
		"later)";
	_cleanup_(ktstr_kernel_deinit) struct ktstr_kernel kernel = { 0 };
	_cleanup_error_ struct ktstr_error *error =
		ktstr_kernel_resolve(NULL, false, NULL, &kernel);
	_cleanup_free_ char *cached = describe_cache();

	if (error) {
		add(report, DOCTOR_MISSING, "kernel",
		    ktstr_xasprintf("%s (cache: %s)", ktstr_error_message(error), cached), meaning,
		    ktstr_xstrdup("ktstr kernel get latest; or KTSTR_KERNEL=<bzImage or built "
				  "source tree>"));
		return;
	}
	*image_path = ktstr_xstrdup(kernel.image_path);
	add(report, DOCTOR_OK, "kernel",
	    ktstr_xasprintf("%s from %s (cache: %s)", kernel.release, kernel.source, cached),
	    meaning, NULL);
}

static void check_cpus(struct doctor_report *report)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double load[1] = { 0 };
	bool busy;
	char *found;

	if (getloadavg(load, 1) != 1)
		load[0] = 0;
	found = ktstr_xasprintf("%ld online, load %.1f", cpus, load[0]);
	busy = load[0] > (double)cpus;
	add(report, busy ? DOCTOR_WARN : DOCTOR_OK, "cpus", found,
	    "guests may have more CPUs than the host; they share these",
	    busy ? ktstr_xstrdup("the host is busy: real-time thresholds may fail, deterministic "
				 "runs do not care")
		 : NULL);
}

/* MiB that an unprivileged process may still write below path; false when it cannot be told. */
static bool free_mib(const char *path, unsigned long long *mib)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return false;
	*mib = (unsigned long long)fs.f_bavail * (unsigned long long)fs.f_bsize / MIB;
	return true;
}

static unsigned long long meminfo_kib(const char *key)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long value;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (ktstr_str_starts_with(line, key) &&
		    sscanf(line + strlen(key), ": %llu", &value) == 1)
			return value;
	return 0;
}

static void check_memory(struct doctor_report *report)
{
	static const char meaning[] =
		"guest RAM lives in shared memory; a VM takes 256 MiB or more";
	unsigned long long available = meminfo_kib("MemAvailable") / 1024, shm = 0;
	bool has_shm = free_mib("/dev/shm", &shm);
	bool low = available < LOW_MEMORY_MIB || !has_shm || shm < LOW_MEMORY_MIB;
	char *found = has_shm ? ktstr_xasprintf("%llu MiB available, %llu MiB free in /dev/shm",
						available, shm)
			      : ktstr_xasprintf("%llu MiB available, no /dev/shm", available);

	add(report, low ? DOCTOR_WARN : DOCTOR_OK, "memory", found, meaning,
	    !low ? NULL
		 : ktstr_xstrdup("run fewer tests at once (--jobs 1); in a container give "
				 "--shm-size=2g or more"));
}

/* The nearest part of path that exists, heap: where the rest would be created. */
static char *existing_part(const char *path)
{
	char *part = ktstr_xstrdup(path);

	while (!ktstr_path_exists(part)) {
		char *slash = strrchr(part, '/');

		if (!slash || slash == part) {
			free(part);
			return ktstr_xstrdup(slash ? "/" : ".");
		}
		*slash = '\0';
	}
	return part;
}

static void check_cache(struct doctor_report *report)
{
	static const char meaning[] = "kernels and warm-start templates are kept there";
	_cleanup_free_ char *path = ktstr_cache_dir();
	_cleanup_free_ char *part = existing_part(path);
	unsigned long long mib = 0;

	if (access(part, W_OK | X_OK))
		add(report, DOCTOR_MISSING, "cache",
		    ktstr_xasprintf("%s: %s", path, strerror(errno)), meaning,
		    ktstr_xstrdup(
			    "make it writable, or set KTSTR_CACHE_DIR to a directory of yours"));
	else if (!free_mib(part, &mib) || mib < LOW_CACHE_MIB)
		add(report, DOCTOR_WARN, "cache", ktstr_xasprintf("%s, %llu MiB free", path, mib),
		    meaning,
		    ktstr_xstrdup("free 1 GiB, or set KTSTR_CACHE_DIR to a larger file system"));
	else
		add(report, DOCTOR_OK, "cache", ktstr_xasprintf("%s, %llu MiB free", path, mib),
		    meaning, NULL);
}

static void check_user(struct doctor_report *report)
{
	add(report, DOCTOR_OK, "user",
	    ktstr_xasprintf(geteuid() ? "uid %u" : "root (uid %u)", geteuid()),
	    "VMs run unprivileged; root is needed only for tests that run on this host itself "
	    "(host_only: cgroups, loading a scheduler)",
	    NULL);
}

static void check_cgroup(struct doctor_report *report)
{
	static const char meaning[] =
		"only tests that run on this host itself use it; guests have their own";
	_cleanup_free_ char *controllers = ktstr_read_line("/sys/fs/cgroup/cgroup.controllers");

	if (controllers)
		add(report, DOCTOR_OK, "cgroup2",
		    ktstr_xasprintf("/sys/fs/cgroup: %s", controllers), meaning, NULL);
	else
		add(report, DOCTOR_INFO, "cgroup2",
		    ktstr_xstrdup("not mounted at /sys/fs/cgroup (a v1 or hybrid layout)"), meaning,
		    ktstr_xstrdup("for host tests boot with systemd.unified_cgroup_hierarchy=1"));
}

static void check_huge_pages(struct doctor_report *report)
{
	unsigned long long total = meminfo_kib("HugePages_Total"),
			   free_pages = meminfo_kib("HugePages_Free");

	add(report, DOCTOR_INFO, "huge pages",
	    ktstr_xasprintf("%llu reserved, %llu free, %llu KiB each", total, free_pages,
			    meminfo_kib("Hugepagesize")),
	    "steadier memory latency for performance tests; nothing needs them", NULL);
}

static void check_clang(struct doctor_report *report)
{
	static const char meaning[] = "only for building BPF schedulers (the fixtures, or yours)";
	_cleanup_free_ char *out = NULL;
	_cleanup_error_ struct ktstr_error *error = ktstr_run_command(
		(const char *[]){ "clang", "--version", NULL }, 10000000000ull, &out, NULL);

	if (error)
		add(report, DOCTOR_INFO, "clang", ktstr_xstrdup("not found"), meaning,
		    ktstr_xstrdup("sudo apt install clang libbpf-dev bpftool"));
	else
		add(report, DOCTOR_OK, "clang",
		    ktstr_xasprintf("%.*s", (int)strcspn(out, "\n"), out), meaning, NULL);
}

void ktstr_doctor_run(struct doctor_report *report)
{
	_cleanup_(ktstr_qemu_deinit) struct ktstr_qemu qemu = { 0 };
	_cleanup_free_ char *image_path = NULL;
	bool has_qemu = check_qemu(report, &qemu);

	check_kernels(report, &image_path);
	if (has_qemu)
		check_accelerator(report, &qemu, image_path);
	check_cpus(report);
	check_memory(report);
	check_cache(report);
	check_user(report);
	check_cgroup(report);
	check_huge_pages(report);
	check_clang(report);
}
