// SPDX-License-Identifier: GPL-2.0-only
/*
 * Publishes a result in a run directory: the logs first, the sidecar that refers to them last, each
 * by rename, so that whoever reads the directory meanwhile sees whole files only.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "result/internal.h"

enum { MAX_NAME_BYTES = 160 }; /* with hash and suffixes within the 255 of a file name */

char *ktstr_result_file_stem(const struct ktstr_test_result *result)
{
	const char *name = result->test_name ?: "unknown";
	_cleanup_free_ char *component = ktstr_path_component(name);
	/* Seeds are repetitions of one variant, each worth keeping. */
	_cleanup_free_ char *seed = result->deterministic ?
					    ktstr_xasprintf("-seed%llu", (unsigned long long)result->seed) :
					    ktstr_xstrdup("");
	uint64_t hash = ktstr_variant_hash(&(struct ktstr_variant){
		.topology = result->topology,
		.scheduler = result->scheduler,
		.scheduler_args = &result->scheduler_args,
		.payload = result->payload,
		.work_type = result->work_type,
		.kargs = &result->kargs,
		.sysctls = &result->sysctls,
	});

	if (strlen(component) <= MAX_NAME_BYTES && !strcmp(component, name))
		return ktstr_xasprintf("%s-%016llx%s", component, (unsigned long long)hash, seed);
	/* Two names that a file name cannot tell apart must not become one file. */
	return ktstr_xasprintf("%.*s-%08x-%016llx%s", MAX_NAME_BYTES, component,
			       (unsigned int)ktstr_siphash13(name, strlen(name)),
			       (unsigned long long)hash, seed);
}

/* Stores a log, or removes the one of an earlier run of the same variant when there is none now. */
static struct ktstr_error *store_log(const char *path, const char *text, size_t length,
				     char **stored_path)
{
	free(ktstr_take(*stored_path));
	if (!text || !length) {
		if (unlink(path) && errno != ENOENT)
			return ktstr_error_sys(errno, "cannot remove %s", path);
		return NULL;
	}
	KTSTR_TRY(ktstr_write_file_atomic(path, text, length));
	*stored_path = ktstr_xstrdup(path);
	return NULL;
}

static struct ktstr_error *store_sidecar(const char *path, const struct ktstr_test_result *result)
{
	json_t *json = ktstr_result_to_json(result);
	_cleanup_free_ char *text = json_dumps(json, JSON_INDENT(2));
	_cleanup_free_ char *line = text ? ktstr_xasprintf("%s\n", text) : NULL;

	json_decref(json);
	if (!line)
		return ktstr_error_new(KTSTR_ERR_NO_MEMORY, "cannot write the result as JSON");
	return ktstr_write_file_atomic(path, line, strlen(line));
}

static struct ktstr_error *store_all(const char *run_dir, struct ktstr_test_result *result)
{
	_cleanup_free_ char *stem = ktstr_result_file_stem(result);
	_cleanup_free_ char *console = ktstr_xasprintf("%s/%s" KTSTR_CONSOLE_SUFFIX, run_dir, stem);
	_cleanup_free_ char *log =
		ktstr_xasprintf("%s/%s" KTSTR_SCHEDULER_LOG_SUFFIX, run_dir, stem);
	_cleanup_free_ char *output = ktstr_xasprintf("%s/%s" KTSTR_OUTPUT_SUFFIX, run_dir, stem);
	_cleanup_free_ char *trace = ktstr_xasprintf("%s/%s" KTSTR_TRACE_SUFFIX, run_dir, stem);
	_cleanup_free_ char *dump = ktstr_xasprintf("%s/%s" KTSTR_DUMP_SUFFIX, run_dir, stem);
	_cleanup_free_ char *trace_path = NULL;
	_cleanup_close_ int lock = -1;

	KTSTR_TRY(ktstr_run_dir_lock_shared(run_dir, &lock));
	KTSTR_TRY(
		store_log(console, result->console, result->console_length, &result->console_path));
	KTSTR_TRY(store_log(log, result->scheduler_log, result->scheduler_log_length,
			    &result->scheduler_log_path));
	KTSTR_TRY(store_log(output, result->output, result->output_length, &result->output_path));
	KTSTR_TRY(store_log(dump, result->failure_dump,
			    result->failure_dump ? strlen(result->failure_dump) : 0, &result->failure_dump_path));
	if (result->captures)
		KTSTR_TRY(ktstr_store_snapshots(run_dir, stem, result->captures));
	if (result->deterministic)
		KTSTR_TRY(store_log(trace, result->trace, result->trace ? strlen(result->trace) : 0, &trace_path));
	free(result->sidecar_path);
	result->sidecar_path = ktstr_xasprintf("%s/%s" KTSTR_SIDECAR_SUFFIX, run_dir, stem);
	return store_sidecar(result->sidecar_path, result);
}

struct ktstr_error *ktstr_result_store(const char *run_dir, struct ktstr_test_result *result)
{
	struct ktstr_error *error = store_all(run_dir, result);

	if (!error)
		return NULL;
	/* A report must not send anybody to a file that is not there. */
	free(ktstr_take(result->sidecar_path));
	return ktstr_error_wrap(error, "cannot store the result of %s in %s",
				result->test_name ?: "the test", run_dir);
}

char *ktstr_result_load_trace(const char *sidecar_path)
{
	_cleanup_free_ char *stem = NULL;
	_cleanup_free_ char *path = NULL;
	char *trace = NULL;

	if (!ktstr_str_ends_with(sidecar_path, KTSTR_SIDECAR_SUFFIX))
		return NULL;
	stem = ktstr_xstrndup(sidecar_path, strlen(sidecar_path) - strlen(KTSTR_SIDECAR_SUFFIX));
	path = ktstr_xasprintf("%s" KTSTR_TRACE_SUFFIX, stem);
	ktstr_error_free(ktstr_read_file(path, &trace, NULL));
	return trace;
}
