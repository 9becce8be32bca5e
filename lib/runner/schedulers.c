// SPDX-License-Identifier: GPL-2.0-only
/* From what a test declares, and what the command line says instead, to the schedulers of a run. */
#include <string.h>

#include "base/cleanup.h"
#include "guest/job.h"
#include "runner/runner.h"
#include "sched/declaration.h"

static char *program_dir(const struct ktstr_run *run)
{
	const char *path = run->program->path;

	return ktstr_xstrndup(path, (size_t)(strrchr(path, '/') - path));
}

static struct ktstr_error *resolve(const struct ktstr_run *run, const char *binary, const struct ktstr_sched_info *info,
				   struct ktstr_sched_choice *choice)
{
	_cleanup_strv_ struct ktstr_strv beside = { 0 };
	_cleanup_free_ char *dir = program_dir(run);

	ktstr_strv_add(&beside, dir);
	KTSTR_TRY(ktstr_sched_resolve(binary, info ? info->name : NULL, &beside, choice));
	choice->info = info;
	return NULL;
}

static struct ktstr_error *take_args(const char *const *args, struct ktstr_sched_choice *choice)
{
	for (; args && *args; args++)
		ktstr_strv_add(&choice->args, *args);
	return ktstr_scheduler_cgroups(choice->info ? choice->info->cgroup_parent : NULL,
				       (const char *const *)choice->args.items, &choice->cgroups);
}

static struct ktstr_error *find_includes(const struct ktstr_run *run, const struct ktstr_sched_choice *choice,
					 struct ktstr_includes *includes)
{
	_cleanup_free_ char *owner = ktstr_xasprintf("scheduler %s", choice->label);
	_cleanup_free_ char *beside = program_dir(run);

	for (size_t i = 0; choice->info && i < choice->info->includes.count; i++) {
		struct ktstr_include_spec spec = { .spec = choice->info->includes.items[i], .owner = owner };

		KTSTR_TRY(ktstr_includes_add(includes, &spec, beside));
	}
	return NULL;
}

static struct ktstr_error *check_kernel_filters(const struct ktstr_sched_choice *choice)
{
	for (size_t i = 0; choice->info && i < choice->info->kernels.count; i++)
		KTSTR_TRY_WRAP(ktstr_kernel_filter_check(choice->info->kernels.items[i]), "scheduler %s: .kernels",
			       choice->label);
	return NULL;
}

static struct ktstr_error *choose_staged(struct ktstr_run *run)
{
	run->staged = ktstr_xcalloc(run->test->staged_count + 1, sizeof(*run->staged));
	for (size_t i = 0; i < run->test->staged_count; i++) {
		const struct ktstr_sched_info *info = &run->test->staged[i];
		struct ktstr_sched_choice *choice = &run->staged[run->staged_count++];

		KTSTR_TRY(resolve(run, info->binary, info, choice));
		free(choice->label);
		choice->label = ktstr_xstrdup(info->name);
		KTSTR_TRY(take_args((const char *const *)info->args.items, choice));
		KTSTR_TRY(find_includes(run, choice, &run->includes));
		KTSTR_TRY(check_kernel_filters(choice));
	}
	return NULL;
}

static struct ktstr_error *choose_own(struct ktstr_run *run, const char *binary, bool declared, char *const *args)
{
	const struct ktstr_sched_info *info = declared ? &run->test->scheduler : NULL;
	struct ktstr_sched_choice *choice = &run->scheduler;

	KTSTR_TRY(resolve(run, binary ? binary : info->binary, info, choice));
	if (info && info->enable.count) {
		free(choice->label);
		choice->label = ktstr_xstrdup(info->name);
	}
	KTSTR_TRY(take_args(binary ? (const char *const *)args : (const char *const *)info->args.items, choice));
	KTSTR_TRY(find_includes(run, choice, &run->scheduler_includes));
	KTSTR_TRY(check_kernel_filters(choice));
	for (size_t i = 0; info && i < info->kargs.count; i++)
		ktstr_strv_add(&run->kargs, info->kargs.items[i]);
	for (size_t i = 0; info && i < info->sysctls.count; i++)
		ktstr_strv_add(&run->sysctls, info->sysctls.items[i]);
	return NULL;
}

struct ktstr_error *ktstr_run_choose_schedulers(struct ktstr_run *run, const char *binary, bool declared,
						char *const *args)
{
	run->declared = declared || !binary;
	KTSTR_TRY_WRAP(choose_own(run, binary, run->declared, args), "test %s", run->test->name);
	KTSTR_TRY_WRAP(choose_staged(run), "test %s: .staged_schedulers", run->test->name);
	if (run->test->nokaslr)
		ktstr_strv_add(&run->kargs, "nokaslr");
	return NULL;
}

/* A value with blanks goes in quotes, as the kernel's parser takes them. */
char *ktstr_run_kernel_words(const struct ktstr_run *run)
{
	struct ktstr_str words = { 0 };

	if (!run->sysctls.count && !run->kargs.count)
		return NULL;
	for (size_t i = 0; i < run->sysctls.count; i++) {
		const char *key = run->sysctls.items[i], *value = strchr(key, '=') + 1;
		const char *quote = strpbrk(value, " \t") ? "\"" : "";

		ktstr_str_addf(&words, "%ssysctl.%.*s%s%s%s", words.length ? " " : "", (int)(value - key), key, quote, value,
			       quote);
	}
	for (size_t i = 0; i < run->kargs.count; i++)
		ktstr_str_addf(&words, "%s%s", words.length ? " " : "", run->kargs.items[i]);
	return ktstr_str_take(&words);
}

static char *refuses_kernel(const struct ktstr_sched_choice *choice, const struct ktstr_kernel *kernel)
{
	_cleanup_str_ struct ktstr_str filters = { 0 };

	if (!choice->info || !choice->info->kernels.count)
		return NULL;
	for (size_t i = 0; i < choice->info->kernels.count; i++) {
		if (ktstr_kernel_filter_matches(choice->info->kernels.items[i], kernel))
			return NULL;
		ktstr_str_addf(&filters, "%s%s", i ? ", " : "", choice->info->kernels.items[i]);
	}
	return ktstr_xasprintf("scheduler %s is for kernels %s, this is %s", choice->label, ktstr_str_text(&filters),
			       kernel->version);
}

char *ktstr_run_refuses(const struct ktstr_run *run, const struct ktstr_kernel *kernel)
{
	char *reason = run->refusal ? ktstr_xstrdup(run->refusal) : refuses_kernel(&run->scheduler, kernel);

	for (size_t i = 0; !reason && i < run->staged_count; i++)
		reason = refuses_kernel(&run->staged[i], kernel);
	return reason;
}
