// SPDX-License-Identifier: GPL-2.0-only
/* Builds the job archive of one run. */
#include <string.h>

#include "base/cleanup.h"
#include "guest/job.h"
#include "ktstr/payload.h"
#include "runner/job_bundle.h"
#include "wire/program.h"

#define GUEST_PROGRAM	KTSTR_JOB_DIR "/test"
#define GUEST_SCHED_DIR KTSTR_JOB_DIR "/scheduler"

KTSTR_DEFINE_CLEANUP(struct ktstr_bundle *, cleanup_bundle, ktstr_bundle_destroy)

json_t *ktstr_job_scheduler(const struct ktstr_sched_choice *scheduler, const char *guest_path)
{
	json_t *argv = json_pack("[s]", guest_path);

	for (size_t i = 0; i < scheduler->args.count; i++)
		json_array_append_new(argv, json_string(scheduler->args.items[i]));
	return json_pack("{so si}", "argv", argv, "attach_timeout_ms", KTSTR_ATTACH_TIMEOUT_MS);
}

static json_t *environment(const char *library_path)
{
	_cleanup_free_ char *library_env = ktstr_xasprintf("LD_LIBRARY_PATH=%s", library_path);

	/* KTSTR_GUEST_INIT tells workers that /dev/vda is theirs to write to. */
	return json_pack("[ssssss]", "PATH=" KTSTR_INCLUDE_DIR ":/bin:/sbin:/usr/bin", "HOME=/", "TMPDIR=/tmp",
			 KTSTR_WIRE_FD_ENV "=3", "KTSTR_GUEST_INIT=1", library_env);
}

static json_t *test_json(const struct ktstr_run_setup *setup, const struct ktstr_run *run)
{
	return json_pack("{ss ss sI sI sb si sb}", "name", run->test->name, "scheduler", run->scheduler.label,
			 "duration_ns", (json_int_t)run->duration_ns, "seed", (json_int_t)run->seed, "perturb", (int)run->deterministic,
			 "workers_per_cgroup", (int)run->test->workers_per_cgroup, "strict",
			 (int)setup->strict);
}

static struct ktstr_error *add_job(struct ktstr_bundle *bundle, const struct ktstr_run_setup *setup,
				   const struct ktstr_run *run, enum ktstr_job_parts parts,
				   const char *guest_scheduler)
{
	_cleanup_free_ char *library_path = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *job;

	KTSTR_TRY(ktstr_bundle_library_path(bundle, &library_path));
	job = json_pack("{so sb}", "env", environment(library_path), "hold", !(parts & KTSTR_JOB_PROGRAM));
	if (parts & KTSTR_JOB_PROGRAM) {
		json_object_set_new(job, "argv", json_pack("[sss]", GUEST_PROGRAM, "--ktstr-guest", KTSTR_JOB_PATH));
		json_object_set_new(job, "test", test_json(setup, run));
	}
	if (guest_scheduler)
		json_object_set_new(job, "scheduler", ktstr_job_scheduler(&run->scheduler, guest_scheduler));
	text = json_dumps(job, JSON_INDENT(1));
	json_decref(job);
	if (!text)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the job holds text that is not UTF-8");
	return ktstr_bundle_add_data(bundle, KTSTR_JOB_PATH, 0644, text, strlen(text));
}

struct ktstr_error *ktstr_job_bundle(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
				     enum ktstr_job_parts parts, struct ktstr_bundle **out)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_free_ char *guest_scheduler = NULL;
	const void *data;
	size_t length;

	KTSTR_TRY(ktstr_bundle_create(&bundle));
	for (size_t i = 0; i < setup->base.libraries.count; i++)
		KTSTR_TRY(ktstr_bundle_assume(bundle, setup->base.libraries.items[i]));
	/* A guest that holds with the scheduler attached has its libraries. */
	if (!(parts & KTSTR_JOB_SCHEDULER) && run->scheduler.path)
		KTSTR_TRY(ktstr_bundle_assume_closure(bundle, run->scheduler.path));
	if (parts & KTSTR_JOB_PROGRAM)
		KTSTR_TRY_WRAP(ktstr_bundle_add_program(bundle, GUEST_PROGRAM, run->program->path),
			       "test program");
	if (parts & KTSTR_JOB_PROGRAM)
		KTSTR_TRY(ktstr_includes_bundle(&run->includes, bundle));
	if ((parts & KTSTR_JOB_SCHEDULER) && run->scheduler.path) {
		guest_scheduler = ktstr_xasprintf(GUEST_SCHED_DIR "/%s",
						  strrchr(run->scheduler.path, '/') + 1);
		KTSTR_TRY_WRAP(ktstr_bundle_add_program(bundle, guest_scheduler, run->scheduler.path),
			       "scheduler");
	}
	KTSTR_TRY(add_job(bundle, setup, run, parts, guest_scheduler));
	KTSTR_TRY(ktstr_bundle_finish(bundle, &data, &length));
	*out = ktstr_take(bundle);
	return NULL;
}
