// SPDX-License-Identifier: GPL-2.0-only
/* What can be set on a cgroup: CPUs, memory nodes, CPU time, memory, I/O, processes, freezing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cgroup/manager.h"

/* Values as the kernel prints and takes them: a number or "max". */
#define VALUE_BYTES 48

enum { FROZEN_LIMIT_MS = 1000 };

static const char *value_text(struct ktstr_opt_u64 value, char out[VALUE_BYTES])
{
	if (!value.set)
		return "max";
	snprintf(out, VALUE_BYTES, "%" PRIu64, value.value);
	return out;
}

struct ktstr_error *cgroup_set(struct ktstr_cgroup_manager *manager, const char *name, const char *file,
			       const char *text)
{
	_cleanup_free_ char *controller = ktstr_xstrndup(file, strcspn(file, "."));
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(cgroup_path(manager, name, file, &path));
	if (strcmp(controller, "cgroup")) /* that is the core's own */
		KTSTR_TRY(cgroup_need_controller(manager, name, controller));
	return cgroup_write(path, text);
}

static struct ktstr_error *set_limit(struct ktstr_cgroup_manager *manager, const char *name, const char *file,
				     struct ktstr_opt_u64 value)
{
	char text[VALUE_BYTES];

	return cgroup_set(manager, name, file, value_text(value, text));
}

struct ktstr_error *ktstr_cgroup_set_cpuset(struct ktstr_cgroup_manager *manager, const char *name,
					    const struct ktstr_cpus *cpus)
{
	_cleanup_free_ char *list = ktstr_cpus_to_text(cpus);

	if (!*list)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"the CPU set for cgroup %s is empty: its tasks would inherit all CPUs; give it one CPU at "
			"least, or clear it on purpose",
			name);
	return cgroup_set(manager, name, "cpuset.cpus", list);
}

/* A newline, because the kernel never sees a write of no bytes. */
struct ktstr_error *ktstr_cgroup_clear_cpuset(struct ktstr_cgroup_manager *manager, const char *name)
{
	return cgroup_set(manager, name, "cpuset.cpus", "\n");
}

static struct ktstr_error *read_cpus(struct ktstr_cgroup_manager *manager, const char *name, const char *file,
				     struct ktstr_cpus *cpus)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;

	KTSTR_TRY(cgroup_path(manager, name, file, &path));
	KTSTR_TRY(ktstr_read_file(path, &text, NULL));
	text[strcspn(text, "\n")] = '\0';
	KTSTR_TRY_WRAP(ktstr_cpus_parse(text, cpus), "cannot understand %s", path);
	return NULL;
}

struct ktstr_error *ktstr_cgroup_get_cpuset(struct ktstr_cgroup_manager *manager, const char *name,
					    struct ktstr_cpus *cpus)
{
	return read_cpus(manager, name, "cpuset.cpus", cpus);
}

struct ktstr_error *ktstr_cgroup_effective_cpus(struct ktstr_cgroup_manager *manager, const char *name,
						struct ktstr_cpus *cpus)
{
	return read_cpus(manager, name, "cpuset.cpus.effective", cpus);
}

struct ktstr_error *ktstr_cgroup_set_cpuset_mems(struct ktstr_cgroup_manager *manager, const char *name, uint64_t nodes)
{
	struct ktstr_cpus set = { .bits = { nodes } }; /* the kernel's lists are the same for CPUs and nodes */
	_cleanup_free_ char *list = ktstr_cpus_to_text(&set);

	return cgroup_set(manager, name, "cpuset.mems", *list ? list : "\n");
}

/* The kernel counts in us. */
struct ktstr_error *ktstr_cgroup_set_cpu_max(struct ktstr_cgroup_manager *manager, const char *name,
					     struct ktstr_opt_u64 quota_ns, uint64_t period_ns)
{
	struct ktstr_opt_u64 quota_us = { quota_ns.set, quota_ns.value / 1000 };
	char quota[VALUE_BYTES], text[2 * VALUE_BYTES];

	snprintf(text, sizeof(text), "%s %" PRIu64, value_text(quota_us, quota), period_ns / 1000);
	return cgroup_set(manager, name, "cpu.max", text);
}

struct ktstr_error *ktstr_cgroup_set_cpu_weight(struct ktstr_cgroup_manager *manager, const char *name,
						unsigned int weight)
{
	return set_limit(manager, name, "cpu.weight", (struct ktstr_opt_u64)KTSTR_SOME(weight));
}

struct ktstr_error *ktstr_cgroup_set_memory_max(struct ktstr_cgroup_manager *manager, const char *name,
						struct ktstr_opt_u64 bytes)
{
	return set_limit(manager, name, "memory.max", bytes);
}

struct ktstr_error *ktstr_cgroup_set_memory_high(struct ktstr_cgroup_manager *manager, const char *name,
						 struct ktstr_opt_u64 bytes)
{
	return set_limit(manager, name, "memory.high", bytes);
}

struct ktstr_error *ktstr_cgroup_set_memory_low(struct ktstr_cgroup_manager *manager, const char *name,
						struct ktstr_opt_u64 bytes)
{
	return set_limit(manager, name, "memory.low", bytes);
}

struct ktstr_error *ktstr_cgroup_set_swap_max(struct ktstr_cgroup_manager *manager, const char *name,
					      struct ktstr_opt_u64 bytes)
{
	return set_limit(manager, name, "memory.swap.max", bytes);
}

struct ktstr_error *ktstr_cgroup_set_io_weight(struct ktstr_cgroup_manager *manager, const char *name,
					       unsigned int weight)
{
	struct ktstr_error *error;
	char text[VALUE_BYTES];

	snprintf(text, sizeof(text), "default %u", weight);
	error = cgroup_set(manager, name, "io.weight", text);
	if (ktstr_error_errno(error) == ENOENT && ktstr_cgroup_exists(manager, name))
		return ktstr_error_wrap(error, "the kernel has no I/O weights (CONFIG_BLK_CGROUP_IOCOST)");
	return error;
}

struct ktstr_error *ktstr_cgroup_set_pids_max(struct ktstr_cgroup_manager *manager, const char *name,
					      struct ktstr_opt_u64 tasks)
{
	return set_limit(manager, name, "pids.max", tasks);
}

/*
 * The write returns once all tasks are told to (cgroup_do_freeze()): each stops when it is next on its way to user mode,
 * which waits for a CPU, or for the end of an uninterruptible sleep.
 */
struct ktstr_error *ktstr_cgroup_freeze(struct ktstr_cgroup_manager *manager, const char *name)
{
	_cleanup_free_ char *dir = NULL;

	KTSTR_TRY(cgroup_path(manager, name, NULL, &dir));
	KTSTR_TRY(cgroup_set(manager, name, "cgroup.freeze", "1"));
	if (!cgroup_wait_while(dir, "frozen 0", FROZEN_LIMIT_MS))
		fprintf(stderr,
			"ktstr: warning: cgroup %s is not frozen %dms after it was told to be: a task of it waits for a CPU, or "
			"sleeps uninterruptibly\n",
			name, FROZEN_LIMIT_MS);
	return NULL;
}

struct ktstr_error *ktstr_cgroup_unfreeze(struct ktstr_cgroup_manager *manager, const char *name)
{
	return cgroup_set(manager, name, "cgroup.freeze", "0");
}
