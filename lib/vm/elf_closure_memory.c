// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remembers the libraries of programs as long as neither the program nor one of them changes: a run asks several times
 * for those of its program and its scheduler, and each answer of a loader takes a process. Forked runs inherit what is
 * known. Only paths are remembered; what is in the files is read whenever they are packed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "vm/bundle.h"
#include "vm/elf_closure.h"

struct closure {
	struct closure *next;
	char *program, *search_path;
	struct ktstr_strv paths;
	struct stat *identities; /* of the program, then of each path */
};

static struct closure *known;

static bool is_same(const char *path, const struct stat *before)
{
	struct stat now;

	return !stat(path, &now) && now.st_dev == before->st_dev && now.st_ino == before->st_ino &&
	       now.st_size == before->st_size && !memcmp(&now.st_mtim, &before->st_mtim, sizeof(now.st_mtim)) &&
	       !memcmp(&now.st_ctim, &before->st_ctim, sizeof(now.st_ctim));
}

static bool is_valid(const struct closure *closure)
{
	bool valid = is_same(closure->program, &closure->identities[0]);

	for (size_t i = 0; i < closure->paths.count && valid; i++)
		valid = is_same(closure->paths.items[i], &closure->identities[i + 1]);
	return valid;
}

static void forget(struct closure *closure)
{
	free(closure->program);
	free(closure->search_path);
	free(closure->identities);
	ktstr_strv_deinit(&closure->paths);
	free(closure);
}

/* Where loaders look for libraries first. */
static const char *search_path(void)
{
	const char *path = ktstr_env("LD_LIBRARY_PATH");

	return path ? path : "";
}

/* NULL when it is not known; what is no longer true is forgotten. */
static const struct closure *recall(const char *program)
{
	for (struct closure **link = &known; *link; link = &(*link)->next) {
		struct closure *closure = *link;

		if (strcmp(closure->program, program) || strcmp(closure->search_path, search_path()))
			continue;
		if (is_valid(closure))
			return closure;
		*link = closure->next;
		forget(closure);
		return NULL;
	}
	return NULL;
}

/* One that changes while it is looked at is not remembered. */
static void remember(const char *program, const struct stat *identity, const struct ktstr_strv *paths)
{
	struct closure *closure = ktstr_xcalloc(1, sizeof(*closure));
	bool found = true;

	closure->program = ktstr_xstrdup(program);
	closure->search_path = ktstr_xstrdup(search_path());
	closure->identities = ktstr_xcalloc(paths->count + 1, sizeof(*closure->identities));
	closure->identities[0] = *identity;
	for (size_t i = 0; i < paths->count; i++) {
		ktstr_strv_add(&closure->paths, paths->items[i]);
		found &= !stat(paths->items[i], &closure->identities[i + 1]);
	}
	if (!found || !is_valid(closure)) {
		forget(closure);
		return;
	}
	closure->next = known;
	known = closure;
}

struct ktstr_error *ktstr_elf_closure(const char *host_path, struct ktstr_strv *paths)
{
	_cleanup_strv_ struct ktstr_strv listed = { 0 };
	const struct closure *closure = recall(host_path);
	const struct ktstr_strv *found = &listed;
	struct stat identity = { 0 };

	if (closure) {
		found = &closure->paths;
	} else {
		bool is_there = !stat(host_path, &identity);

		KTSTR_TRY(ktstr_elf_closure_list(host_path, &listed));
		if (is_there)
			remember(host_path, &identity, &listed);
	}
	for (size_t i = 0; i < found->count; i++)
		ktstr_strv_add(paths, found->items[i]);
	return NULL;
}
