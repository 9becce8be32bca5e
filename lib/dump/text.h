/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of a dump's text share. Everything that a guest said is made printable. */
#ifndef KTSTR_DUMP_TEXT_H
#define KTSTR_DUMP_TEXT_H

#include "base/str.h"
#include "ktstr/dump.h"

enum { KTSTR_TEXT_COLUMNS = 120 };

/* Text of a guest. */
void ktstr_text_guest(struct ktstr_str *out, const char *text);
/* A newline and `indent` spaces. */
void ktstr_text_line(struct ktstr_str *out, int indent);

/* The value in one line, whatever its length. */
void ktstr_value_inline(struct ktstr_str *out, const struct ktstr_rendered_value *value);
/* The value behind what is already in the line; lines that follow begin with `indent` spaces and more. */
void ktstr_value_block(struct ktstr_str *out, const struct ktstr_rendered_value *value, int indent);
/* Nothing in it is set: left out of structs and arrays. */
bool ktstr_value_is_zero(const struct ktstr_rendered_value *value);
/* One number or name, as opposed to structs and arrays. */
bool ktstr_value_is_scalar(const struct ktstr_rendered_value *value);

/* Rows of cells that are printed in columns as wide as their widest cell; numbers are aligned to the right. */
struct ktstr_text_table {
	struct ktstr_strv cells;
	size_t columns; /* length of the first row */
	size_t row_length;
	const char *separator; /* between columns, NULL = two spaces */
};

void ktstr_table_cell(struct ktstr_text_table *table, const char *text);
void ktstr_table_cellf(struct ktstr_text_table *table, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* "-" when it is not set. */
void ktstr_table_opt(struct ktstr_text_table *table, const struct ktstr_opt_u64 *number);
/* Ends a row; later rows are filled up, or cut, to the length of the first. */
void ktstr_table_row(struct ktstr_text_table *table);
/* Prints it as whole lines and empties it. */
void ktstr_table_print(struct ktstr_text_table *table, struct ktstr_str *out, int indent);

/* How text looks: escape sequences, "" without colour. And where names of tasks come from. */
struct ktstr_text_style {
	const char *heading, *error, *reset;
	const struct ktstr_failure_dump *dump;
};

/* One map: heading and contents, as whole lines. */
void ktstr_map_text(struct ktstr_str *out, const struct ktstr_failure_dump_map *map,
		    const struct ktstr_text_style *style);
/* "comm (pid)" of the task at that address; false when the dump has none there. */
bool ktstr_text_task(struct ktstr_str *out, const struct ktstr_failure_dump *dump, uint64_t address);
/* "user DSQ(0x1)" */
void ktstr_text_queue(struct ktstr_str *out, const struct ktstr_dsq_state *dsq);
/* A line about the task that has been runnable longest: since when, on which CPU, in which queue. Nothing when none is. */
void ktstr_text_longest_wait(struct ktstr_str *out, const struct ktstr_failure_dump *dump);

#endif
