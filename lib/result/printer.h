/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an output format has to provide. printer.c counts and decides the exit code, a format only
 * prints. Internal to this room; unit tests use it to print into streams of their own.
 */
#ifndef KTSTR_RESULT_PRINTER_H
#define KTSTR_RESULT_PRINTER_H

#include <stdio.h>

#include "result/result.h"

/* Where a printer prints and what that place can show. */
struct ktstr_printer_target {
	FILE *out, *err;
	bool out_colour, err_colour;
	bool live;                  /* both are terminals: lines can be redrawn */
	bool one_stream;            /* out and err end up in the same place */
	unsigned int columns, rows; /* of the terminal; 0 = unknown */
};

struct ktstr_printer_totals {
	size_t planned; /* 0 = not known */
	bool plan_last; /* it was not known beforehand */
	size_t left_out; /* by the user's own limit; not planned */
	size_t finished;
	size_t by_kind[KTSTR_OUTCOME_FAIL + 1];
	size_t allowed_inconclusive; /* of these, those whose tests allow it */
	uint64_t duration_ns; /* set for end() */
	bool no_skip_mode;    /* set for end() */
	struct ktstr_strv digests;      /* distinct ones of deterministic runs */
	struct ktstr_strv failing_seeds; /* each once; in order at the end */
	size_t deterministic;
};

struct ktstr_printer {
	const struct ktstr_printer_ops *ops;
	struct ktstr_printer_target target;
	struct ktstr_printer_totals totals;
	uint64_t started_ns;
};

/* begin and end are called once, the others in between; started, stage, tick and warn may be NULL. */
struct ktstr_printer_ops {
	struct ktstr_printer *(*create)(void);
	void (*begin)(struct ktstr_printer *printer);
	void (*started)(struct ktstr_printer *printer, size_t index, const char *full_name,
			const char *topology, const char *scheduler);
	void (*stage)(struct ktstr_printer *printer, size_t index, const char *what);
	void (*tick)(struct ktstr_printer *printer);
	void (*warn)(struct ktstr_printer *printer, const char *text);
	void (*finished)(struct ktstr_printer *printer, size_t index,
			 const struct ktstr_test_result *result);
	void (*end)(struct ktstr_printer *printer, const char *run_dir);
	void (*destroy)(struct ktstr_printer *printer);
};

extern const struct ktstr_printer_ops ktstr_human_printer_ops;
extern const struct ktstr_printer_ops ktstr_ktap_printer_ops;
extern const struct ktstr_printer_ops ktstr_json_printer_ops;

struct ktstr_printer *ktstr_printer_create_for(enum ktstr_format format, size_t planned,
					       const struct ktstr_printer_target *target);
/* Planned tests that never finished. */
size_t ktstr_printer_missing(const struct ktstr_printer_totals *totals);

/* "ktstr/steady" is "steady" to a reader. */
const char *ktstr_display_name(const char *full_name);
/* "250ms", "5.2s", "3m04s", into out. */
const char *ktstr_format_short_duration(uint64_t duration_ns, char out[32]);

/* The lines of running tests at the bottom of a terminal. */
struct ktstr_live;
struct ktstr_live *ktstr_live_create(const struct ktstr_printer_target *target);
void ktstr_live_destroy(struct ktstr_live *live);
void ktstr_live_add(struct ktstr_live *live, size_t index, const char *label);
void ktstr_live_stage(struct ktstr_live *live, size_t index, const char *what);
void ktstr_live_remove(struct ktstr_live *live, size_t index);
/* Takes the lines off the screen, so that normal output can be printed. */
void ktstr_live_clear(struct ktstr_live *live);
/* Draws them again; unless forced at most every 100 ms. */
void ktstr_live_draw(struct ktstr_live *live, bool force);

#endif
