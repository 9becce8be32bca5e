// SPDX-License-Identifier: GPL-2.0-only
/* The cgroup manager: its directory, the controllers in it, and creating cgroups. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cgroup/manager.h"

struct ktstr_error *cgroup_path(const struct ktstr_cgroup_manager *manager, const char *name,
				const char *file, char **path)
{
	KTSTR_TRY(ktstr_cgroup_check_name(name));
	*path = ktstr_xasprintf("%s/%s%s%s", manager->parent, name, file ? "/" : "",
				file ? file : "");
	return NULL;
}

static bool is_cgroup_dir(const char *dir)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/cgroup.controllers", dir);

	return ktstr_path_exists(path);
}

/* The topmost directory on the way to `path` that is a cgroup, NULL when none is. Heap. */
static char *find_root(const char *path)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *dir = ktstr_xstrndup(path, (size_t)(slash - path));

		if (is_cgroup_dir(dir))
			return ktstr_take(dir);
	}
	return NULL;
}

static struct ktstr_error *check_parent(const char *parent)
{
	_cleanup_error_ struct ktstr_error *error = NULL;

	if (*parent == '/')
		error = ktstr_cgroup_check_name(parent + 1);
	if (*parent == '/' && !error)
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_INVALID,
		"cgroup directory \"%s\" is not a plain absolute path: write one such as %s",
		parent, KTSTR_CGROUP_DEFAULT_PARENT);
}

struct ktstr_error *ktstr_cgroup_manager_create(const char *parent,
						struct ktstr_cgroup_manager **manager)
{
	struct ktstr_cgroup_manager *made;
	char *root;

	if (!parent)
		parent = KTSTR_CGROUP_DEFAULT_PARENT;
	KTSTR_TRY(check_parent(parent));
	root = find_root(parent);
	if (!root)
		return ktstr_error_new(
			KTSTR_ERR_UNSUPPORTED,
			"no cgroup2 tree is mounted above %s: `mount -t cgroup2 none "
			"/sys/fs/cgroup`, or name a directory below an existing mount",
			parent);
	made = ktstr_xcalloc(1, sizeof(*made));
	made->parent = ktstr_xstrdup(parent);
	made->root = root;
	*manager = made;
	return NULL;
}

struct ktstr_error *ktstr_cgroup_manager_set_walk_root(struct ktstr_cgroup_manager *manager, const char *dir)
{
	size_t length = strlen(dir);

	if (!ktstr_str_starts_with(manager->parent, dir) || manager->parent[length] != '/')
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is not above the cgroup directory %s: name one that is", dir,
				       manager->parent);
	if (!is_cgroup_dir(dir))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s is no cgroup: create it first", dir);
	free(manager->root);
	manager->root = ktstr_xstrdup(dir);
	return NULL;
}

void ktstr_cgroup_manager_destroy(struct ktstr_cgroup_manager *manager)
{
	if (!manager)
		return;
	free(manager->parent);
	free(manager->root);
	ktstr_strv_deinit(&manager->controllers);
	ktstr_strv_deinit(&manager->failed);
	free(manager);
}

/* Whether the blank-separated list in a cgroup file has the word; unreadable = no. */
static bool file_lists(const char *path, const char *word)
{
	_cleanup_free_ char *line = ktstr_read_line(path);
	char *rest = NULL;

	for (char *item = line ? strtok_r(line, " \n", &rest) : NULL; item;
	     item = strtok_r(NULL, " \n", &rest))
		if (!strcmp(item, word))
			return true;
	return false;
}

/* One write for each missing controller, so that a refusal names the one. */
struct ktstr_error *cgroup_enable_controllers(const struct ktstr_cgroup_manager *manager,
					      const char *dir)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/cgroup.subtree_control", dir);

	for (size_t i = 0; i < manager->controllers.count; i++) {
		const char *controller = manager->controllers.items[i];
		_cleanup_free_ char *text = ktstr_xasprintf("+%s", controller);
		struct ktstr_error *error;

		if (file_lists(path, controller))
			continue;
		error = cgroup_write(path, text);
		if (ktstr_error_errno(error) == EBUSY)
			return ktstr_error_wrap(
				error,
				"cannot enable controller %s below %s: processes are in "
				"%s itself, move them to a child of it",
				controller, dir, dir);
		if (error)
			return ktstr_error_wrap(error, "cannot enable controller %s below %s",
						controller, dir);
	}
	return NULL;
}

static struct ktstr_error *make_dir(const char *dir)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		return ktstr_error_sys(errno, "cannot create cgroup %s", dir);
	return NULL;
}

/*
 * Creates what is missing on the way from `from` (exists) to `to` (below it), each with the
 * controllers enabled by the one above.
 */
static struct ktstr_error *make_path(const struct ktstr_cgroup_manager *manager, const char *from,
				     const char *to)
{
	_cleanup_free_ char *dir = ktstr_xstrdup(to);
	char *slash = dir + strlen(from);

	while (slash) {
		*slash = '\0';
		KTSTR_TRY(cgroup_enable_controllers(manager, dir));
		*slash = '/';
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		KTSTR_TRY(make_dir(dir));
	}
	return NULL;
}

struct ktstr_error *ktstr_cgroup_setup(struct ktstr_cgroup_manager *manager,
				       const char *const *controllers, size_t count)
{
	_cleanup_free_ char *available = ktstr_xasprintf("%s/cgroup.controllers", manager->root);

	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *all = NULL;

		if (file_lists(available, controllers[i]))
			continue;
		all = ktstr_read_line(available);
		return ktstr_error_new(
			KTSTR_ERR_UNSUPPORTED,
			"%s has no controller %s (it has: %s): the kernel lacks it, or a "
			"cgroup v1 mount uses it",
			available, controllers[i], all && *all ? all : "none");
	}
	for (size_t i = 0; i < count; i++)
		if (!ktstr_strv_contains(&manager->controllers, controllers[i]))
			ktstr_strv_add(&manager->controllers, controllers[i]);
	KTSTR_TRY(make_path(manager, manager->root, manager->parent));
	return cgroup_enable_controllers(manager, manager->parent);
}

struct ktstr_error *ktstr_cgroup_create(struct ktstr_cgroup_manager *manager, const char *name)
{
	_cleanup_free_ char *dir = NULL;

	KTSTR_TRY(cgroup_path(manager, name, NULL, &dir));
	return make_path(manager, manager->parent, dir);
}

struct ktstr_error *cgroup_need_controller(struct ktstr_cgroup_manager *manager, const char *name,
					   const char *controller)
{
	_cleanup_free_ char *dir = NULL;
	_cleanup_free_ char *path = NULL;

	KTSTR_TRY(cgroup_path(manager, name, NULL, &dir));
	path = ktstr_xasprintf("%s/cgroup.controllers", dir);
	if (!ktstr_path_exists(path) || file_lists(path, controller)) /* without the cgroup the write will say so */
		return NULL;
	KTSTR_TRY_WRAP(ktstr_cgroup_setup(manager, &controller, 1), "cgroup %s needs the controller %s", name, controller);
	return make_path(manager, manager->parent, dir);
}

bool ktstr_cgroup_exists(struct ktstr_cgroup_manager *manager, const char *name)
{
	_cleanup_free_ char *dir = NULL;
	_cleanup_error_ struct ktstr_error *error = cgroup_path(manager, name, NULL, &dir);

	return !error && ktstr_path_exists(dir);
}

struct ktstr_error *ktstr_cgroup_file(struct ktstr_cgroup_manager *manager, const char *name, const char *file,
				      char **path)
{
	return cgroup_path(manager, name, file, path);
}

struct ktstr_error *ktstr_cgroup_clear_subtree_control(struct ktstr_cgroup_manager *manager, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *line = NULL;
	char *rest = NULL;

	KTSTR_TRY(cgroup_path(manager, name, "cgroup.subtree_control", &path));
	KTSTR_TRY(ktstr_read_file(path, &line, NULL));
	for (char *item = strtok_r(line, " \n", &rest); item; item = strtok_r(NULL, " \n", &rest)) {
		_cleanup_free_ char *text = ktstr_xasprintf("-%s", item);

		KTSTR_TRY(cgroup_write(path, text));
	}
	return NULL;
}
