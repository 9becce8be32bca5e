// SPDX-License-Identifier: GPL-2.0-only
/*
 * From specs to blocked workers: the plan (who is in which group and which host), the shared mapping, then a fork per
 * host or a thread per worker.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "work/affinity.h"
#include "work/workload.h"

/* Group memory of all groups of the type, each on a cache line of its own. */
static size_t group_stride(const struct ktstr_work_type *type)
{
	return (work_type_ops(type->kind)->shared_bytes + 63) / 64 * 64;
}

static struct ktstr_error *map_memory(struct ktstr_workload_handle *handle)
{
	size_t header = sizeof(struct worker_shared); /* a multiple of the page size */
	size_t groups = 0;

	for (size_t i = 0; i < handle->specs_count; i++)
		groups += group_stride(&handle->types[i]) *
			  (handle->specs[i].workers / ktstr_work_type_group_size(&handle->types[i]));
	handle->map_bytes = 4096 + handle->count * header + groups;
	/* Most of it is room for samples: pages that nobody writes to cost nothing. */
	handle->map = mmap(NULL, handle->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);
	if (handle->map == MAP_FAILED) {
		handle->map = NULL;
		return ktstr_error_sys(errno, "cannot map %zu MiB for the reports of %zu workers",
				       handle->map_bytes >> 20, handle->count);
	}
	handle->control = handle->map;
	handle->workers = (void *)((char *)handle->map + 4096);
	return NULL;
}

/* The host of a worker of this spec: a new one, unless another spec has the same pcomm. */
static size_t choose_host(struct ktstr_workload_handle *handle, const struct ktstr_work_spec *spec)
{
	for (size_t i = 0; spec->pcomm && i < handle->hosts_count; i++)
		if (handle->hosts[i].pcomm && !strcmp(handle->hosts[i].pcomm, spec->pcomm))
			return i;
	handle->hosts[handle->hosts_count].pcomm = spec->pcomm;
	return handle->hosts_count++;
}

static void name_worker(struct worker_setup *setup, const char *label)
{
	int length = setup->spec->comm ? snprintf(setup->comm, sizeof(setup->comm), "%s", setup->spec->comm) :
					 snprintf(setup->comm, sizeof(setup->comm), "%s/%u", label, setup->index);

	(void)length; /* longer texts are cut, as the kernel would */
}

static void plan_worker(struct ktstr_workload_handle *handle, const struct ktstr_workload_config *config,
			const struct ktstr_resolved_affinity *affinity, struct worker_setup *setup)
{
	struct ktstr_worker_report *report = &handle->reports[setup->index];

	setup->seed = config->seed;
	setup->perturb = config->perturb;
	setup->bare = config->bare;
	setup->parent = getpid();
	setup->control = handle->control;
	setup->shared = &handle->workers[setup->index];
	setup->affinity = work_affinity_draw(affinity, &handle->random);
	setup->host = config->clone_mode == KTSTR_CLONE_THREAD ? WORK_NO_HOST : choose_host(handle, setup->spec);
	name_worker(setup, config->label ? config->label : "worker");
	report->group_idx = setup->group_idx;
	report->index = setup->index;
	report->work_kind = setup->group->type->kind;
}

static struct ktstr_error *plan_spec(struct ktstr_workload_handle *handle, const struct ktstr_workload_config *config,
				     unsigned int group_idx, unsigned int *index, char **memory)
{
	const struct ktstr_work_spec *spec = &handle->specs[group_idx];
	const struct ktstr_work_type *type = &handle->types[group_idx];
	unsigned int size = ktstr_work_type_group_size(type);
	struct ktstr_resolved_affinity affinity;

	KTSTR_TRY(ktstr_affinity_resolve(&spec->affinity, config->topo, &config->cpus, &affinity));
	for (unsigned int i = 0; i < spec->workers; i++) {
		struct work_group *group = &handle->groups[handle->groups_count];

		if (i % size == 0) {
			*group = (struct work_group){ .type = type, .size = size, .first_worker = *index };
			if (group_stride(type))
				group->memory = *memory;
			*memory += group_stride(type);
		}
		handle->setups[*index] = (struct worker_setup){
			.spec = spec,
			.ops = work_type_ops(type->kind),
			.group = group,
			.position = i % size,
			.index = *index,
			.group_idx = group_idx,
		};
		plan_worker(handle, config, &affinity, &handle->setups[(*index)++]);
		if (i % size == size - 1)
			handle->groups_count++;
	}
	return NULL;
}

static struct ktstr_error *plan(struct ktstr_workload_handle *handle, const struct ktstr_workload_config *config)
{
	unsigned int index = 0;
	char *memory;

	handle->specs_count = config->specs_count;
	handle->specs = ktstr_xcalloc(config->specs_count, sizeof(*handle->specs));
	handle->types = ktstr_xcalloc(config->specs_count, sizeof(*handle->types));
	for (size_t i = 0; i < config->specs_count; i++) {
		handle->specs[i] = config->specs[i];
		handle->types[i] = ktstr_work_type_resolve(&config->specs[i].type);
		handle->count += config->specs[i].workers;
	}
	KTSTR_TRY(map_memory(handle));
	handle->setups = ktstr_xcalloc(handle->count, sizeof(*handle->setups));
	handle->groups = ktstr_xcalloc(handle->count, sizeof(*handle->groups));
	handle->hosts = ktstr_xcalloc(handle->count, sizeof(*handle->hosts));
	handle->public_pids = ktstr_xcalloc(handle->count, sizeof(*handle->public_pids));
	handle->reports = ktstr_xcalloc(handle->count, sizeof(*handle->reports));
	handle->cpus = config->cpus;
	handle->random = ktstr_random_seeded(config->seed);
	memory = (char *)(handle->workers + handle->count);
	for (unsigned int i = 0; i < config->specs_count; i++)
		KTSTR_TRY(plan_spec(handle, config, i, &index, &memory));
	return NULL;
}

/* ---- starting them ---- */

static void close_group(struct work_group *group)
{
	for (size_t i = 0; i < group->fds_count; i++)
		close(group->fds[i]);
	group->fds_count = 0;
}

static struct ktstr_error *open_group(struct work_group *group)
{
	const struct work_type_ops *ops = work_type_ops(group->type->kind);
	struct ktstr_error *error = ops->open_group ? ops->open_group(group) : NULL;

	if (error)
		close_group(group);
	return error;
}

/* The child starts with every signal blocked: none may run a handler of the parent's in it. */
static struct ktstr_error *fork_host(struct ktstr_workload_handle *handle, size_t host, const int *fds,
				     size_t fds_count)
{
	sigset_t all, before;
	int failure;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		work_host_main(handle, host, fds, fds_count);
	failure = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return ktstr_error_sys(failure, "cannot fork worker process %zu of %zu", host, handle->hosts_count);
	setpgid(pid, pid); /* in both processes: whoever needs it first has it */
	handle->hosts[host].pid = pid;
	handle->public_pids[host] = pid;
	return NULL;
}

static struct ktstr_error *fork_group(struct ktstr_workload_handle *handle, struct work_group *group)
{
	for (unsigned int i = 0; i < group->size; i++)
		KTSTR_TRY(
			fork_host(handle, handle->setups[group->first_worker + i].host, group->fds, group->fds_count));
	return NULL;
}

static size_t host_of(const struct ktstr_workload_handle *handle, const struct work_group *group)
{
	return handle->setups[group->first_worker].host;
}

/* All groups of the host, whose workers share one table of descriptors. */
static struct ktstr_error *fork_shared_host(struct ktstr_workload_handle *handle, size_t host)
{
	_cleanup_free_ int *fds = ktstr_xcalloc(handle->groups_count, sizeof(int) * WORK_GROUP_MAX_FDS);
	struct ktstr_error *error = NULL;
	size_t count = 0;

	for (size_t i = 0; i < handle->groups_count && !error; i++) {
		struct work_group *group = &handle->groups[i];

		if (host_of(handle, group) != host)
			continue;
		group->fds_shared = true;
		error = open_group(group);
		memcpy(fds + count, group->fds, group->fds_count * sizeof(int));
		count += group->fds_count;
	}
	if (!error)
		error = fork_host(handle, host, fds, count);
	for (size_t i = 0; i < handle->groups_count; i++)
		if (host_of(handle, &handle->groups[i]) == host)
			close_group(&handle->groups[i]);
	return error;
}

/*
 * A group's descriptors exist only while its workers are being forked, so no worker ever has those of another group.
 */
static struct ktstr_error *fork_all(struct ktstr_workload_handle *handle)
{
	for (size_t i = 0; i < handle->groups_count; i++) {
		struct work_group *group = &handle->groups[i];
		size_t host = host_of(handle, group);
		struct ktstr_error *error;

		if (handle->hosts[host].pcomm) {
			if (!handle->hosts[host].pid)
				KTSTR_TRY(fork_shared_host(handle, host));
			continue;
		}
		KTSTR_TRY(open_group(group));
		error = fork_group(handle, group);
		close_group(group);
		if (error)
			return error;
	}
	return NULL;
}

static struct ktstr_error *start_threads(struct ktstr_workload_handle *handle)
{
	work_take_stop_signal();
	for (size_t i = 0; i < handle->groups_count; i++) {
		handle->groups[i].fds_shared = true;
		KTSTR_TRY(open_group(&handle->groups[i]));
	}
	for (size_t i = 0; i < handle->count; i++) {
		int failure = worker_start_thread(&handle->setups[i]);

		if (failure)
			return ktstr_error_sys(failure, "cannot start worker thread %zu of %zu", i, handle->count);
	}
	return NULL;
}

struct ktstr_error *ktstr_workload_spawn(const struct ktstr_workload_config *config,
					 struct ktstr_workload_handle **handle)
{
	struct ktstr_workload_handle *made;
	struct ktstr_error *error;

	KTSTR_TRY(ktstr_workload_check(config));
	made = ktstr_xcalloc(1, sizeof(*made));
	error = plan(made, config);
	if (!error)
		error = config->clone_mode == KTSTR_CLONE_THREAD ? start_threads(made) : fork_all(made);
	if (error) {
		ktstr_workload_destroy(made);
		return error;
	}
	*handle = made;
	return NULL;
}
