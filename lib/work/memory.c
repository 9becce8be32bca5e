// SPDX-License-Identifier: GPL-2.0-only
/* Work types around memory: page faults, pages that move between nodes, tasks that move between nodes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "work/numa.h"
#include "work/work_type.h"

enum { PAGE = 4096 };

/* PageFaultChurn: faults and zapped pages: handle_mm_fault under preemption, mmap_lock, TLB shootdowns to siblings' CPUs. */
static void run_page_fault_churn(struct worker *w)
{
	const struct ktstr_work_page_fault_churn *type = &w->type->PAGE_FAULT_CHURN;
	size_t bytes = type->region_kib * 1024ul, pages = bytes / PAGE;
	char *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (region == MAP_FAILED || !pages) {
		work_warn_once(w, WORK_WARN_DISK, "PageFaultChurn cannot map %zu bytes; no work is counted", bytes);
		work_sleep_until(w, UINT64_MAX);
		return;
	}
	madvise(region, bytes, MADV_NOHUGEPAGE);
	while (!work_should_stop(w)) {
		for (uint64_t i = 0; i < type->touches_per_cycle && !work_should_stop(w); i++) {
			region[work_random(w) % pages * PAGE] = 1;
			w->work_units++;
		}
		madvise(region, bytes, MADV_DONTNEED);
		work_spin(w, type->spin_iters);
		work_checkpoint_now(w);
		work_iteration_done(w);
	}
	munmap(region, bytes);
}

static const struct work_param page_fault_churn_params[] = {
	WORK_NUMBER(page_fault_churn, region_kib, 4096, 4, 1 << 24),
	WORK_NUMBER(page_fault_churn, touches_per_cycle, 256, 1, 0),
	WORK_NUMBER(page_fault_churn, spin_iters, 64, 0, 0),
};

const struct work_type_ops work_page_fault_churn_ops = {
	.name = "PageFaultChurn",
	.pressure = "page faults and unmapping (handle_mm_fault, TLB shootdowns)",
	.unit = "a page written; 32 multiply-adds and a pause",
	WORK_PARAMS(page_fault_churn_params),
	.run = run_page_fault_churn,
};

struct work_nodes work_nodes_online(void)
{
	_cleanup_free_ char *text = ktstr_read_line("/sys/devices/system/node/online");
	struct work_nodes nodes = { 0 };
	struct ktstr_cpus set = { 0 };
	struct ktstr_error *error = text ? ktstr_cpus_parse(text, &set) : NULL;

	ktstr_error_free(error);
	ktstr_for_each_cpu(node, &set)
		if (nodes.count < WORK_NODES_MAX)
			nodes.ids[nodes.count++] = (unsigned int)node;
	return nodes;
}

struct ktstr_cpus work_node_cpus(unsigned int node)
{
	char path[80];
	_cleanup_free_ char *text = NULL;
	struct ktstr_cpus cpus = { 0 };
	struct ktstr_error *error;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
	text = ktstr_read_line(path);
	error = text ? ktstr_cpus_parse(text, &cpus) : NULL;
	ktstr_error_free(error);
	return cpus;
}

/* MPOL_BIND with MPOL_MF_MOVE (include/uapi/linux/mempolicy.h): binds what comes, moves what is there. */
static void bind_region(struct worker *w, char *region, size_t bytes, unsigned int node)
{
	enum { BIND = 2, MOVE = 2 };
	uint64_t mask = UINT64_C(1) << node;

	if (syscall(SYS_mbind, region, bytes, BIND, &mask, node + 2, MOVE))
		work_warn_once(w, WORK_WARN_NUMA, "NumaWorkingSetSweep cannot bind memory to node %u: %s", node,
			       strerror(errno));
}

/* The nth node of a mask of nodes; n counts round and round. */
static unsigned int nth_node(uint64_t mask, uint64_t n)
{
	n %= (uint64_t)__builtin_popcountll(mask);
	for (unsigned int node = 0; node < 64; node++)
		if (mask >> node & 1 && !n--)
			return node;
	return 0;
}

/* NumaWorkingSetSweep: a working set that moves from node to node: does the scheduler follow, does NUMA balancing? */
static void run_numa_working_set_sweep(struct worker *w)
{
	const struct ktstr_work_numa_working_set_sweep *type = &w->type->NUMA_WORKING_SET_SWEEP;
	size_t bytes = type->region_kib * 1024ul;
	char *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (region == MAP_FAILED) {
		work_warn_once(w, WORK_WARN_NUMA, "NumaWorkingSetSweep cannot map %zu bytes; no work is counted", bytes);
		work_sleep_until(w, UINT64_MAX);
		return;
	}
	w->numa_region = region;
	w->numa_bytes = bytes;
	while (!work_should_stop(w)) {
		uint64_t since;

		if (type->nodes)
			bind_region(w, region, bytes, nth_node(type->nodes, w->iterations + w->position));
		for (size_t at = 0; at < bytes && !work_should_stop(w); at += PAGE) {
			region[at]++;
			w->work_units++;
			work_checkpoint(w);
		}
		since = ktstr_now_ns();
		work_record_wait(w, since, work_sleep_until(w, since + type->sweep_period));
		work_iteration_done(w);
	}
	work_phase_end(w); /* while the region is there */
	work_numa_pages(w, w->shared->report.numa_pages);
	munmap(region, bytes);
}

static const struct work_param numa_working_set_sweep_params[] = {
	WORK_NUMBER(numa_working_set_sweep, region_kib, 4096, 4, 1 << 24),
	WORK_DURATION(numa_working_set_sweep, sweep_period, KTSTR_MS(100), 0),
	WORK_NUMBER(numa_working_set_sweep, nodes, 0, 0, 0),
};

const struct work_type_ops work_numa_working_set_sweep_ops = {
	.name = "NumaWorkingSetSweep",
	.pressure = "a working set that moves between NUMA nodes (mbind, page migration)",
	.unit = "a page touched",
	WORK_PARAMS(numa_working_set_sweep_params),
	.run = run_numa_working_set_sweep,
};

/* NumaMigrationChurn: the task moves between nodes and leaves its memory behind: migration across the widest domain. */
static void run_numa_migration_churn(struct worker *w)
{
	struct work_nodes nodes = work_nodes_online();

	while (!work_should_stop(w)) {
		struct ktstr_cpus cpus = { 0 };

		/* Nodes without CPUs are passed over. */
		for (size_t i = 0; i < nodes.count && !ktstr_cpus_count(&cpus); i++)
			cpus = work_node_cpus(nodes.ids[(w->iterations + w->position + i) % nodes.count]);
		if (ktstr_cpus_count(&cpus) && syscall(SYS_sched_setaffinity, 0, sizeof(cpus.bits), cpus.bits))
			work_warn_once(w, WORK_WARN_AFFINITY, "NumaMigrationChurn cannot move to another node: %s",
				       strerror(errno));
		work_spin(w, 256);
		work_checkpoint_now(w);
		work_sleep_until(w, ktstr_now_ns() + w->type->NUMA_MIGRATION_CHURN.period);
		work_iteration_done(w);
	}
}

static const struct work_param numa_migration_churn_params[] = {
	WORK_DURATION(numa_migration_churn, period, KTSTR_MS(100), 1),
};

const struct work_type_ops work_numa_migration_churn_ops = {
	.name = "NumaMigrationChurn",
	.pressure = "a task that moves between NUMA nodes away from its memory",
	.unit = "32 multiply-adds and a pause",
	WORK_PARAMS(numa_migration_churn_params),
	.run = run_numa_migration_churn,
};
