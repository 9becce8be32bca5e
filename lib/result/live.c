// SPDX-License-Identifier: GPL-2.0-only
/*
 * The running tests at the bottom of a terminal, a line each, redrawn in place. Nothing is hidden
 * or saved on the terminal, so that a killed ktstr leaves it usable.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "result/internal.h"
#include "result/printer.h"

#define REDRAW_INTERVAL_NS (100ull * 1000000u)
enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24 };

struct live_test {
	size_t index;
	char *label, *stage;
	uint64_t stage_since_ns;
};

struct ktstr_live {
	struct ktstr_printer_target target;
	struct live_test *tests; /* in the order of their start */
	size_t count;
	size_t drawn; /* lines on the screen that are ours */
	uint64_t drawn_at_ns;
};

struct ktstr_live *ktstr_live_create(const struct ktstr_printer_target *target)
{
	struct ktstr_live *live = ktstr_xcalloc(1, sizeof(*live));

	live->target = *target;
	return live;
}

static void test_deinit(struct live_test *test)
{
	free(test->label);
	free(test->stage);
}

void ktstr_live_destroy(struct ktstr_live *live)
{
	if (!live)
		return;
	ktstr_live_clear(live);
	for (size_t i = 0; i < live->count; i++)
		test_deinit(&live->tests[i]);
	free(live->tests);
	free(live);
}

static struct live_test *find(struct ktstr_live *live, size_t index)
{
	for (size_t i = 0; i < live->count; i++)
		if (live->tests[i].index == index)
			return &live->tests[i];
	return NULL;
}

void ktstr_live_add(struct ktstr_live *live, size_t index, const char *label)
{
	live->tests = ktstr_xrealloc(live->tests, (live->count + 1) * sizeof(*live->tests));
	live->tests[live->count++] = (struct live_test){
		.index = index,
		.label = ktstr_xstrdup(label),
		.stage = ktstr_xstrdup("starting"),
		.stage_since_ns = ktstr_now_ns(),
	};
}

void ktstr_live_stage(struct ktstr_live *live, size_t index, const char *what)
{
	struct live_test *test = find(live, index);

	if (!test || !strcmp(test->stage, what))
		return;
	free(test->stage);
	test->stage = ktstr_xstrdup(what);
	test->stage_since_ns = ktstr_now_ns();
}

void ktstr_live_remove(struct ktstr_live *live, size_t index)
{
	struct live_test *test = find(live, index);

	if (!test)
		return;
	test_deinit(test);
	live->count--;
	memmove(test, test + 1, (live->count - (size_t)(test - live->tests)) * sizeof(*test));
}

void ktstr_live_clear(struct ktstr_live *live)
{
	if (!live->drawn)
		return;
	/* To the first of our lines, then everything from there to the end of the screen. */
	fprintf(live->target.out, "\033[%zuA\r\033[J", live->drawn);
	fflush(live->target.out);
	live->drawn = 0;
}

/* A terminal may be resized at any time; a line that wraps could not be taken back. */
static void measure(struct ktstr_printer_target *target)
{
	struct winsize size;

	if (ioctl(fileno(target->out), TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
		target->columns = size.ws_col;
		target->rows = size.ws_row;
	}
	if (!target->columns)
		target->columns = DEFAULT_COLUMNS;
	if (!target->rows)
		target->rows = DEFAULT_ROWS;
}

/* Cut to one byte less than the terminal is wide: the last column would wrap on some terminals. */
static size_t line_width(const struct ktstr_live *live)
{
	return live->target.columns - 1;
}

/* How much of text goes into width bytes without a character being split. */
static int cut(const char *text, size_t width)
{
	size_t length = strlen(text);

	if (length > width) {
		length = width;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	return (int)length;
}

static void draw_line(struct ktstr_live *live, const char *text)
{
	fprintf(live->target.out, "%s%.*s%s\n", ktstr_sgr(live->target.out_colour, KTSTR_SGR_DIM),
		cut(text, line_width(live)), text, ktstr_sgr(live->target.out_colour, KTSTR_SGR_RESET));
	live->drawn++;
}

/* What it does and for how long is the news in this line: on a narrow terminal the label gives way. */
static void draw_test(struct ktstr_live *live, const struct live_test *test, uint64_t now_ns)
{
	enum { INDENT = 6, MIN_LABEL = 12 };
	_cleanup_free_ char *stage = ktstr_xasprintf(
		"  %s %llus", test->stage, (unsigned long long)((now_ns - test->stage_since_ns) / 1000000000u));
	size_t width = line_width(live), taken = INDENT + strlen(stage);
	size_t room = width > taken + MIN_LABEL ? width - taken : MIN_LABEL;
	_cleanup_free_ char *text =
		ktstr_xasprintf("%*s%.*s%s", INDENT, "", cut(test->label, room), test->label, stage);

	draw_line(live, text);
}

void ktstr_live_draw(struct ktstr_live *live, bool force)
{
	uint64_t now_ns = ktstr_now_ns();
	size_t shown = live->count;

	if (!force && now_ns - live->drawn_at_ns < REDRAW_INTERVAL_NS)
		return;
	ktstr_live_clear(live);
	measure(&live->target);
	/*
	 * Lines that scrolled off the top could not be taken back: one for the rest, one for the
	 * cursor.
	 */
	if (shown + 2 > live->target.rows)
		shown = live->target.rows > 3 ? live->target.rows - 3 : 0;
	for (size_t i = 0; i < shown; i++)
		draw_test(live, &live->tests[i], now_ns);
	if (shown < live->count) {
		_cleanup_free_ char *rest =
			ktstr_xasprintf("      and %zu more", live->count - shown);

		draw_line(live, rest);
	}
	fflush(live->target.out);
	live->drawn_at_ns = now_ns;
}
