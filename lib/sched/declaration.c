// SPDX-License-Identifier: GPL-2.0-only
/* Checks of scheduler declarations. */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "ktstr/payload.h"
#include "sched/declaration.h"
#include "topology/constraints.h"

#define FILE_PLACEHOLDER "{file}"

const struct ktstr_scheduler KTSTR_SCHED_EEVDF = { .name = "eevdf" };

enum ktstr_scheduler_spec ktstr_scheduler_spec(const struct ktstr_scheduler *scheduler)
{
	if (scheduler->enable)
		return KTSTR_SCHEDULER_KERNEL_BUILTIN;
	if (!scheduler->binary)
		return KTSTR_SCHEDULER_EEVDF;
	return strchr(scheduler->binary, '/') ? KTSTR_SCHEDULER_PATH : KTSTR_SCHEDULER_DISCOVER;
}

const char *ktstr_scheduler_spec_name(const struct ktstr_scheduler *scheduler)
{
	switch (ktstr_scheduler_spec(scheduler)) {
	case KTSTR_SCHEDULER_EEVDF:
		return "eevdf";
	case KTSTR_SCHEDULER_KERNEL_BUILTIN:
		return "kernel";
	default:
		return scheduler->binary;
	}
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text))
			return false;
	return true;
}

static struct ktstr_error *check_strings(const char *const *strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		if (!*strings[i])
			return ktstr_error_new(KTSTR_ERR_INVALID, "entry %zu is empty", i + 1);
	return NULL;
}

struct ktstr_error *ktstr_scheduler_check_args(const char *const *args)
{
	for (size_t i = 0; args && args[i]; i++)
		if (strpbrk(args[i], "\r\n"))
			return ktstr_error_new(KTSTR_ERR_INVALID, "argument %zu has a line break", i + 1);
	return NULL;
}

static struct ktstr_error *check_karg(const char *karg)
{
	/* The first three carry our console, how much comes through it, and our init; the last are between ktstr and its agent. */
	static const char *const ours[] = { "console=", "loglevel=", "rdinit=", "KTSTR_" };

	if (!*karg || !is_printable(karg))
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" is not one word of printable ASCII", karg);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ktstr_str_starts_with(karg, ours[i]))
			return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" would override %s, which ktstr needs", karg, ours[i]);
	return NULL;
}

static struct ktstr_error *check_kargs(const char *const *kargs)
{
	for (size_t i = 0; kargs && kargs[i]; i++)
		KTSTR_TRY(check_karg(kargs[i]));
	return NULL;
}

static bool is_sysctl_key(const char *key)
{
	size_t length = strlen(key);

	return strchr(key, '.') && key[0] != '.' && key[length - 1] != '.' && !strstr(key, "..") &&
	       !strpbrk(key, "/=") && is_printable(key);
}

static struct ktstr_error *check_sysctls(const struct ktstr_sysctl *sysctls)
{
	for (; sysctls && sysctls->key; sysctls++) {
		if (!is_sysctl_key(sysctls->key))
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "key \"%s\": write it with dots, such as kernel.sched_schedstats", sysctls->key);
		if (!sysctls->value || !*sysctls->value || strpbrk(sysctls->value, "\r\n=\""))
			return ktstr_error_new(KTSTR_ERR_INVALID,
					       "%s: value \"%s\" must be one line, not empty, without '=' and quotes",
					       sysctls->key, sysctls->value ? sysctls->value : "");
	}
	return NULL;
}

struct ktstr_error *ktstr_cgroup_path_normalise(const char *path, char **normal)
{
	_cleanup_str_ struct ktstr_str text = { 0 };

	if (*path != '/')
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" does not begin with '/'", path);
	if (!is_printable(path))
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" has blanks or unprintable characters", path);
	for (const char *part = path; *part; part += strcspn(part, "/")) {
		size_t length;

		part += strspn(part, "/");
		length = strcspn(part, "/");
		if (length == 2 && !strncmp(part, "..", 2))
			return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" has \"..\" in it", path);
		if (length && !(length == 1 && *part == '.'))
			ktstr_str_addf(&text, "/%.*s", (int)length, part);
	}
	if (!text.length)
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" names no cgroup but the root", path);
	*normal = ktstr_str_take(&text);
	return NULL;
}

static struct ktstr_error *add_cgroup(const char *path, struct ktstr_strv *cgroups)
{
	_cleanup_free_ char *normal = NULL;

	KTSTR_TRY(ktstr_cgroup_path_normalise(path, &normal));
	if (!ktstr_strv_contains(cgroups, normal))
		ktstr_strv_add(cgroups, normal);
	return NULL;
}

struct ktstr_error *ktstr_scheduler_cgroups(const char *parent, const char *const *args, struct ktstr_strv *cgroups)
{
	static const char option[] = "--cell-parent-cgroup";
	const size_t length = sizeof(option) - 1;

	if (parent)
		KTSTR_TRY_WRAP(add_cgroup(parent, cgroups), ".cgroup_parent");
	for (size_t i = 0; args && args[i]; i++) {
		const char *value = NULL;

		if (!strcmp(args[i], option))
			value = args[i + 1];
		else if (!strncmp(args[i], option, length) && args[i][length] == '=')
			value = args[i] + length + 1;
		else
			continue;
		if (!value)
			return ktstr_error_new(KTSTR_ERR_INVALID, "%s has no value behind it", option);
		KTSTR_TRY_WRAP(add_cgroup(value, cgroups), "%s", option);
	}
	return NULL;
}

static struct ktstr_error *check_cgroups(const struct ktstr_scheduler *scheduler)
{
	_cleanup_strv_ struct ktstr_strv cgroups = { 0 };

	return ktstr_scheduler_cgroups(scheduler->cgroup_parent.text, scheduler->args, &cgroups);
}

static struct ktstr_error *check_config(const struct ktstr_scheduler *scheduler)
{
	const struct ktstr_config_file_def *def = &scheduler->config_file_def;
	bool named = false;

	if (scheduler->config_file && !*scheduler->config_file)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".config_file is empty");
	if (!def->guest_path && !def->args)
		return NULL;
	if (scheduler->config_file)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".config_file and .config_file_def exclude each other");
	if (!def->guest_path || def->guest_path[0] != '/' || strstr(def->guest_path, "/../") ||
	    ktstr_str_ends_with(def->guest_path, "/") || ktstr_str_ends_with(def->guest_path, "/.."))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".config_file_def.guest_path \"%s\" must be the absolute path of a file",
				       def->guest_path ? def->guest_path : "");
	for (size_t i = 0; def->args && def->args[i]; i++)
		named |= strstr(def->args[i], FILE_PLACEHOLDER) != NULL;
	if (!named)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".config_file_def.args has no " FILE_PLACEHOLDER " for the path of the file");
	return NULL;
}

static struct ktstr_error *check_kind(const struct ktstr_scheduler *scheduler)
{
	if (scheduler->binary && !*scheduler->binary)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".binary is empty; leave it out for EEVDF");
	if (scheduler->binary && (scheduler->enable || scheduler->disable))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".binary and .enable exclude each other: it is a program or built into the kernel");
	if (scheduler->disable && (!scheduler->enable || !scheduler->enable[0]))
		return ktstr_error_new(KTSTR_ERR_INVALID, ".disable without an .enable");
	if (scheduler->enable && !scheduler->enable[0])
		return ktstr_error_new(KTSTR_ERR_INVALID, ".enable is empty");
	if (!scheduler->binary && ((scheduler->args && scheduler->args[0]) || scheduler->config_file ||
				   scheduler->config_file_def.guest_path))
		return ktstr_error_new(KTSTR_ERR_INVALID, ".args, .config_file and .config_file_def need a .binary that reads them");
	return NULL;
}

static struct ktstr_error *check_fields(const struct ktstr_scheduler *scheduler)
{
	KTSTR_TRY(check_kind(scheduler));
	KTSTR_TRY_WRAP(check_strings(scheduler->enable), ".enable");
	KTSTR_TRY_WRAP(check_strings(scheduler->disable), ".disable");
	KTSTR_TRY_WRAP(ktstr_scheduler_check_args(scheduler->args), ".args");
	KTSTR_TRY_WRAP(check_kargs(scheduler->kargs), ".kargs");
	KTSTR_TRY_WRAP(check_sysctls(scheduler->sysctls), ".sysctls");
	KTSTR_TRY(check_cgroups(scheduler));
	KTSTR_TRY(check_config(scheduler));
	KTSTR_TRY_WRAP(check_strings(scheduler->include_files), ".include_files");
	KTSTR_TRY_WRAP(check_strings(scheduler->kernels), ".kernels");
	KTSTR_TRY_WRAP(ktstr_constraints_validate(&scheduler->constraints, NULL), ".constraints");
	KTSTR_TRY_WRAP(ktstr_assert_validate(&scheduler->checks), ".checks");
	return NULL;
}

struct ktstr_error *ktstr_scheduler_validate(const struct ktstr_scheduler *scheduler)
{
	if (!scheduler->name || !*scheduler->name)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a scheduler has no .name");
	KTSTR_TRY_WRAP(check_fields(scheduler), "scheduler %s", scheduler->name);
	return NULL;
}

static struct ktstr_error *check_staged(const struct ktstr_scheduler *scheduler)
{
	if (ktstr_scheduler_spec(scheduler) == KTSTR_SCHEDULER_EEVDF)
		return ktstr_error_new(KTSTR_ERR_INVALID, "it is EEVDF, which needs no staging: detach gives it");
	if (strchr(scheduler->name, '/') || scheduler->name[0] == '.' || !strcmp(scheduler->name, KTSTR_SCHED_EEVDF.name))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "its name becomes a directory: it must have no '/', not begin with '.', and not be eevdf");
	if ((scheduler->kargs && scheduler->kargs[0]) || (scheduler->sysctls && scheduler->sysctls[0].key))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".kargs and .sysctls take effect when the kernel boots: give them to the test's own .scheduler");
	if (scheduler->config_file_def.guest_path)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".config_file_def: the test's .config is for its own .scheduler; stage it with a .config_file");
	return NULL;
}

struct ktstr_error *ktstr_scheduler_validate_staged(const struct ktstr_scheduler *scheduler)
{
	KTSTR_TRY(ktstr_scheduler_validate(scheduler));
	KTSTR_TRY_WRAP(check_staged(scheduler), "scheduler %s", scheduler->name);
	return NULL;
}

/* Replaces each "{file}". */
static void add_template(const char *template, const char *path, struct ktstr_strv *args)
{
	_cleanup_str_ struct ktstr_str text = { 0 };

	for (const char *mark; (mark = strstr(template, FILE_PLACEHOLDER)); template = mark + strlen(FILE_PLACEHOLDER)) {
		ktstr_str_add_bytes(&text, template, (size_t)(mark - template));
		ktstr_str_add(&text, path);
	}
	ktstr_str_add(&text, template);
	ktstr_strv_add(args, ktstr_str_text(&text));
}

void ktstr_scheduler_config_args(const struct ktstr_scheduler *scheduler, struct ktstr_strv *args)
{
	const struct ktstr_config_file_def *def = &scheduler->config_file_def;

	if (scheduler->config_file) {
		const char *slash = strrchr(scheduler->config_file, '/');

		ktstr_strv_add(args, "--config");
		ktstr_strv_addf(args, KTSTR_INCLUDE_DIR "/%s", slash ? slash + 1 : scheduler->config_file);
	}
	for (size_t i = 0; def->guest_path && def->args[i]; i++)
		add_template(def->args[i], def->guest_path, args);
}
