// SPDX-License-Identifier: GPL-2.0-only
/* Finds the files that tests want in their guests, and packs them. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "ktstr/payload.h"
#include "payload/payload.h"
#include "runner/includes.h"

KTSTR_DEFINE_CLEANUP(FTS *, cleanup_fts, fts_close)

void ktstr_include_spec_deinit(struct ktstr_include_spec *spec)
{
	free(spec->spec);
	free(spec->owner);
	free(spec->package);
}

void ktstr_includes_deinit(struct ktstr_includes *includes)
{
	for (size_t i = 0; i < includes->count; i++) {
		free(includes->items[i].guest_path);
		free(includes->items[i].host_path);
		free(includes->items[i].owner);
	}
	free(includes->items);
	*includes = (struct ktstr_includes){ 0 };
}

struct ktstr_error *ktstr_includes_check(const struct ktstr_include *a, const struct ktstr_include *b)
{
	if (strcmp(a->guest_path, b->guest_path) || !strcmp(a->host_path, b->host_path))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID, "%s (%s) and %s (%s) would both be %s in the guest; rename one",
			       a->host_path, a->owner, b->host_path, b->owner, a->guest_path);
}

struct ktstr_error *ktstr_includes_add_file(struct ktstr_includes *includes, const char *guest_path,
					    const char *host_path, const char *owner)
{
	const struct ktstr_include wanted = { (char *)guest_path, (char *)host_path, (char *)owner };

	for (size_t i = 0; i < includes->count; i++) {
		KTSTR_TRY(ktstr_includes_check(&includes->items[i], &wanted));
		if (!strcmp(includes->items[i].guest_path, guest_path))
			return NULL;
	}
	includes->items = ktstr_xrealloc(includes->items, (includes->count + 1) * sizeof(*includes->items));
	includes->items[includes->count++] = (struct ktstr_include){
		ktstr_xstrdup(guest_path), ktstr_xstrdup(host_path), ktstr_xstrdup(owner)
	};
	return NULL;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static struct ktstr_error *add_directory(struct ktstr_includes *includes, const char *guest_dir, const char *host_dir,
					 const char *owner)
{
	char *roots[] = { (char *)host_dir, NULL };
	_cleanup_(cleanup_fts) FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;

	if (!tree)
		return ktstr_error_sys(errno, "cannot read %s", host_dir);
	while ((entry = fts_read(tree))) {
		_cleanup_free_ char *guest_path =
			ktstr_xasprintf("%s%s", guest_dir, entry->fts_path + strlen(host_dir));

		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR)
			return ktstr_error_sys(entry->fts_errno, "cannot read %s", entry->fts_path);
		if (entry->fts_info == FTS_DC)
			return ktstr_error_new(KTSTR_ERR_INVALID, "%s leads back into itself", entry->fts_path);
		if (entry->fts_info == FTS_F)
			KTSTR_TRY(ktstr_includes_add_file(includes, guest_path, entry->fts_path, owner));
	}
	return NULL;
}

static bool is_elf_executable(const char *path, const struct stat *st)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[4] = { 0 };

	return (st->st_mode & 0111) && fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) &&
	       !memcmp(magic, "\177ELF", sizeof(magic));
}

/* Says who has it, when that is known. */
static struct ktstr_error *add_remedy(struct ktstr_error *error, const struct ktstr_include_spec *spec)
{
	struct ktstr_error *said;

	if (ktstr_error_code(error) != KTSTR_ERR_NOT_FOUND || !spec->package)
		return ktstr_error_wrap(error, "%s", spec->owner);
	said = ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s: %s; the package %s has it: apt-get install %s", spec->owner,
			       ktstr_error_message(error), spec->package, spec->package);
	ktstr_error_free(error);
	return said;
}

struct ktstr_error *ktstr_includes_add(struct ktstr_includes *includes, const struct ktstr_include_spec *spec,
				       const char *beside_dir)
{
	_cleanup_free_ char *host_path = NULL;
	_cleanup_free_ char *guest_path = NULL;
	/* The name in the guest is that of the spec: "sh" stays "sh", whatever it links to. */
	_cleanup_free_ char *plain = ktstr_xstrdup(spec->spec);
	struct ktstr_error *error = ktstr_include_find(spec->spec, beside_dir, &host_path);
	const char *slash;
	struct stat st;

	if (error)
		return add_remedy(error, spec);
	while (ktstr_str_ends_with(plain, "/"))
		plain[strlen(plain) - 1] = '\0';
	slash = strrchr(plain, '/');
	guest_path = ktstr_xasprintf(KTSTR_INCLUDE_DIR "/%s", slash ? slash + 1 : plain);
	if (stat(host_path, &st))
		return ktstr_error_sys(errno, "%s: %s", spec->owner, host_path);
	if (spec->program && !is_elf_executable(host_path, &st))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s: %s is not an ELF executable: the guest has nothing that would interpret it",
				       spec->owner, host_path);
	if (S_ISDIR(st.st_mode))
		error = add_directory(includes, guest_path, host_path, spec->owner);
	else
		error = ktstr_includes_add_file(includes, guest_path, host_path, spec->owner);
	return error ? ktstr_error_wrap(error, "%s", spec->owner) : NULL;
}

struct ktstr_error *ktstr_includes_bundle(const struct ktstr_includes *includes, struct ktstr_bundle *bundle)
{
	for (size_t i = 0; i < includes->count; i++) {
		const struct ktstr_include *item = &includes->items[i];
		struct ktstr_error *error;
		struct stat st;

		if (stat(item->host_path, &st))
			return ktstr_error_sys(errno, "%s: %s", item->owner, item->host_path);
		if (is_elf_executable(item->host_path, &st))
			error = ktstr_bundle_add_program(bundle, item->guest_path, item->host_path);
		else
			error = ktstr_bundle_add_file(bundle, item->guest_path, item->host_path, st.st_mode & 0777);
		if (error)
			return ktstr_error_wrap(error, "%s", item->owner);
	}
	return NULL;
}
