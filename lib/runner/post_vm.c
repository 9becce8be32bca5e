// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command never loads a test program's code: callbacks run in a child of their own, with a time limit, and what comes
 * back is data. A callback that crashes or hangs is a failure of the test.
 */
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "check/result_json.h"
#include "ktstr/units.h"
#include "post_vm/role.h"
#include "runner/post_vm.h"

#define POST_VM_LIMIT KTSTR_SEC(120)

static struct ktstr_error *read_verdict(const char *path, struct ktstr_assert_result *verdict)
{
	json_error_t why;
	json_t *json = json_load_file(path, 0, &why);
	struct ktstr_error *error;

	if (!json)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "no verdict came of it: %s", why.text);
	error = ktstr_assert_result_from_json(json_object_get(json, "verdict"), verdict);
	json_decref(json);
	return error;
}

static struct ktstr_error *run_callbacks(const struct ktstr_run *run, struct ktstr_test_result *result)
{
	_cleanup_free_ char *verdict_path = ktstr_xasprintf("%s.post-vm", result->sidecar_path);
	const char *argv[] = { run->program->path, KTSTR_POST_VM_OPTION, result->sidecar_path, verdict_path, NULL };
	struct ktstr_assert_result found = { 0 };
	_cleanup_free_ char *out = NULL;
	struct ktstr_error *error = ktstr_run_command(argv, POST_VM_LIMIT, &out, NULL);

	if (!error)
		error = read_verdict(verdict_path, &found);
	/* All that is there being skips makes it one: what the callback needs could not be had. */
	if (!error)
		ktstr_assert_result_merge(&result->verdict, &found);
	unlink(verdict_path);
	ktstr_assert_result_deinit(&found);
	return error;
}

bool ktstr_run_post_vm(const struct ktstr_run *run, struct ktstr_test_result *result)
{
	struct ktstr_error *error;

	if (!run->test->observe.post_vm || !result->sidecar_path)
		return false;
	error = run_callbacks(run, result);
	if (error)
		ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "post_vm: %s",
				    ktstr_error_message(error));
	ktstr_error_free(error);
	return true;
}
