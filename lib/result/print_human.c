// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output for people: a line per test, the report of a failure right behind its line, a footer that
 * repeats the failures with the command to run each again. Lines go to stdout, reports to stderr.
 */
#include <stdlib.h>
#include <string.h>

#include "result/internal.h"
#include "result/printer.h"

/*
 * Columns start this wide and grow; results print as they come, so nothing is known of later ones.
 */
enum { WORD_WIDTH = 4, MIN_NAME = 24, MIN_TOPOLOGY = 8, MIN_SCHEDULER = 9, MAX_NAME = 60 };

struct human_printer {
	struct ktstr_printer base;
	struct ktstr_live *live; /* NULL when not on a terminal */
	size_t name_width, topology_width, scheduler_width;
	struct ktstr_str failures; /* for the footer */
	bool after_blank; /* what was printed last is the empty line behind a report */
};

static const struct {
	const char *word, *colour;
} kinds[] = {
	[KTSTR_OUTCOME_PASS] = { "PASS", KTSTR_SGR_GREEN },
	[KTSTR_OUTCOME_SKIP] = { "SKIP", KTSTR_SGR_YELLOW },
	[KTSTR_OUTCOME_INCONCLUSIVE] = { "INCONCLUSIVE", KTSTR_SGR_YELLOW },
	[KTSTR_OUTCOME_FAIL] = { "FAIL", KTSTR_SGR_RED },
};

static struct human_printer *human(struct ktstr_printer *printer)
{
	return (struct human_printer *)printer;
}

static struct ktstr_printer *human_create(void)
{
	struct human_printer *printer = ktstr_xcalloc(1, sizeof(*printer));

	printer->name_width = MIN_NAME;
	printer->topology_width = MIN_TOPOLOGY;
	printer->scheduler_width = MIN_SCHEDULER;
	return &printer->base;
}

static void human_begin(struct ktstr_printer *printer)
{
	if (printer->target.live)
		human(printer)->live = ktstr_live_create(&printer->target);
}

static void widen(size_t *width, const char *text, size_t max)
{
	size_t length = strlen(text);

	if (length > *width)
		*width = length < max ? length : max;
}

/*
 * "steady                    1n2l2c1t  scx_ktstr", the same columns in result lines and live lines.
 */
static char *make_label(struct human_printer *printer, size_t word_width, const char *full_name,
			const char *topology, const char *scheduler)
{
	size_t shift = word_width - WORD_WIDTH; /* a longer word takes its room from the name */
	_cleanup_str_ struct ktstr_str name = { 0 }, topo = { 0 }, sched = { 0 };

	ktstr_add_line(&name, ktstr_display_name(full_name));
	ktstr_add_line(&topo, topology);
	ktstr_add_line(&sched, scheduler);
	widen(&printer->name_width, ktstr_str_text(&name), MAX_NAME);
	widen(&printer->topology_width, ktstr_str_text(&topo), MAX_NAME);
	widen(&printer->scheduler_width, ktstr_str_text(&sched), MAX_NAME);
	return ktstr_xasprintf("%-*s  %-*s  %-*s", (int)(printer->name_width - shift),
			       ktstr_str_text(&name), (int)printer->topology_width,
			       ktstr_str_text(&topo), (int)printer->scheduler_width,
			       ktstr_str_text(&sched));
}

static void human_started(struct ktstr_printer *printer, size_t index, const char *full_name,
			  const char *topology, const char *scheduler)
{
	struct human_printer *self = human(printer);
	_cleanup_free_ char *label = make_label(self, WORD_WIDTH, full_name, topology, scheduler);

	if (!self->live)
		return;
	ktstr_live_add(self->live, index, label);
	ktstr_live_draw(self->live, true);
}

static void human_stage(struct ktstr_printer *printer, size_t index, const char *what)
{
	struct human_printer *self = human(printer);
	_cleanup_str_ struct ktstr_str line = { 0 };

	if (!self->live)
		return;
	ktstr_add_line(&line, what);
	ktstr_live_stage(self->live, index, ktstr_str_text(&line));
	ktstr_live_draw(self->live, false);
}

static void human_tick(struct ktstr_printer *printer)
{
	struct human_printer *self = human(printer);

	if (self->live)
		ktstr_live_draw(self->live, false);
}

static void human_warn(struct ktstr_printer *printer, const char *text)
{
	struct human_printer *self = human(printer);
	_cleanup_str_ struct ktstr_str line = { 0 };

	if (self->live)
		ktstr_live_clear(self->live);
	ktstr_add_line(&line, text);
	fflush(printer->target.out);
	fprintf(printer->target.err, "ktstr: warning: %s\n", ktstr_str_text(&line));
	fflush(printer->target.err);
	if (self->live)
		ktstr_live_draw(self->live, true);
}

static void print_result_line(struct human_printer *self, const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	bool colour = self->base.target.out_colour;
	_cleanup_free_ char *label = make_label(self, strlen(kinds[kind].word),
						result->full_name ?: result->test_name ?: "?",
						result->topology ?: "-", result->scheduler ?: "-");
	char took[32], seed[32] = "";

	self->after_blank = false;
	if (result->deterministic)
		snprintf(seed, sizeof(seed), "  seed %llu", (unsigned long long)result->seed);
	fprintf(self->base.target.out, "%s%s%s  %s  %s%s\n", ktstr_sgr(colour, kinds[kind].colour),
		kinds[kind].word, ktstr_sgr(colour, KTSTR_SGR_RESET), label,
		ktstr_format_short_duration(result->duration_ns, took), seed);
	if (kind != KTSTR_OUTCOME_PASS) {
		_cleanup_free_ char *cause = ktstr_result_cause_line(result);

		fprintf(self->base.target.out, "      %s\n", cause);
	}
}

/* Where both streams meet, the cause already stands in the line above and is not printed twice. */
static void print_report(struct human_printer *self, const struct ktstr_test_result *result)
{
	const struct ktstr_printer_target *target = &self->base.target;
	_cleanup_free_ char *report = ktstr_result_report(result, target->err_colour);
	const char *rest = target->one_stream ? strchr(report, '\n') : NULL;

	fflush(target->out);
	fputs(rest ? rest + 1 : report, target->err);
	fputc('\n', target->err);
	fflush(target->err);
	self->after_blank = target->one_stream;
}

static void print_skip(struct human_printer *self, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *cause = ktstr_result_cause_line(result);

	fflush(self->base.target.out);
	fprintf(self->base.target.err, "ktstr: SKIP: %s\n", cause);
	fflush(self->base.target.err);
}

static void remember_failure(struct human_printer *self, const struct ktstr_test_result *result)
{
	struct ktstr_str *list = &self->failures;

	ktstr_str_add(list, "  ");
	ktstr_add_line(list, ktstr_display_name(result->full_name ?: result->test_name ?: "?"));
	ktstr_str_add(list, " [");
	ktstr_add_line(list, result->scheduler ?: "-");
	ktstr_str_add(list, " ");
	ktstr_add_line(list, result->topology ?: "-");
	ktstr_str_add(list, "]");
	if (result->sidecar_path) {
		ktstr_str_add(list, "  ");
		ktstr_add_line(list, result->sidecar_path);
	}
	ktstr_str_add(list, "\n");
	if (result->reproduce.count) {
		ktstr_str_add(list, "    ");
		ktstr_add_shell_quoted(list, &result->reproduce);
		ktstr_str_add(list, "\n");
	}
}

static void human_finished(struct ktstr_printer *printer, size_t index,
			   const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	struct human_printer *self = human(printer);

	if (self->live) {
		ktstr_live_remove(self->live, index);
		ktstr_live_clear(self->live);
	}
	print_result_line(self, result);
	/* Where both streams meet, the cause stands in the line above. */
	if (kind == KTSTR_OUTCOME_SKIP && !self->base.target.one_stream)
		print_skip(self, result);
	if (kind == KTSTR_OUTCOME_FAIL || kind == KTSTR_OUTCOME_INCONCLUSIVE) {
		print_report(self, result);
		remember_failure(self, result);
	}
	if (self->live)
		ktstr_live_draw(self->live, true);
}

static void print_counts(struct ktstr_str *line, const struct ktstr_printer_totals *totals)
{
	char took[32];

	ktstr_str_addf(line, "%zu passed, %zu failed, ", totals->by_kind[KTSTR_OUTCOME_PASS],
		       totals->by_kind[KTSTR_OUTCOME_FAIL]);
	if (totals->by_kind[KTSTR_OUTCOME_INCONCLUSIVE])
		ktstr_str_addf(line, "%zu inconclusive, ",
			       totals->by_kind[KTSTR_OUTCOME_INCONCLUSIVE]);
	ktstr_str_addf(line, "%zu skipped", totals->by_kind[KTSTR_OUTCOME_SKIP]);
	if (totals->no_skip_mode && totals->by_kind[KTSTR_OUTCOME_SKIP])
		ktstr_str_add(line, " (counts as failed)");
	if (ktstr_printer_missing(totals))
		ktstr_str_addf(line, ", %zu not run", ktstr_printer_missing(totals));
	if (totals->left_out)
		ktstr_str_addf(line, ", %zu left out when the budget was over", totals->left_out);
	ktstr_str_addf(line, " in %s\n", ktstr_format_short_duration(totals->duration_ns, took));
}

/* Of an exploration: how different the runs were, and which seeds to look at. */
static void print_seeds(struct ktstr_str *line, const struct ktstr_printer_totals *totals)
{
	if (totals->deterministic < 2)
		return;
	ktstr_str_addf(line, "%zu deterministic runs, %zu distinct\n", totals->deterministic, totals->digests.count);
	for (size_t i = 0; i < totals->failing_seeds.count; i++)
		ktstr_str_addf(line, "%s%s", i ? " " : "failing seeds: ", totals->failing_seeds.items[i]);
	if (totals->failing_seeds.count)
		ktstr_str_add(line, "\n");
}

static void human_end(struct ktstr_printer *printer, const char *run_dir)
{
	struct human_printer *self = human(printer);
	_cleanup_str_ struct ktstr_str line = { 0 };
	FILE *out = printer->target.out;

	if (self->live)
		ktstr_live_clear(self->live);
	if (!self->after_blank)
		fputc('\n', out);
	if (self->failures.length && printer->totals.finished > 1)
		fprintf(out, "not passed:\n%s\n", self->failures.data);
	print_counts(&line, &printer->totals);
	print_seeds(&line, &printer->totals);
	fputs(ktstr_str_text(&line), out);
	if (run_dir)
		fprintf(out, "results: %s\n", run_dir);
}

static void human_destroy(struct ktstr_printer *printer)
{
	struct human_printer *self = human(printer);

	ktstr_live_destroy(self->live);
	ktstr_str_deinit(&self->failures);
	free(self);
}

const struct ktstr_printer_ops ktstr_human_printer_ops = {
	.create = human_create,
	.begin = human_begin,
	.started = human_started,
	.stage = human_stage,
	.tick = human_tick,
	.warn = human_warn,
	.finished = human_finished,
	.end = human_end,
	.destroy = human_destroy,
};
