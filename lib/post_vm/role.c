// SPDX-License-Identifier: GPL-2.0-only
/* Callbacks of one test, and their common verdict. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "check/result_json.h"
#include "ktstr/test.h"
#include "post_vm/role.h"
#include "post_vm/vm_result.h"

typedef void (*callback)(struct ktstr_vm_result *vm);

/* What each callback finds counts for itself: a skip of one does not hide a failure of the other. */
static void run_callback(callback fn, struct ktstr_vm_result *vm, struct ktstr_assert_result *all)
{
	if (!fn)
		return;
	fn(vm);
	ktstr_assert_result_merge(all, &vm->result);
	ktstr_assert_result_deinit(&vm->result);
}

static bool guest_failed(const struct ktstr_vm_result *vm)
{
	return ktstr_assert_result_kind(&vm->guest_assert_result) == KTSTR_OUTCOME_FAIL || vm->exit_code;
}

static struct ktstr_error *write_verdict(const struct ktstr_assert_result *result, const char *path)
{
	json_t *json = json_pack("{so}", "verdict", ktstr_assert_result_to_json(result));
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return ktstr_write_file_atomic(path, text ? text : "", text ? strlen(text) : 0);
}

static struct ktstr_error *run_callbacks(const json_t *sidecar, const char *sidecar_path, const char *verdict_path)
{
	const char *name = json_string_value(json_object_get(sidecar, "test_name"));
	const struct ktstr_test_entry *test = name ? ktstr_find_test(name) : NULL;
	struct ktstr_assert_result all = { 0 };
	struct ktstr_vm_result vm = { 0 };
	struct ktstr_error *error;

	if (!test)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "this program has no test %s", name ? name : "?");
	error = ktstr_vm_result_read(sidecar, sidecar_path, &vm);
	if (!error) {
		run_callback(guest_failed(&vm) ? NULL : test->post_vm, &vm, &all);
		run_callback(test->post_vm_unconditional, &vm, &all);
		error = write_verdict(&all, verdict_path);
	}
	ktstr_assert_result_deinit(&all);
	ktstr_vm_result_deinit(&vm);
	return error;
}

int ktstr_post_vm_main(const char *sidecar_path, const char *verdict_path)
{
	json_error_t why;
	json_t *sidecar = json_load_file(sidecar_path, 0, &why);
	_cleanup_error_ struct ktstr_error *error =
		sidecar ? run_callbacks(sidecar, sidecar_path, verdict_path) :
			  ktstr_error_new(KTSTR_ERR_CORRUPT, "%s: %s", sidecar_path, why.text);

	json_decref(sidecar);
	if (!error)
		return KTSTR_EXIT_PASS;
	fprintf(stderr, "%s\n", ktstr_error_message(error));
	return KTSTR_EXIT_FAIL;
}
