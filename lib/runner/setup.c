// SPDX-License-Identifier: GPL-2.0-only
/* What all runs of an invocation share: QEMU, accelerator, kernel, agent, run directory. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "host/host.h"
#include "observe/vmlinux.h"
#include "runner/rt_app.h"
#include "runner/runner.h"

/* Relative to where ktstr lies, unless it was configured to be elsewhere. */
#ifndef KTSTR_LIBEXEC_FROM_BIN
#define KTSTR_LIBEXEC_FROM_BIN "../libexec/ktstr"
#endif

struct ktstr_error *ktstr_find_helper(const char *name, char **path)
{
	_cleanup_free_ char *exe_dir = ktstr_exe_dir();
	_cleanup_free_ char *beside = ktstr_xasprintf("%s/%s", exe_dir, name);
	_cleanup_free_ char *installed =
		KTSTR_LIBEXEC_FROM_BIN[0] == '/' ? ktstr_xasprintf("%s/%s", KTSTR_LIBEXEC_FROM_BIN, name) :
						   ktstr_xasprintf("%s/%s/%s", exe_dir, KTSTR_LIBEXEC_FROM_BIN, name);

	*path = !access(beside, R_OK) ? ktstr_take(beside) : !access(installed, R_OK) ? ktstr_take(installed) : NULL;
	if (*path)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s is neither beside ktstr in %s nor at %s: build or reinstall ktstr",
			       name, exe_dir, installed);
}

/* Each run says itself that it cannot be watched when there are none. */
static void load_vmlinux(struct ktstr_run_setup *setup)
{
	if (setup->kernel.vmlinux_path)
		ktstr_error_free(ktstr_vmlinux_load(setup->kernel.vmlinux_path, &setup->vmlinux));
}

struct ktstr_vm_config ktstr_run_setup_config(const struct ktstr_run_setup *setup)
{
	return (struct ktstr_vm_config){ .qemu = &setup->qemu,
					 .accel = &setup->accel,
					 .kernel = &setup->kernel,
					 .base = &setup->base,
					 .lockstep_path = setup->lockstep_path,
					 .coherence_path = setup->coherence_path };
}

const struct ktstr_accel_choice *ktstr_run_accel(const struct ktstr_run_setup *setup, const struct ktstr_run *run)
{
	static const struct ktstr_accel_choice emulation = {
		.accel = KTSTR_ACCEL_TCG,
		.reason = "virtual time counts instructions, which KVM cannot do",
	};

	return run->deterministic && setup->accel.accel == KTSTR_ACCEL_KVM ? &emulation : &setup->accel;
}

struct ktstr_error *ktstr_run_setup_vm(const char *kernel_spec, const struct ktstr_progress *progress,
				       struct ktstr_run_setup *setup)
{
	_cleanup_free_ char *agent = NULL;
	_cleanup_free_ char *scenarios = NULL;

	*setup = (struct ktstr_run_setup){ 0 };
	KTSTR_TRY(ktstr_find_helper("ktstr-init", &agent));
	/* The built-in tests link what every test program does. */
	KTSTR_TRY(ktstr_find_helper("ktstr-scenarios", &scenarios));
	KTSTR_TRY(ktstr_guest_base_init(&setup->base, ktstr_take(agent), scenarios));
	KTSTR_TRY(ktstr_find_helper("ktstr-lockstep.so", &setup->lockstep_path));
	KTSTR_TRY(ktstr_find_helper("ktstr-coherence.so", &setup->coherence_path));
	KTSTR_TRY(ktstr_qemu_find(&setup->qemu));
	KTSTR_TRY(ktstr_kernel_resolve(kernel_spec, true, progress, &setup->kernel));
	load_vmlinux(setup);
	return ktstr_accel_choose(&setup->qemu, setup->kernel.image_path, &setup->accel);
}

static void describe_surroundings(struct ktstr_run_setup *setup)
{
	struct ktstr_host_context host;

	setup->project_commit = ktstr_project_commit();
	setup->kernel_commit = ktstr_kernel_commit(setup->kernel.image_path);
	ktstr_host_context_collect(&host);
	setup->host = ktstr_host_context_to_json(&host);
	ktstr_host_context_deinit(&host);
}

struct ktstr_error *ktstr_run_setup_host(struct ktstr_run_setup *setup)
{
	struct utsname names;

	*setup = (struct ktstr_run_setup){ .no_vm = true };
	uname(&names);
	setup->kernel.release = ktstr_xstrdup(names.release);
	setup->kernel.version = ktstr_version_of_release(names.release);
	describe_surroundings(setup);
	return ktstr_run_dir_open(setup->kernel.version, setup->project_commit, &setup->run_dir);
}

struct ktstr_error *ktstr_run_setup_init(const char *kernel_spec, const struct ktstr_progress *progress,
					 struct ktstr_run_setup *setup)
{
	const struct ktstr_kernel *kernel = &setup->kernel;
	_cleanup_free_ char *name = NULL;

	KTSTR_TRY(ktstr_run_setup_vm(kernel_spec, progress, setup));
	describe_surroundings(setup);
	/* A distribution's version names one image; two builds of one tree have the same, and differ. */
	if (kernel->image_sha256 && kernel->source && strcmp(kernel->source, "debian"))
		name = ktstr_xasprintf("%s-%.8s", kernel->version, kernel->image_sha256);
	return ktstr_run_dir_open(name ? name : kernel->version, setup->project_commit, &setup->run_dir);
}

void ktstr_run_setup_deinit(struct ktstr_run_setup *setup)
{
	ktstr_qemu_deinit(&setup->qemu);
	ktstr_accel_choice_deinit(&setup->accel);
	ktstr_kernel_deinit(&setup->kernel);
	ktstr_vmlinux_destroy(setup->vmlinux);
	ktstr_guest_base_deinit(&setup->base);
	free(setup->lockstep_path);
	free(setup->coherence_path);
	free(setup->run_dir);
	free(setup->kernel_commit);
	free(setup->project_commit);
	json_decref(setup->host);
	*setup = (struct ktstr_run_setup){ 0 };
}

struct ktstr_error *ktstr_run_find_includes(struct ktstr_run *run)
{
	const char *program = run->program->path;
	_cleanup_free_ char *beside = ktstr_xstrndup(program, (size_t)(strrchr(program, '/') - program));

	for (size_t i = 0; i < run->test->includes_count; i++)
		KTSTR_TRY_WRAP(ktstr_includes_add(&run->includes, &run->test->includes[i], beside), "test %s",
			       run->test->name);
	/* The scheduler's are there first: what would replace one of them is a mistake. */
	for (size_t i = 0; i < run->scheduler_includes.count; i++)
		for (size_t j = 0; j < run->includes.count; j++)
			KTSTR_TRY_WRAP(ktstr_includes_check(&run->scheduler_includes.items[i], &run->includes.items[j]),
				       "test %s", run->test->name);
	return ktstr_run_find_rt_app(run, beside);
}

void ktstr_run_deinit(struct ktstr_run *run)
{
	free(run->full_name);
	free(run->refusal);
	free(run->rt_app);
	free(run->work_type);
	ktstr_includes_deinit(&run->includes);
	ktstr_includes_deinit(&run->scheduler_includes);
	ktstr_sched_choice_deinit(&run->scheduler);
	for (size_t i = 0; i < run->staged_count; i++)
		ktstr_sched_choice_deinit(&run->staged[i]);
	free(run->staged);
	ktstr_strv_deinit(&run->kargs);
	ktstr_strv_deinit(&run->sysctls);
	ktstr_strv_deinit(&run->reproduce);
	*run = (struct ktstr_run){ 0 };
}
