// SPDX-License-Identifier: GPL-2.0-only
/* Executes a plan: what would only fail inside a guest is refused before one boots. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "vm/bundle.h"

static bool will_be_skipped(const struct ktstr_run *run, const struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *reason = ktstr_run_refuses(run, kernel);

	return reason;
}

/* A sched_ext scheduler on a kernel without the class would only fail inside the guest: say it before. */
static struct ktstr_error *check_kernel(const struct ktstr_run_setup *setup, const struct ktstr_cli_plan *plan)
{
	_cleanup_free_ char *value = NULL;

	if (!setup->kernel.config_path)
		return NULL;
	value = ktstr_kernel_config_value(&setup->kernel, "SCHED_CLASS_EXT");
	if (value && !strcmp(value, "y"))
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->runs[i].scheduler.path && !will_be_skipped(&plan->runs[i], &setup->kernel))
			return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
					       "kernel %s has no sched_ext (CONFIG_SCHED_CLASS_EXT is not set): scheduler %s cannot run on it; "
					       "--scheduler eevdf can, or get another kernel with `ktstr kernel get`",
					       setup->kernel.version, plan->runs[i].scheduler.label);
	return NULL;
}

/* What a guest could not run, or lacks libraries of, is told before one boots. */
static struct ktstr_error *check_scheduler(const char *path)
{
	_cleanup_strv_ struct ktstr_strv libraries = { 0 };

	KTSTR_TRY_WRAP(ktstr_elf_closure(path, &libraries), "scheduler");
	return NULL;
}

static struct ktstr_error *check_schedulers(const struct ktstr_cli_plan *plan)
{
	_cleanup_strv_ struct ktstr_strv checked = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		const char *path = plan->runs[i].scheduler.path;

		if (!path || ktstr_strv_contains(&checked, path))
			continue;
		KTSTR_TRY(check_scheduler(path));
		ktstr_strv_add(&checked, path);
	}
	return NULL;
}

/* Runs of host_only tests alone need no kernel and no QEMU. */
static struct ktstr_error *set_up(const struct ktstr_cli_plan *plan, const struct ktstr_cli_run_options *options,
				  struct ktstr_run_setup *setup)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!plan->runs[i].test->host_only)
			return ktstr_run_setup_init(options->kernel, ktstr_cli_progress(), setup);
	return ktstr_run_setup_host(setup);
}

/* The remedy in parentheses is long, and not wanted in front of each run; `ktstr doctor` and reports have it. */
static void print_machine(const struct ktstr_run_setup *setup, const struct ktstr_cli_plan *plan)
{
	const struct ktstr_accel_choice *accel = plan->count ? ktstr_run_accel(setup, &plan->runs[0]) : &setup->accel;
	const char *reason = accel->reason ?: "", *remedy = strstr(reason, " (");

	if (setup->no_vm)
		fprintf(stderr, "kernel %s of this host, no VM\n", setup->kernel.release);
	else
		fprintf(stderr, "kernel %s, QEMU %s, %s: %.*s\n", setup->kernel.release, setup->qemu.version,
			ktstr_accel_name(accel->accel), (int)(remedy ? remedy - reason : (ptrdiff_t)strlen(reason)), reason);
}

int ktstr_cli_execute(const struct ktstr_cli_plan *plan, const struct ktstr_cli_run_options *options)
{
	struct ktstr_run_setup setup;
	int exit_code = KTSTR_EXIT_FAIL;
	struct ktstr_error *error = set_up(plan, options, &setup);

	ktstr_cli_progress_done();
	setup.strict = options->release;
	setup.vmcore_dir = options->vmcore_dir;
	if (!error)
		error = check_kernel(&setup, plan);
	if (!error)
		error = check_schedulers(plan);
	if (!error && options->pool.format == KTSTR_FORMAT_HUMAN)
		print_machine(&setup, plan);
	if (!error)
		error = ktstr_pool_run(&setup, plan->runs, plan->count, &options->pool, &exit_code);
	if (error) {
		bool cancelled = ktstr_error_code(error) == KTSTR_ERR_CANCELLED;

		ktstr_cli_fail(error);
		exit_code = cancelled ? 130 : KTSTR_EXIT_FAIL;
	}
	ktstr_run_setup_deinit(&setup);
	return exit_code;
}
