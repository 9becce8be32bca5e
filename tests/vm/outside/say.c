// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says about itself in /proc, /sys and through bpf(2). */
#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

enum { SYMBOLS = 150 };

/* Calls line() for each line of a file; a file that is not there has none. */
static void each_line(const char *path, void (*line)(char *text, void *context), void *context)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	while (file && getline(&text, &room, file) > 0) {
		text[strcspn(text, "\n")] = '\0';
		line(text, context);
	}
	free(text);
	if (file)
		fclose(file);
}

static void count_line(char *text, void *context)
{
	(void)text;
	++*(size_t *)context;
}

struct sampling {
	size_t line, stride;
};

/* "ffffffff81000000 T _text"; symbols of modules have their name behind them. */
static void symbol(char *text, void *context)
{
	struct sampling *sampling = context;
	char name[512], type;
	unsigned long long address;

	if (sampling->line++ % sampling->stride || strchr(text, '[') ||
	    sscanf(text, "%llx %c %511s", &address, &type, name) != 3)
		return;
	printf("symbol.%llx.%s 1\n", address, name);
}

static void symbols(void)
{
	struct sampling sampling = { 0 };
	size_t lines = 0;

	each_line("/proc/kallsyms", count_line, &lines);
	sampling.stride = lines / SYMBOLS + 1;
	each_line("/proc/kallsyms", symbol, &sampling);
}

/* "cpu3 user nice system idle iowait irq softirq steal ...": idle ones go on while a CPU idles. */
static void stat_line(char *text, void *context)
{
	unsigned long long user, nice, system, irq, softirq, steal, forks;
	unsigned int cpu;

	(void)context;
	if (sscanf(text, "cpu%u %llu %llu %llu %*u %*u %llu %llu %llu", &cpu, &user, &nice, &system, &irq, &softirq, &steal) == 7)
		printf("cpu.%u.user %llu\ncpu.%u.nice %llu\ncpu.%u.system %llu\ncpu.%u.irq %llu\ncpu.%u.softirq %llu\n"
		       "cpu.%u.steal %llu\n",
		       cpu, user, cpu, nice, cpu, system, cpu, irq, cpu, softirq, cpu, steal);
	else if (sscanf(text, "processes %llu", &forks) == 1)
		printf("kernel.total_forks.8 %llu\n", forks);
}

/* "cpu0 yld_count 0 sched_count sched_goidle ttwu_count ttwu_local rq_cpu_time run_delay pcount" */
static void schedstat_line(char *text, void *context)
{
	unsigned long long yield, sched, idle, wakeups, local, ran, delay, slices;
	unsigned int cpu;

	(void)context;
	if (sscanf(text, "cpu%u %llu %*u %llu %llu %llu %llu %llu %llu %llu", &cpu, &yield, &sched, &idle, &wakeups, &local, &ran,
		   &delay, &slices) != 9)
		return;
	printf("rq.%u.yld_count %llu\nrq.%u.sched_count %llu\nrq.%u.sched_goidle %llu\nrq.%u.ttwu_count %llu\n"
	       "rq.%u.ttwu_local %llu\nrq.%u.rq_cpu_time %llu\nrq.%u.rq_sched_info.run_delay %llu\n"
	       "rq.%u.rq_sched_info.pcount %llu\n",
	       cpu, yield, cpu, sched, cpu, idle, cpu, wakeups, cpu, local, cpu, ran, cpu, delay, cpu, slices);
}

/* A row per softirq behind a title, a column per CPU. */
static void softirq_line(char *text, void *context)
{
	int *row = context, at = 0, used;
	unsigned long long count;

	if (!strchr(text, ':'))
		return;
	text = strchr(text, ':') + 1;
	for (; sscanf(text, "%llu%n", &count, &used) == 1; text += used)
		printf("softirq.%d.%d %llu\n", at++, *row, count);
	++*row;
}

static void numa_line(char *text, void *context)
{
	char name[64];
	unsigned long long pages;

	if (sscanf(text, "%63s %llu", name, &pages) != 2)
		return;
	printf("numa.%d.%s %llu\n", *(int *)context, !strcmp(name, "interleave_hit") ? "numa_interleave_hit" :
						     !strcmp(name, "local_node")	    ? "numa_local" :
						     !strcmp(name, "other_node")	    ? "numa_other" :
											      name,
	       pages);
}

static void numa(void)
{
	char path[64];

	for (int node = 0; node < 8; node++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/numastat", node);
		each_line(path, numa_line, &node);
	}
}

/* Behind the name in parentheses, which may hold anything. */
static void task_stat(char *text, void *context)
{
	int pid = *(int *)context, ppid, group, session, priority, nice, threads, processor;
	unsigned int rt_priority, policy;
	unsigned long long start;
	char *open = strchr(text, '('), *close = strrchr(text, ')');

	if (!open || !close ||
	    sscanf(close + 1,
		   " %*c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %d %d %d %*d %llu %*u %*d %*u %*u %*u %*u %*u %*u "
		   "%*u %*u %*u %*u %*u %*u %*u %*d %d %u %u",
		   &ppid, &group, &session, &priority, &nice, &threads, &start, &processor, &rt_priority, &policy) != 10)
		return;
	*close = '\0';
	/* Workers show what they work on in /proc, not their comm, and other kernel threads their whole name. */
	if (strncmp(open + 1, "kworker", 7) && close - open <= 16)
		printf("task.%d.comm %s\n", pid, open + 1);
	printf("task.%d.ppid %d\ntask.%d.pgrp %d\ntask.%d.session %d\ntask.%d.priority %d\ntask.%d.nice %d\n"
	       "task.%d.threads %d\ntask.%d.start_ticks %llu\ntask.%d.processor %d\ntask.%d.rt_priority %u\ntask.%d.policy %u\n",
	       pid, ppid, pid, group, pid, session, pid, priority, pid, nice, pid, threads, pid, start, pid, processor, pid,
	       rt_priority, pid, policy);
}

static void task_status(char *text, void *context)
{
	unsigned long long count;

	if (sscanf(text, "voluntary_ctxt_switches: %llu", &count) == 1)
		printf("task.%d.nvcsw %llu\n", *(int *)context, count);
	else if (sscanf(text, "nonvoluntary_ctxt_switches: %llu", &count) == 1)
		printf("task.%d.nivcsw %llu\n", *(int *)context, count);
}

static void tasks(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[64];

	while (proc && (entry = readdir(proc))) {
		int pid = atoi(entry->d_name);

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		each_line(path, task_stat, &pid);
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		each_line(path, task_status, &pid);
	}
	if (proc)
		closedir(proc);
}

static void number_line(char *text, void *context)
{
	printf("kernel.%s %lld\n", (const char *)context, strtoll(text, NULL, 10));
}

/* Variables of the kernel by symbol and bytes, and the files that show them. */
static void variables(void)
{
	static const char *const files[][2] = {
		{ "/proc/sys/vm/swappiness", "vm_swappiness.4" },
		{ "/proc/sys/kernel/panic", "panic_timeout.4" },
		{ "/proc/sys/kernel/threads-max", "max_threads.4" },
		{ "/proc/sys/vm/overcommit_memory", "sysctl_overcommit_memory.4" },
		{ "/proc/sys/vm/max_map_count", "sysctl_max_map_count.4" },
		{ "/proc/sys/vm/dirty_ratio", "vm_dirty_ratio.4" },
		{ "/proc/sys/kernel/printk", "console_printk.4" },
		{ "/proc/sys/kernel/sched_rt_runtime_us", "sysctl_sched_rt_runtime.4" },
		{ "/sys/kernel/sched_ext/nr_rejected", "scx_nr_rejected.8" },
		{ "/sys/kernel/sched_ext/hotplug_seq", "scx_hotplug_seq.8" },
		{ "/sys/kernel/sched_ext/enable_seq", "scx_enable_seq.8" },
	};
	struct stat btf;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		each_line(files[i][0], number_line, (void *)files[i][1]);
	printf("kernel.nr_cpu_ids.4 %ld\n", sysconf(_SC_NPROCESSORS_CONF));
	if (!stat("/sys/kernel/btf/vmlinux", &btf))
		printf("btf.vmlinux.bytes %lld\n", (long long)btf.st_size);
}

static void bpf_maps(void)
{
	struct bpf_map_info info;
	uint32_t id = 0, bytes;

	while (!bpf_map_get_next_id(id, &id)) {
		int fd = bpf_map_get_fd_by_id(id);

		bytes = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_map_get_info_by_fd(fd, &info, &bytes))
			printf("map.%u.type %u\nmap.%u.key_size %u\nmap.%u.value_size %u\nmap.%u.max_entries %u\nmap.%u.flags %u\n"
			       "map.%u.name %s\n",
			       id, info.type, id, info.key_size, id, info.value_size, id, info.max_entries, id, info.map_flags, id,
			       info.name);
		close(fd);
	}
}

static void bpf_progs(void)
{
	struct bpf_prog_info info;
	uint32_t id = 0, bytes;

	while (!bpf_prog_get_next_id(id, &id)) {
		int fd = bpf_prog_get_fd_by_id(id);

		bytes = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &bytes))
			printf("prog.%s.type %u\nprog.%s.verified_insns %u\nprog.%s.maps %u\n", info.name, info.type, info.name,
			       info.verified_insns, info.name, info.nr_map_ids);
		close(fd);
	}
}

void outside_say(void)
{
	int row = 0;

	symbols();
	variables();
	each_line("/proc/stat", stat_line, NULL);
	each_line("/proc/schedstat", schedstat_line, NULL);
	each_line("/proc/softirqs", softirq_line, &row);
	numa();
	tasks();
	bpf_maps();
	bpf_progs();
	outside_say_cgroups();
}
