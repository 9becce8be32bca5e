// SPDX-License-Identifier: GPL-2.0-only
/* Finds the scheduler binary. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "sched/resolve.h"

void ktstr_sched_choice_deinit(struct ktstr_sched_choice *choice)
{
	free(choice->label);
	free(choice->path);
	ktstr_strv_deinit(&choice->args);
	ktstr_strv_deinit(&choice->cgroups);
	*choice = (struct ktstr_sched_choice){ 0 };
}

static struct ktstr_error *take_path(const char *path, const char *source,
				     struct ktstr_sched_choice *choice)
{
	char *absolute = realpath(path, NULL);
	struct stat st;

	if (!absolute)
		return errno == ENOENT ?
			       ktstr_error_new(KTSTR_ERR_NOT_FOUND,
					       "scheduler %s: No such file or directory; correct the path, or build it first",
					       path) :
			       ktstr_error_sys(errno, "scheduler %s", path);
	choice->path = absolute;
	choice->resolve_source = source;
	if (stat(absolute, &st) || S_ISDIR(st.st_mode))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "scheduler %s is a directory: name the binary in it", path);
	if (access(absolute, R_OK))
		return ktstr_error_sys(errno, "scheduler %s cannot be read", path);
	return NULL;
}

/* "scx-simple" -> KTSTR_SCHEDULER_BIN_SCX_SIMPLE */
static char *variable_of(const char *name)
{
	char *variable = ktstr_xasprintf("KTSTR_SCHEDULER_BIN_%s", name);

	for (char *c = variable; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return variable;
}

static bool try_dir(const char *dir, size_t dir_length, const char *name, struct ktstr_strv *tried,
		    char **found)
{
	_cleanup_free_ char *in = ktstr_xstrndup(dir, dir_length);
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", in, name);

	if (!ktstr_strv_contains(tried, in))
		ktstr_strv_add(tried, in);
	if (access(path, X_OK))
		return false;
	*found = ktstr_take(path);
	return true;
}

static char *search(const char *name, const struct ktstr_strv *dirs, struct ktstr_strv *tried)
{
	_cleanup_free_ char *exe_dir = ktstr_exe_dir();
	const char *path = ktstr_env("PATH");
	char *found = NULL;

	for (size_t i = 0; dirs && i < dirs->count; i++)
		if (try_dir(dirs->items[i], strlen(dirs->items[i]), name, tried, &found))
			return found;
	if (try_dir(exe_dir, strlen(exe_dir), name, tried, &found))
		return found;
	while (path && *path) {
		size_t length = strcspn(path, ":");

		if (length && try_dir(path, length, name, tried, &found))
			return found;
		path += length + (path[length] == ':');
	}
	return NULL;
}

static struct ktstr_error *resolve_name(const char *name, const struct ktstr_strv *dirs,
					struct ktstr_sched_choice *choice)
{
	_cleanup_free_ char *variable = variable_of(name);
	const char *variables[] = { variable, "KTSTR_SCHEDULER" };
	_cleanup_strv_ struct ktstr_strv tried = { 0 };
	_cleanup_str_ struct ktstr_str places = { 0 };
	_cleanup_free_ char *found = NULL;

	for (size_t i = 0; i < 2; i++) {
		const char *path = ktstr_env(variables[i]);

		if (path)
			KTSTR_TRY_WRAP(take_path(path, "env_var", choice), "$%s", variables[i]);
		if (path)
			return NULL;
	}
	found = search(name, dirs, &tried);
	for (size_t i = 0; !found && i < tried.count; i++)
		ktstr_str_addf(&places, "%s%s", i ? ", " : "", tried.items[i]);
	if (!found)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "no scheduler \"%s\" in %s; %s%s, or set %s=/path/to/it", name, ktstr_str_text(&places),
				       access(name, F_OK) ? "give a path" : "the file in this directory is ./",
				       access(name, F_OK) ? "" : name, variable);
	return take_path(found, "path_lookup", choice);
}

struct ktstr_error *ktstr_sched_resolve(const char *binary, const char *label,
					const struct ktstr_strv *search_dirs,
					struct ktstr_sched_choice *choice)
{
	const char *slash;

	*choice = (struct ktstr_sched_choice){ 0 };
	if (!binary || !*binary || !strcmp(binary, "eevdf")) {
		choice->label = ktstr_xstrdup("eevdf");
		return NULL;
	}
	slash = strrchr(binary, '/');
	choice->label = ktstr_xstrdup(label ? label : slash ? slash + 1 : binary);
	return slash ? take_path(binary, "path", choice) : resolve_name(binary, search_dirs, choice);
}

const char *ktstr_sched_verifier_log(const char *log)
{
	return log ? strstr(log, "BEGIN PROG LOAD LOG") : NULL;
}
