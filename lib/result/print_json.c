// SPDX-License-Identifier: GPL-2.0-only
/* JSON lines for programs: the sidecar of each test as it finishes, one summary at the end. */
#include <stdlib.h>

#include "check/json_util.h"
#include "result/printer.h"

static struct ktstr_printer *json_create(void)
{
	return ktstr_xcalloc(1, sizeof(struct ktstr_printer));
}

static void json_begin(struct ktstr_printer *printer)
{
	(void)printer;
}

/* Takes the reference. */
static void print_line(struct ktstr_printer *printer, json_t *json)
{
	json_dumpf(json, printer->target.out, JSON_COMPACT);
	fputc('\n', printer->target.out);
	json_decref(json);
}

static void json_finished(struct ktstr_printer *printer, size_t index,
			  const struct ktstr_test_result *result)
{
	json_t *line = json_object(), *sidecar = ktstr_result_to_json(result);

	(void)index;
	json_object_set_new(line, "type", json_string("test"));
	json_object_update(line, sidecar);
	json_object_set_new(line, "sidecar", ktstr_json_text(result->sidecar_path));
	json_decref(sidecar);
	print_line(printer, line);
}

static json_t *numbers(const struct ktstr_strv *texts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(array, json_integer((json_int_t)strtoull(texts->items[i], NULL, 10)));
	return array;
}

static void json_end(struct ktstr_printer *printer, const char *run_dir)
{
	const struct ktstr_printer_totals *totals = &printer->totals;
	json_t *line = json_object();

	json_object_set_new(line, "type", json_string("summary"));
	json_object_set_new(line, "passed", ktstr_json_u64(totals->by_kind[KTSTR_OUTCOME_PASS]));
	json_object_set_new(line, "failed", ktstr_json_u64(totals->by_kind[KTSTR_OUTCOME_FAIL]));
	json_object_set_new(line, "skipped", ktstr_json_u64(totals->by_kind[KTSTR_OUTCOME_SKIP]));
	json_object_set_new(line, "inconclusive",
			    ktstr_json_u64(totals->by_kind[KTSTR_OUTCOME_INCONCLUSIVE]));
	json_object_set_new(line, "not_run", ktstr_json_u64(ktstr_printer_missing(totals)));
	json_object_set_new(line, "left_out", ktstr_json_u64(totals->left_out));
	if (totals->deterministic) {
		json_object_set_new(line, "distinct_digests", ktstr_json_u64(totals->digests.count));
		json_object_set_new(line, "failing_seeds", numbers(&totals->failing_seeds));
	}
	json_object_set_new(line, "duration_ns", ktstr_json_u64(totals->duration_ns));
	json_object_set_new(line, "run_dir", ktstr_json_text(run_dir));
	print_line(printer, line);
}

static void json_destroy(struct ktstr_printer *printer)
{
	free(printer);
}

const struct ktstr_printer_ops ktstr_json_printer_ops = {
	.create = json_create,
	.begin = json_begin,
	.finished = json_finished,
	.end = json_end,
	.destroy = json_destroy,
};
