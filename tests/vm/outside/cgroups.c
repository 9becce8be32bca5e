// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups below the workloads' own, one of them under pressure, and what their files say. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define ROOT "/sys/fs/cgroup/ktstr"

enum { SPINNERS_PER_CPU = 3, PRESSED_US = 100 * 1000 };

static const char *const names[] = { "busy", "gone", "idle", "outer", "outer/inner" };
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static int open_dir(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), ROOT "/%s", name);
	return outside_must(open(path, O_RDONLY | O_DIRECTORY), path);
}

/* Spins in the cgroup until it is killed. */
static pid_t start_spinner(int dir)
{
	pid_t pid = outside_must(fork(), "fork");
	int procs;

	if (pid)
		return pid;
	procs = openat(dir, "cgroup.procs", O_WRONLY);
	if (write(procs, "0", 1) != 1)
		_exit(1);
	while (1)
		;
}

/* "some avg10=1.23 avg60=0.00 avg300=0.00 total=4567": the kernel takes 2 s for the first average. */
static bool is_pressed(int dir)
{
	int file = openat(dir, "cpu.pressure", O_RDONLY);
	char text[256] = "";
	double average = 0;
	unsigned long long total = 0;

	outside_must(file < 0 || read(file, text, sizeof(text) - 1) <= 0 ? -1 : 0, "cpu.pressure");
	close(file);
	return sscanf(text, "some avg10=%lf %*s %*s total=%llu", &average, &total) == 2 && average >= 1 && total >= PRESSED_US;
}

/* More tasks than CPUs, until the kernel has counted that they wait. */
static void press(int dir)
{
	long count = SPINNERS_PER_CPU * sysconf(_SC_NPROCESSORS_ONLN);
	pid_t *pids = calloc((size_t)count, sizeof(*pids));

	for (long i = 0; i < count; i++)
		pids[i] = start_spinner(dir);
	while (!is_pressed(dir))
		usleep(100 * 1000);
	for (long i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
}

/* A removed cgroup to which a map refers stays in its parent's list. */
static void remove_held(const char *name)
{
	int map = outside_must(bpf_map_create(BPF_MAP_TYPE_CGROUP_ARRAY, "f_gone", 4, 4, 1, NULL), "f_gone");
	int dir = open_dir(name);
	uint32_t key = 0;
	char path[128];

	outside_must(bpf_map_update_elem(map, &key, &dir, BPF_ANY), "f_gone");
	close(dir);
	snprintf(path, sizeof(path), ROOT "/%s", name);
	outside_must(rmdir(path), path);
}

void outside_make_cgroups(void)
{
	char path[128];
	int dir;

	mkdir(ROOT, 0755); /* the agent may have made it */
	for (size_t i = 0; i < NAMES; i++) {
		snprintf(path, sizeof(path), ROOT "/%s", names[i]);
		outside_must(mkdir(path, 0755), path);
	}
	remove_held("gone");
	dir = open_dir("busy");
	press(dir);
	close(dir);
}

static void pressure(const char *cgroup, const char *resource)
{
	char path[128], kind[8], average[16], line[256];
	unsigned long long total;
	FILE *file;

	snprintf(path, sizeof(path), ROOT "/%s/%s.pressure", cgroup, resource);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%7s avg10=%15s %*s %*s total=%llu", kind, average, &total) == 3)
			printf("psi.%s.%s_%s.avg10 %s\npsi.%s.%s_%s.total %llu\n", cgroup, resource, kind, average, cgroup,
			       resource, kind, total);
	if (file)
		fclose(file);
}

void outside_say_cgroups(void)
{
	static const char *const resources[] = { "cpu", "memory", "io", "irq" };
	char path[128];
	struct stat st;

	for (size_t i = 0; i < NAMES; i++) {
		snprintf(path, sizeof(path), ROOT "/%s", names[i]);
		printf("psi.%s.there %d\n", names[i], !stat(path, &st));
		if (stat(path, &st))
			continue;
		printf("psi.%s.id %llu\n", names[i], (unsigned long long)st.st_ino);
		for (size_t r = 0; r < sizeof(resources) / sizeof(resources[0]); r++)
			pressure(names[i], resources[r]);
	}
}
