// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTAP version 1 (Documentation/dev-tools/ktap.rst): numbers count up in the order of arrival,
 * diagnostic lines come before the result that they explain, a '#' in a name would start a
 * directive.
 */
#include <stdlib.h>
#include <string.h>

#include "result/internal.h"
#include "result/printer.h"

static struct ktstr_printer *ktap_create(void)
{
	return ktstr_xcalloc(1, sizeof(struct ktstr_printer));
}

static void ktap_begin(struct ktstr_printer *printer)
{
	fputs("KTAP version 1\n", printer->target.out);
	if (printer->totals.planned)
		fprintf(printer->target.out, "1..%zu\n", printer->totals.planned);
}

static char *ktap_name(const struct ktstr_test_result *result)
{
	_cleanup_str_ struct ktstr_str name = { 0 };

	ktstr_add_line(&name, ktstr_display_name(result->full_name ?: result->test_name ?: "?"));
	if (result->instance)
		ktstr_str_addf(&name, " [%s]", result->instance);
	for (char *c = name.data; c && *c; c++)
		if (*c == '#')
			*c = '_';
	return ktstr_str_take(&name);
}

static void print_report(FILE *out, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *report = ktstr_result_report(result, false);
	_cleanup_str_ struct ktstr_str lines = { 0 };

	ktstr_add_indented(&lines, "# ", report, strlen(report));
	fputs(ktstr_str_text(&lines), out);
}

static void ktap_finished(struct ktstr_printer *printer, size_t index,
			  const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	_cleanup_free_ char *name = ktap_name(result);
	FILE *out = printer->target.out;

	(void)index;
	if (kind == KTSTR_OUTCOME_INCONCLUSIVE)
		fputs("# inconclusive\n", out);
	if (kind == KTSTR_OUTCOME_FAIL || kind == KTSTR_OUTCOME_INCONCLUSIVE) {
		print_report(out, result);
		fprintf(out, "not ok %zu %s\n", printer->totals.finished, name);
	} else if (kind == KTSTR_OUTCOME_SKIP) {
		_cleanup_free_ char *reason = ktstr_result_cause_line(result);

		fprintf(out, "ok %zu %s # SKIP %s\n", printer->totals.finished, name, reason);
	} else {
		fprintf(out, "ok %zu %s\n", printer->totals.finished, name);
	}
}

/* A plan may also come last, when it was not known before. */
static void ktap_end(struct ktstr_printer *printer, const char *run_dir)
{
	const struct ktstr_printer_totals *totals = &printer->totals;

	if (totals->plan_last)
		fprintf(printer->target.out, "1..%zu\n", totals->finished + ktstr_printer_missing(totals));
	fprintf(printer->target.out,
		"# passed: %zu, failed: %zu, inconclusive: %zu, skipped: %zu\n",
		totals->by_kind[KTSTR_OUTCOME_PASS], totals->by_kind[KTSTR_OUTCOME_FAIL],
		totals->by_kind[KTSTR_OUTCOME_INCONCLUSIVE], totals->by_kind[KTSTR_OUTCOME_SKIP]);
	if (ktstr_printer_missing(totals))
		fprintf(printer->target.out, "# not run: %zu\n", ktstr_printer_missing(totals));
	if (totals->left_out)
		fprintf(printer->target.out, "# left out when the budget was over: %zu\n", totals->left_out);
	if (run_dir)
		fprintf(printer->target.out, "# results: %s\n", run_dir);
}

static void ktap_destroy(struct ktstr_printer *printer)
{
	free(printer);
}

const struct ktstr_printer_ops ktstr_ktap_printer_ops = {
	.create = ktap_create,
	.begin = ktap_begin,
	.finished = ktap_finished,
	.end = ktap_end,
	.destroy = ktap_destroy,
};
