// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of printing that all formats share: choosing one, counting, the exit code, what a
 * terminal can do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "result/printer.h"

static const struct {
	const char *name;
	const struct ktstr_printer_ops *ops;
} formats[] = {
	[KTSTR_FORMAT_HUMAN] = { "human", &ktstr_human_printer_ops },
	[KTSTR_FORMAT_KTAP] = { "ktap", &ktstr_ktap_printer_ops },
	[KTSTR_FORMAT_JSON] = { "json", &ktstr_json_printer_ops },
};

bool ktstr_format_from_name(const char *name, enum ktstr_format *format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!strcmp(name, formats[i].name)) {
			*format = (enum ktstr_format)i;
			return true;
		}
	}
	return false;
}

/* https://no-color.org: any non-empty value turns colour off. */
bool ktstr_use_colour(int fd)
{
	const char *term = ktstr_env("TERM");

	return isatty(fd) && !ktstr_env("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

static bool same_place(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

static struct ktstr_printer_target standard_target(void)
{
	const char *term = ktstr_env("TERM");
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		size = (struct winsize){ 0 };
	return (struct ktstr_printer_target){
		.out = stdout,
		.err = stderr,
		.out_colour = ktstr_use_colour(STDOUT_FILENO),
		.err_colour = ktstr_use_colour(STDERR_FILENO),
		.live = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && term &&
			strcmp(term, "dumb") != 0,
		.one_stream = same_place(STDOUT_FILENO, STDERR_FILENO),
		.columns = size.ws_col,
		.rows = size.ws_row,
	};
}

struct ktstr_printer *ktstr_printer_create_for(enum ktstr_format format, size_t planned,
					       const struct ktstr_printer_target *target)
{
	const struct ktstr_printer_ops *ops = formats[format].ops;
	struct ktstr_printer *printer = ops->create();

	printer->ops = ops;
	printer->target = *target;
	printer->totals.planned = planned;
	printer->totals.plan_last = !planned;
	printer->started_ns = ktstr_now_ns();
	ops->begin(printer);
	fflush(target->out);
	return printer;
}

struct ktstr_printer *ktstr_printer_create(enum ktstr_format format, size_t planned)
{
	struct ktstr_printer_target target = standard_target();

	return ktstr_printer_create_for(format, planned, &target);
}

void ktstr_printer_started(struct ktstr_printer *printer, size_t index, const char *full_name,
			   const char *topology, const char *scheduler)
{
	if (printer->ops->started)
		printer->ops->started(printer, index, full_name ?: "?", topology ?: "-",
				      scheduler ?: "-");
}

void ktstr_printer_stage(struct ktstr_printer *printer, size_t index, const char *what)
{
	if (printer->ops->stage)
		printer->ops->stage(printer, index, what);
}

void ktstr_printer_tick(struct ktstr_printer *printer)
{
	if (printer->ops->tick)
		printer->ops->tick(printer);
}

void ktstr_printer_warn(struct ktstr_printer *printer, const char *text)
{
	if (printer->ops->warn)
		printer->ops->warn(printer, text);
}

void ktstr_printer_note(struct ktstr_printer *printer, const char *text)
{
	if (printer->target.live && printer->ops->started)
		return;
	fflush(printer->target.out);
	fprintf(printer->target.err, "ktstr: %s\n", text);
	fflush(printer->target.err);
}

static void count_seed(struct ktstr_printer_totals *totals, const struct ktstr_test_result *result)
{
	char seed[24];

	if (!result->deterministic)
		return;
	totals->deterministic++;
	if (result->digest && !ktstr_strv_contains(&totals->digests, result->digest))
		ktstr_strv_add(&totals->digests, result->digest);
	if (ktstr_test_result_kind(result) != KTSTR_OUTCOME_FAIL)
		return;
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)result->seed);
	if (!ktstr_strv_contains(&totals->failing_seeds, seed))
		ktstr_strv_add(&totals->failing_seeds, seed);
}

/* Of decimal numbers. */
static int by_number(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t x_length = strlen(x), y_length = strlen(y);

	return x_length == y_length ? strcmp(x, y) : x_length < y_length ? -1 : 1;
}

void ktstr_printer_limit(struct ktstr_printer *printer, size_t planned, size_t left_out)
{
	printer->totals.planned = planned;
	printer->totals.left_out = left_out;
}

void ktstr_printer_finished(struct ktstr_printer *printer, size_t index,
			    const struct ktstr_test_result *result)
{
	printer->totals.finished++;
	printer->totals.by_kind[ktstr_test_result_kind(result)]++;
	if (ktstr_test_result_kind(result) == KTSTR_OUTCOME_INCONCLUSIVE && result->allow_inconclusive)
		printer->totals.allowed_inconclusive++;
	count_seed(&printer->totals, result);
	printer->ops->finished(printer, index, result);
	fflush(printer->target.out);
}

size_t ktstr_printer_missing(const struct ktstr_printer_totals *totals)
{
	return totals->planned > totals->finished ? totals->planned - totals->finished : 0;
}

/* A planned test without a verdict is not a success. */
static int exit_code(const struct ktstr_printer_totals *totals)
{
	if (totals->by_kind[KTSTR_OUTCOME_FAIL] || ktstr_printer_missing(totals) ||
	    (totals->no_skip_mode && totals->by_kind[KTSTR_OUTCOME_SKIP]))
		return KTSTR_EXIT_FAIL;
	return totals->by_kind[KTSTR_OUTCOME_INCONCLUSIVE] > totals->allowed_inconclusive ? KTSTR_EXIT_INCONCLUSIVE
											    : KTSTR_EXIT_PASS;
}

int ktstr_printer_end(struct ktstr_printer *printer, const char *run_dir, bool no_skip_mode)
{
	printer->totals.duration_ns = ktstr_now_ns() - printer->started_ns;
	printer->totals.no_skip_mode = no_skip_mode;
	/* Runs side by side end in any order. */
	if (printer->totals.failing_seeds.count)
		qsort(printer->totals.failing_seeds.items, printer->totals.failing_seeds.count, sizeof(char *), by_number);
	printer->ops->end(printer, run_dir);
	fflush(printer->target.out);
	return exit_code(&printer->totals);
}

void ktstr_printer_destroy(struct ktstr_printer *printer)
{
	if (!printer)
		return;
	ktstr_strv_deinit(&printer->totals.digests);
	ktstr_strv_deinit(&printer->totals.failing_seeds);
	printer->ops->destroy(printer);
}

const char *ktstr_display_name(const char *full_name)
{
	return ktstr_str_starts_with(full_name, "ktstr/") ? full_name + strlen("ktstr/")
							  : full_name;
}

const char *ktstr_format_short_duration(uint64_t duration_ns, char out[32])
{
	unsigned long long ms = duration_ns / 1000000u, seconds = (ms + 500) / 1000;

	if (ms < 1000)
		snprintf(out, 32, "%llums", ms);
	else if (ms < 59950)
		snprintf(out, 32, "%.1fs", (double)ms / 1e3);
	else
		snprintf(out, 32, "%llum%02llus", seconds / 60, seconds % 60);
	return out;
}
