// SPDX-License-Identifier: GPL-2.0-only
/* Applies a reservation; see apply.h. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "reserve/apply.h"

/* include/uapi/linux/mempolicy.h */
enum { MPOL_DEFAULT = 0, MPOL_BIND = 2 };

static int set_cpus(pid_t tid, const struct ktstr_cpus *cpus)
{
	return (int)syscall(SYS_sched_setaffinity, tid, sizeof(cpus->bits), cpus->bits);
}

static int set_cpu(pid_t tid, unsigned int cpu)
{
	struct ktstr_cpus one = ktstr_cpus_range(cpu, 1);

	return set_cpus(tid, &one);
}

static bool has_several_nodes(void)
{
	return ktstr_path_exists("/sys/devices/system/node/node1");
}

struct ktstr_error *ktstr_reservation_enter(struct ktstr_reservation *reservation)
{
	const struct ktstr_cpu_plan *plan = &reservation->plan;
	unsigned long nodes = plan->nodes;

	if (reservation->mode == KTSTR_MODE_DEFAULT)
		return NULL;
	if (set_cpus(0, &plan->cpus)) {
		_cleanup_free_ char *list = ktstr_cpus_to_text(&plan->cpus);

		return ktstr_error_sys(errno, "cannot keep the VM to host CPUs %s", list);
	}
	reservation->entered = true;
	if (reservation->mode != KTSTR_MODE_PERFORMANCE || !has_several_nodes())
		return NULL;
	/* Inherited by QEMU, and so by the guest's RAM. */
	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8 * sizeof(nodes) + 1))
		return ktstr_error_sys(errno, "cannot bind the VM's memory to the host nodes of its CPUs");
	reservation->bound = true;
	return NULL;
}

void ktstr_reservation_leave(struct ktstr_reservation *reservation)
{
	if (reservation->entered && set_cpus(0, &reservation->allowed))
		fprintf(stderr, "ktstr: warning: cannot go back to the CPUs from before: %s\n", strerror(errno));
	if (reservation->bound)
		syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
	reservation->entered = reservation->bound = false;
}

static bool is_vcpu(int tid, const int *tids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tids[i] == tid)
			return true;
	return false;
}

/* Threads that QEMU starts later have their starter's CPUs; one that has ended meanwhile is no loss. */
static struct ktstr_error *move_other_threads(pid_t pid, const int *tids, size_t count, unsigned int service_cpu)
{
	_cleanup_free_ char *path = ktstr_xasprintf("/proc/%d/task", (int)pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return ktstr_error_sys(errno, "cannot list the VM's threads in %s", path);
	while ((entry = readdir(dir))) {
		int tid = atoi(entry->d_name);

		if (tid > 0 && !is_vcpu(tid, tids, count) && set_cpu(tid, service_cpu) && errno != ESRCH)
			return ktstr_error_sys(errno, "cannot move thread %d of the VM to host CPU %u", tid, service_cpu);
	}
	return NULL;
}

/* procs_running of /proc/stat, 0 when it cannot be read. */
static unsigned int running_tasks(void)
{
	_cleanup_free_ char *stat = NULL;
	const char *line;
	unsigned int running = 0;

	ktstr_error_free(ktstr_read_file("/proc/stat", &stat, NULL));
	line = stat ? strstr(stat, "procs_running ") : NULL;
	return line && sscanf(line, "procs_running %u", &running) == 1 ? running : 0;
}

static void warn_of_host(size_t vcpus, struct ktstr_strv *warnings)
{
	_cleanup_free_ char *clock = ktstr_read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
	unsigned int running = running_tasks();

	/* The one that reads it runs, too. */
	if (running > vcpus / 2 + 1)
		ktstr_strv_addf(warnings, KTSTR_PERFORMANCE_WARNING "the host is busy, %u tasks are running beside the VM", running - 1);
	if (clock && strcmp(clock, "tsc") && strcmp(clock, "kvm-clock"))
		ktstr_strv_addf(warnings, KTSTR_PERFORMANCE_WARNING "the host's TSC is not stable, its clock source is %s", clock);
}

struct ktstr_error *ktstr_reservation_pin(const struct ktstr_reservation *reservation, pid_t pid, const int *tids,
					  size_t tids_count, struct ktstr_strv *warnings)
{
	const struct ktstr_cpu_plan *plan = &reservation->plan;
	const struct sched_param lowest = { .sched_priority = 1 };
	int real_time_errno = 0;
	size_t unpinned = 0;

	if (!plan->vcpus_count)
		return NULL;
	warn_of_host(plan->vcpus_count, warnings);
	for (size_t i = 0; i < plan->vcpus_count; i++) {
		if (i >= tids_count || !tids[i]) {
			unpinned++;
			continue;
		}
		if (set_cpu(tids[i], plan->vcpu_cpus[i]))
			return ktstr_error_sys(errno, "cannot pin vCPU %zu to host CPU %u", i, plan->vcpu_cpus[i]);
		if (sched_setscheduler(tids[i], SCHED_FIFO, &lowest))
			real_time_errno = errno;
	}
	if (unpinned)
		ktstr_strv_addf(warnings, KTSTR_PERFORMANCE_WARNING "%zu vCPUs have no thread of their own and are not pinned", unpinned);
	if (real_time_errno)
		ktstr_strv_addf(warnings,
				KTSTR_PERFORMANCE_WARNING "no real-time priority for vCPUs (%s): it needs CAP_SYS_NICE or RLIMIT_RTPRIO of 1",
				strerror(real_time_errno));
	if (unpinned < plan->vcpus_count)
		KTSTR_TRY(move_other_threads(pid, tids, tids_count, plan->service_cpu));
	/* The calling thread watches the VM. */
	if (set_cpu(0, plan->service_cpu))
		return ktstr_error_sys(errno, "cannot move to host CPU %u", plan->service_cpu);
	return NULL;
}
