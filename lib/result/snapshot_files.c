// SPDX-License-Identifier: GPL-2.0-only
/* Captures as files beside the sidecar, and their removal before a variant runs again. */
#include <ctype.h>
#include <glob.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "result/internal.h"

enum { TAG_MAX_BYTES = 64 };

/* A tag as part of a file name: what is not [A-Za-z0-9._-] becomes '_'. */
static void clean_tag(const char *tag, char out[TAG_MAX_BYTES + 1])
{
	size_t i;

	for (i = 0; tag[i] && i < TAG_MAX_BYTES; i++)
		out[i] = isalnum((unsigned char)tag[i]) || strchr("._-", tag[i]) ? tag[i] : '_';
	out[i] = '\0';
}

/* Tags that only differ in what a file name cannot have must not share a file. */
static char *unused_name(const char *stem, const char *tag, const struct ktstr_strv *used)
{
	char clean[TAG_MAX_BYTES + 1];
	char *name;

	clean_tag(tag, clean);
	name = ktstr_xasprintf("%s.snapshot.%s.json", stem, clean);
	for (unsigned int n = 2; ktstr_strv_contains(used, name); n++) {
		free(name);
		name = ktstr_xasprintf("%s.snapshot.%s~%u.json", stem, clean, n);
	}
	return name;
}

static struct ktstr_error *store_report(const char *dir, const char *name, const json_t *report)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s/%s", dir, name);
	_cleanup_free_ char *text = json_dumps(report, JSON_INDENT(1));

	if (!text)
		return ktstr_error_new(KTSTR_ERR_NO_MEMORY, "cannot write a capture as JSON");
	return ktstr_write_file_atomic(path, text, strlen(text));
}

struct ktstr_error *ktstr_store_snapshots(const char *dir, const char *stem, json_t *captures)
{
	_cleanup_strv_ struct ktstr_strv used = { 0 };
	json_t *snapshot;
	size_t i;

	json_array_foreach(json_object_get(captures, "snapshots"), i, snapshot) {
		const char *tag = json_string_value(json_object_get(snapshot, "tag"));
		const json_t *report = json_object_get(snapshot, "report");
		_cleanup_free_ char *name = NULL;

		if (!tag || !report)
			continue; /* stored before */
		name = unused_name(stem, tag, &used);
		KTSTR_TRY(store_report(dir, name, report));
		ktstr_strv_add(&used, name);
		json_object_set_new(snapshot, "file", json_string(name));
		json_object_del(snapshot, "report");
	}
	return NULL;
}

/* A stem has no character that glob() gives a meaning: see ktstr_path_component(). */
void ktstr_result_discard_dumps(const char *run_dir, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *stem = ktstr_result_file_stem(result);
	_cleanup_free_ char *dump = ktstr_xasprintf("%s/%s" KTSTR_DUMP_SUFFIX, run_dir, stem);
	_cleanup_free_ char *pattern = ktstr_xasprintf("%s/%s.snapshot.*.json", run_dir, stem);
	glob_t found;

	unlink(dump);
	if (glob(pattern, GLOB_NOSORT, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}
