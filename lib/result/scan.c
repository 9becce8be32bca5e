// SPDX-License-Identifier: GPL-2.0-only
/* Walks run directories for sidecars. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "result/result.h"
#include "result/scan.h"

void ktstr_scan_deinit(struct ktstr_scan *scan)
{
	for (size_t i = 0; i < scan->failures_count; i++) {
		free(scan->failures[i].path);
		free(scan->failures[i].error);
	}
	free(scan->failures);
	*scan = (struct ktstr_scan){ 0 };
}

bool ktstr_sidecar_name(const char *name)
{
	return *name != '.' && strstr(name, ".ktstr.") && ktstr_str_ends_with(name, ".json");
}

/* What the record is read with decides what a sidecar must have. */
struct ktstr_error *ktstr_sidecar_read(const char *path, json_t **sidecar)
{
	struct ktstr_test_result result;
	json_error_t parse_error;
	struct ktstr_error *error;

	*sidecar = NULL;
	if (access(path, R_OK))
		return ktstr_error_sys(errno, "cannot read it");
	*sidecar = json_load_file(path, 0, &parse_error);
	if (!*sidecar)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "line %d: %s", parse_error.line, parse_error.text);
	error = ktstr_result_from_json(*sidecar, &result);
	if (error) {
		json_decref(ktstr_take(*sidecar));
		return error;
	}
	ktstr_test_result_deinit(&result);
	return NULL;
}

static void add_failure(struct ktstr_scan *scan, const char *path, struct ktstr_error *error)
{
	scan->failures = ktstr_xrealloc(scan->failures, (scan->failures_count + 1) * sizeof(*scan->failures));
	scan->failures[scan->failures_count++] = (struct ktstr_scan_failure){
		ktstr_xstrdup(path),
		ktstr_xstrdup(ktstr_error_message(error)),
		ktstr_error_code(error) != KTSTR_ERR_CORRUPT,
	};
	ktstr_error_free(error);
}

struct scanner {
	ktstr_sidecar_fn visit;
	void *context;
	struct ktstr_scan *scan;
};

static struct ktstr_error *scan_file(struct scanner *scanner, const char *path)
{
	struct ktstr_error *error;
	json_t *sidecar;

	scanner->scan->walked++;
	error = ktstr_sidecar_read(path, &sidecar);
	if (error) {
		add_failure(scanner->scan, path, error);
		return NULL;
	}
	scanner->scan->valid++;
	error = scanner->visit(scanner->context, path, sidecar);
	json_decref(sidecar);
	return error;
}

static struct ktstr_error *scan_dir(struct scanner *scanner, const char *dir, bool descend)
{
	struct dirent **entries;
	struct ktstr_error *error = NULL;
	int count = scandir(dir, &entries, NULL, alphasort);

	if (count < 0)
		return ktstr_error_sys(errno, "cannot list %s", dir);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);
		struct stat status;

		if (!error && *name != '.' && !stat(path, &status)) {
			if (S_ISREG(status.st_mode) && ktstr_sidecar_name(name))
				error = scan_file(scanner, path);
			else if (S_ISDIR(status.st_mode) && descend)
				error = scan_dir(scanner, path, false);
		}
		free(entries[i]);
	}
	free(entries);
	return error;
}

struct ktstr_error *ktstr_scan_sidecars(const char *dir, ktstr_sidecar_fn visit, void *context,
					struct ktstr_scan *scan)
{
	struct scanner scanner = { visit, context, scan };

	*scan = (struct ktstr_scan){ 0 };
	return scan_dir(&scanner, dir, true);
}
