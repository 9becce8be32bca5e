// SPDX-License-Identifier: GPL-2.0-only
/* Tables in text. Widths are counted in characters, not bytes: text of a guest is shown escaped, ours may have arrows. */
#include <ctype.h>
#include <string.h>

#include "dump/text.h"

void ktstr_table_cell(struct ktstr_text_table *table, const char *text)
{
	_cleanup_str_ struct ktstr_str cell = { 0 };

	if (table->columns && table->row_length >= table->columns)
		return;
	ktstr_text_guest(&cell, text ? text : "-");
	ktstr_strv_add(&table->cells, ktstr_str_text(&cell));
	table->row_length++;
}

void ktstr_table_cellf(struct ktstr_text_table *table, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str cell = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_str_vaddf(&cell, fmt, args);
	va_end(args);
	ktstr_table_cell(table, ktstr_str_text(&cell));
}

void ktstr_table_opt(struct ktstr_text_table *table, const struct ktstr_opt_u64 *number)
{
	if (number->set)
		ktstr_table_cellf(table, "%llu", (unsigned long long)number->value);
	else
		ktstr_table_cell(table, NULL);
}

void ktstr_table_row(struct ktstr_text_table *table)
{
	if (!table->columns)
		table->columns = table->row_length;
	while (table->row_length < table->columns)
		ktstr_table_cell(table, "");
	table->row_length = 0;
}

static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static size_t width_of_column(const struct ktstr_text_table *table, size_t column)
{
	size_t widest = 0;

	for (size_t i = column; i < table->cells.count; i += table->columns) {
		size_t width = width_of(table->cells.items[i]);

		widest = width > widest ? width : widest;
	}
	return widest;
}

static bool is_number(const char *text)
{
	return isdigit((unsigned char)text[text[0] == '-']) && !strpbrk(text, " =,:");
}

static size_t *widths_of(const struct ktstr_text_table *table)
{
	size_t *widths = ktstr_xcalloc(table->columns + 1, sizeof(*widths));

	for (size_t column = 0; column < table->columns; column++)
		widths[column] = width_of_column(table, column);
	return widths;
}

/* A column is aligned to the right, its title too, when what is below the title is a number. */
static bool is_right(const struct ktstr_text_table *table, size_t column)
{
	size_t below = column + table->columns;

	return is_number(table->cells.items[below < table->cells.count ? below : column]);
}

static void print_cell(struct ktstr_str *out, const char *text, size_t width, bool right)
{
	int pad = (int)(width - width_of(text));

	ktstr_str_addf(out, "%*s%s%*s", right ? pad : 0, "", text, right ? 0 : pad, "");
}

static void end_line(struct ktstr_str *out)
{
	while (out->length && out->data[out->length - 1] == ' ')
		out->length--;
	ktstr_str_add(out, "\n");
}

void ktstr_table_print(struct ktstr_text_table *table, struct ktstr_str *out, int indent)
{
	_cleanup_free_ size_t *widths = widths_of(table);

	for (size_t i = 0; table->columns && i < table->cells.count; i++) {
		size_t column = i % table->columns;
		bool last = column + 1 == table->columns;

		ktstr_str_addf(out, "%*s", column ? 0 : indent, "");
		print_cell(out, table->cells.items[i], widths[column], is_right(table, column));
		if (last)
			end_line(out);
		else
			ktstr_str_add(out, table->separator ? table->separator : "  ");
	}
	ktstr_strv_deinit(&table->cells);
	table->columns = table->row_length = 0;
}
