// SPDX-License-Identifier: GPL-2.0-only
/* From specs to blocked worker processes: validation, the shared mapping, one fork per worker. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "work/workload.h"

static const struct ktstr_cpus no_cpus;

/* EXACT within the CPUs of the workload; an empty set of those means no limit. */
static struct ktstr_cpus resolve_affinity(const struct ktstr_workload_config *config,
					  const struct ktstr_work_spec *spec)
{
	if (spec->affinity.kind != KTSTR_AFFINITY_EXACT)
		return no_cpus;
	if (ktstr_cpus_equal(&config->cpus, &no_cpus))
		return spec->affinity.cpus;
	return ktstr_cpus_and(&spec->affinity.cpus, &config->cpus);
}

static struct ktstr_error *check_affinity(const struct ktstr_workload_config *config,
					  unsigned int group_idx, const char *name)
{
	const struct ktstr_work_spec *spec = &config->specs[group_idx];
	struct ktstr_cpus allowed = resolve_affinity(config, spec);

	if (spec->affinity.kind != KTSTR_AFFINITY_EXACT || !ktstr_cpus_equal(&allowed, &no_cpus))
		return NULL;
	_cleanup_free_ char *wanted = ktstr_cpus_to_text(&spec->affinity.cpus);
	_cleanup_free_ char *available = ktstr_cpus_to_text(&config->cpus);

	if (!*wanted)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s (group %u) has an exact affinity without CPUs: name at least "
			"one, or use KTSTR_AFFINITY_INHERIT",
			name, group_idx);
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"%s (group %u) has the affinity %s, but its cgroup has only the CPUs %s: "
		"choose among those",
		name, group_idx, wanted, available);
}

static struct ktstr_error *check_spec(const struct ktstr_workload_config *config,
				      unsigned int group_idx)
{
	const struct ktstr_work_spec *spec = &config->specs[group_idx];
	const struct work_type_ops *ops = work_type_ops(spec->type.kind);
	struct ktstr_work_type type = ktstr_work_type_resolve(&spec->type);
	size_t comm_length = spec->comm ? strlen(spec->comm) : 1;
	unsigned int group_size;

	if (!ops)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "group %u has the unknown work kind %d: use KTSTR_WORK()",
				       group_idx, (int)spec->type.kind);
	KTSTR_TRY(work_params_validate(ops, &type, group_idx));
	if (ops->validate)
		KTSTR_TRY(ops->validate(&type, group_idx));
	if (!spec->workers)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s (group %u) requires at least 1 worker, got 0: set .workers", ops->name,
			group_idx);
	group_size = ktstr_work_type_group_size(&type);
	if (spec->workers % group_size)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s (group %u) requires num_workers divisible by %u, got %u",
				       ops->name, group_idx, group_size, spec->workers);
	if (!comm_length || comm_length > 15)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s (group %u) has the comm \"%s\" of %zu bytes: the kernel keeps 1 "
			"to 15",
			ops->name, group_idx, spec->comm, comm_length);
	return check_affinity(config, group_idx, ops->name);
}

/* Group memory of all groups of the spec, each on a cache line of its own. */
static size_t group_stride(const struct work_type_ops *ops)
{
	return (ops->shared_bytes + 63) / 64 * 64;
}

static struct ktstr_error *map_memory(const struct ktstr_workload_config *config,
				      struct ktstr_workload_handle *handle)
{
	size_t header = sizeof(struct worker_shared); /* a multiple of the page size */
	size_t groups = 0;

	for (size_t i = 0; i < config->specs_count; i++) {
		const struct ktstr_work_spec *spec = &config->specs[i];

		handle->count += spec->workers;
		groups += group_stride(work_type_ops(spec->type.kind)) *
			  (spec->workers / ktstr_work_type_group_size(&spec->type));
	}
	handle->map_bytes = 4096 + handle->count * header + groups;
	handle->map = mmap(NULL, handle->map_bytes, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (handle->map == MAP_FAILED) {
		handle->map = NULL;
		return ktstr_error_sys(errno, "cannot map %zu MiB for the reports of %zu workers",
				       handle->map_bytes >> 20, handle->count);
	}
	handle->control = handle->map;
	handle->workers = (void *)((char *)handle->map + 4096);
	handle->pids = ktstr_xcalloc(handle->count, sizeof(*handle->pids));
	handle->public_pids = ktstr_xcalloc(handle->count, sizeof(*handle->public_pids));
	handle->outcomes = ktstr_xcalloc(handle->count, sizeof(*handle->outcomes));
	handle->group_memories = ktstr_xcalloc(handle->count, sizeof(*handle->group_memories));
	handle->reports = ktstr_xcalloc(handle->count, sizeof(*handle->reports));
	return NULL;
}

/* The child starts with every signal blocked: none may run a handler of the parent's in it. */
static struct ktstr_error *fork_worker(struct ktstr_workload_handle *handle,
				       const struct worker_setup *setup)
{
	sigset_t all, before;
	int failure;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		worker_main(setup);
	failure = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return ktstr_error_sys(failure, "cannot fork worker %u of %zu", setup->index,
				       handle->count);
	setpgid(pid, pid); /* in both processes: whoever needs it first has it */
	handle->pids[setup->index] = pid;
	handle->public_pids[setup->index] = pid;
	return NULL;
}

/*
 * One group: its descriptors exist only while its workers are being forked, so no worker ever has
 * those of another group.
 */
static struct ktstr_error *spawn_group(struct ktstr_workload_handle *handle,
				       struct worker_setup *setup, struct work_group *group,
				       unsigned int first_index)
{
	struct ktstr_error *error = NULL;

	if (setup->ops->open_group)
		KTSTR_TRY(setup->ops->open_group(group));
	for (unsigned int i = 0; i < group->size && !error; i++) {
		setup->position = i;
		setup->index = first_index + i;
		setup->shared = &handle->workers[setup->index];
		error = fork_worker(handle, setup);
	}
	for (size_t i = 0; i < group->fds_count; i++)
		close(group->fds[i]);
	return error;
}

static struct ktstr_error *spawn_spec(const struct ktstr_workload_config *config,
				      struct ktstr_workload_handle *handle, unsigned int group_idx,
				      unsigned int first_index, char **group_memory)
{
	const struct ktstr_work_spec *spec = &config->specs[group_idx];
	struct ktstr_work_type type = ktstr_work_type_resolve(&spec->type);
	struct worker_setup setup = {
		.parent = getpid(),
		.spec = spec,
		.ops = work_type_ops(type.kind),
		.label = config->label ? config->label : "worker",
		.affinity = resolve_affinity(config, spec),
		.seed = config->seed,
		.perturb = config->perturb,
		.control = handle->control,
	};
	unsigned int size = ktstr_work_type_group_size(&type);

	for (unsigned int i = 0; i < spec->workers; i++) {
		handle->reports[first_index + i].group_idx = group_idx;
		handle->reports[first_index + i].index = first_index + i;
		handle->reports[first_index + i].work_kind = type.kind;
	}
	for (unsigned int i = 0; i < spec->workers; i += size) {
		struct work_group group = { .type = &type, .size = size };

		if (setup.ops->shared_bytes)
			group.memory = *group_memory;
		for (unsigned int position = 0; position < size; position++)
			handle->group_memories[first_index + i + position] = group.memory;
		*group_memory += group_stride(setup.ops);
		setup.group = &group;
		KTSTR_TRY(spawn_group(handle, &setup, &group, first_index + i));
	}
	return NULL;
}

static struct ktstr_error *spawn_all(const struct ktstr_workload_config *config,
				     struct ktstr_workload_handle *handle)
{
	unsigned int first_index = 0;
	char *group_memory;

	KTSTR_TRY(map_memory(config, handle));
	group_memory = (char *)(handle->workers + handle->count);
	for (unsigned int i = 0; i < config->specs_count; i++) {
		KTSTR_TRY(spawn_spec(config, handle, i, first_index, &group_memory));
		first_index += config->specs[i].workers;
	}
	return NULL;
}

struct ktstr_error *ktstr_workload_spawn(const struct ktstr_workload_config *config,
					 struct ktstr_workload_handle **handle)
{
	struct ktstr_workload_handle *made;
	struct ktstr_error *error;

	if (!config->specs_count)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "a workload has no work specs: give it at least one");
	for (unsigned int i = 0; i < config->specs_count; i++)
		KTSTR_TRY(check_spec(config, i));
	made = ktstr_xcalloc(1, sizeof(*made));
	error = spawn_all(config, made);
	if (error) {
		ktstr_workload_destroy(made);
		return error;
	}
	*handle = made;
	return NULL;
}
