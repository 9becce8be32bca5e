// SPDX-License-Identifier: GPL-2.0-only
/* Builds the job archive of one run. */
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/job.h"
#include "ktstr/payload.h"
#include "runner/job_bundle.h"
#include "wire/program.h"

#define GUEST_PROGRAM	KTSTR_JOB_DIR "/test"
#define GUEST_SCHED_DIR KTSTR_JOB_DIR "/scheduler"

KTSTR_DEFINE_CLEANUP(struct ktstr_bundle *, cleanup_bundle, ktstr_bundle_destroy)

static json_t *strings(const struct ktstr_strv *strv)
{
	json_t *array = json_array();

	for (size_t i = 0; i < strv->count; i++)
		json_array_append_new(array, json_string(strv->items[i]));
	return array;
}

json_t *ktstr_job_scheduler(const struct ktstr_sched_choice *scheduler, const char *guest_path)
{
	json_t *json = json_pack("{ss si so}", "name", scheduler->label, "attach_timeout_ms", KTSTR_ATTACH_TIMEOUT_MS,
				 "cgroups", strings(&scheduler->cgroups));

	if (guest_path) {
		json_t *argv = json_pack("[s]", guest_path), *args = strings(&scheduler->args);

		json_array_extend(argv, args);
		json_decref(args);
		json_object_set_new(json, "argv", argv);
	}
	if (scheduler->info) {
		json_object_set_new(json, "enable", strings(&scheduler->info->enable));
		json_object_set_new(json, "disable", strings(&scheduler->info->disable));
	}
	return json;
}

bool ktstr_job_starts_scheduler(const struct ktstr_sched_choice *scheduler)
{
	return scheduler->path || (scheduler->info && scheduler->info->enable.count);
}

/* Where the binary lies in the guest; NULL for one of the kernel's own. Heap. */
static char *guest_path_of(const struct ktstr_sched_choice *scheduler, const char *dir)
{
	return scheduler->path ? ktstr_xasprintf("%s/%s", dir, strrchr(scheduler->path, '/') + 1) : NULL;
}

/* What must be there before it starts: the binary at guest_path, its configuration, a shell for its commands. */
static struct ktstr_error *add_scheduler(struct ktstr_bundle *bundle, const struct ktstr_sched_choice *scheduler,
					 const char *guest_path)
{
	const struct ktstr_sched_info *info = scheduler->info;

	if (guest_path)
		KTSTR_TRY(ktstr_bundle_add_program(bundle, guest_path, scheduler->path));
	if (info && info->config_path)
		KTSTR_TRY(ktstr_bundle_add_data(bundle, info->config_path, 0644, info->config_text, strlen(info->config_text)));
	if (!info || !info->enable.count)
		return NULL;
	if (access(KTSTR_SHELL_PATH, X_OK))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       ".enable needs a shell in the guest, and " KTSTR_SHELL_PATH " is missing: install the package busybox-static");
	return ktstr_bundle_add_program(bundle, KTSTR_SHELL_PATH, KTSTR_SHELL_PATH);
}

static json_t *environment(const char *library_path)
{
	_cleanup_free_ char *library_env = ktstr_xasprintf("LD_LIBRARY_PATH=%s", library_path);

	/* KTSTR_GUEST_INIT tells workers that /dev/vda is theirs to write to. */
	return json_pack("[ssssss]", "PATH=" KTSTR_INCLUDE_DIR ":/bin:/sbin:/usr/bin", "HOME=/", "TMPDIR=/tmp",
			 KTSTR_WIRE_FD_ENV "=3", "KTSTR_GUEST_INIT=1", library_env);
}

/* The guest has another environment. */
static bool logs_passes(void)
{
	const char *asked = ktstr_env("KTSTR_LOG_PASSES");

	return asked && strcmp(asked, "0") != 0;
}

json_t *ktstr_job_test(const struct ktstr_run_setup *setup, const struct ktstr_run *run)
{
	return json_pack("{ss ss sI sI sb si ss* ss* sb sb}", "name", run->test->name, "scheduler", run->scheduler.label,
			 "duration_ns", (json_int_t)run->duration_ns, "seed", (json_int_t)run->seed, "perturb", (int)run->deterministic,
			 "workers_per_cgroup", (int)run->test->workers_per_cgroup, "root_cgroup", run->test->workload_root_cgroup,
			 "work_type", run->work_type, "strict",
			 (int)setup->strict, "log_passes", (int)logs_passes());
}

static struct ktstr_error *add_staged(struct ktstr_bundle *bundle, const struct ktstr_run *run, json_t *staged)
{
	for (size_t i = 0; i < run->staged_count; i++) {
		const struct ktstr_sched_choice *scheduler = &run->staged[i];
		_cleanup_free_ char *dir = ktstr_xasprintf(KTSTR_STAGING_DIR "/%s", scheduler->label);
		_cleanup_free_ char *guest_path = guest_path_of(scheduler, dir);

		KTSTR_TRY_WRAP(add_scheduler(bundle, scheduler, guest_path), "staged scheduler %s", scheduler->label);
		json_object_set_new(staged, scheduler->label, ktstr_job_scheduler(scheduler, guest_path));
	}
	return NULL;
}

static struct ktstr_error *add_job(struct ktstr_bundle *bundle, const struct ktstr_run_setup *setup,
				   const struct ktstr_run *run, enum ktstr_job_parts parts, json_t *staged)
{
	_cleanup_free_ char *guest_scheduler = guest_path_of(&run->scheduler, GUEST_SCHED_DIR);
	_cleanup_free_ char *library_path = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *job;

	KTSTR_TRY(ktstr_bundle_library_path(bundle, &library_path));
	job = json_pack("{so sb}", "env", environment(library_path), "hold", !(parts & KTSTR_JOB_TEST));
	if (parts & KTSTR_JOB_PROGRAM)
		json_object_set_new(job, "argv",
				    json_pack("[sss]", GUEST_PROGRAM,
					      parts & KTSTR_JOB_TEST ? KTSTR_GUEST_OPTION : KTSTR_GUEST_HELD_OPTION, KTSTR_JOB_PATH));
	if (parts & KTSTR_JOB_TEST) {
		json_object_set_new(job, "test", ktstr_job_test(setup, run));
		json_object_set(job, "staged", staged);
	}
	if ((parts & KTSTR_JOB_SCHEDULER) && ktstr_job_starts_scheduler(&run->scheduler))
		json_object_set_new(job, "scheduler", ktstr_job_scheduler(&run->scheduler, guest_scheduler));
	text = json_dumps(job, JSON_INDENT(1));
	json_decref(job);
	if (!text)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the job holds text that is not UTF-8");
	return ktstr_bundle_add_data(bundle, KTSTR_JOB_PATH, 0644, text, strlen(text));
}

static struct ktstr_error *fill_bundle(struct ktstr_bundle *bundle, const struct ktstr_run_setup *setup,
				       const struct ktstr_run *run, enum ktstr_job_parts parts, json_t *staged)
{
	_cleanup_free_ char *guest_scheduler = guest_path_of(&run->scheduler, GUEST_SCHED_DIR);

	for (size_t i = 0; i < setup->base.libraries.count; i++)
		KTSTR_TRY(ktstr_bundle_assume(bundle, setup->base.libraries.items[i]));
	/* A guest that holds has the libraries of what it was given. */
	if (!(parts & KTSTR_JOB_SCHEDULER) && run->scheduler.path)
		KTSTR_TRY(ktstr_bundle_assume_closure(bundle, run->scheduler.path));
	if (parts & KTSTR_JOB_PROGRAM)
		KTSTR_TRY_WRAP(ktstr_bundle_add_program(bundle, GUEST_PROGRAM, run->program->path), "test program");
	else if (parts & KTSTR_JOB_TEST)
		KTSTR_TRY(ktstr_bundle_assume_closure(bundle, run->program->path));
	if (parts & KTSTR_JOB_TEST) {
		KTSTR_TRY(ktstr_includes_bundle(&run->includes, bundle));
		KTSTR_TRY(add_staged(bundle, run, staged));
	}
	if (parts & KTSTR_JOB_SCHEDULER) {
		KTSTR_TRY_WRAP(add_scheduler(bundle, &run->scheduler, guest_scheduler), "scheduler");
		KTSTR_TRY(ktstr_includes_bundle(&run->scheduler_includes, bundle));
	}
	return add_job(bundle, setup, run, parts, staged);
}

struct ktstr_error *ktstr_job_bundle(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
				     enum ktstr_job_parts parts, struct ktstr_bundle **out)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	json_t *staged = json_object();
	struct ktstr_error *error = ktstr_bundle_create(&bundle);
	const void *data;
	size_t length;

	if (!error)
		error = fill_bundle(bundle, setup, run, parts, staged);
	json_decref(staged);
	if (!error)
		error = ktstr_bundle_finish(bundle, &data, &length);
	if (!error)
		*out = ktstr_take(bundle);
	return error;
}

static void prepare_program(const char *path)
{
	_cleanup_strv_ struct ktstr_strv libraries = { 0 };

	if (path)
		ktstr_error_free(ktstr_elf_closure(path, &libraries));
}

void ktstr_job_prepare(const struct ktstr_run *run)
{
	prepare_program(run->program->path);
	prepare_program(run->scheduler.path);
	for (size_t i = 0; i < run->staged_count; i++)
		prepare_program(run->staged[i].path);
}
