// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long texts of a guest cut down to what a reader of a report looks at: tails, collapsed repeats,
 * quoting.
 */
#include <string.h>

#include "result/internal.h"

enum {
	MAX_LOG_BYTES = 4 << 20, /* of the end of a log; the rest is in its file */
	VERIFIER_LINES = 25,
};

/*
 * libbpf frames the verifier's log of a program that failed to load (libbpf.c,
 * bpf_object_load_prog()).
 */
#define VERIFIER_BEGIN "-- BEGIN PROG LOAD LOG --"
#define VERIFIER_END   "-- END PROG LOAD LOG --"

/* Lines of a text, borrowed from it. */
struct line {
	const char *text;
	size_t length;
	size_t repeats;     /* how often more the same line followed */
	size_t left_out;    /* lines dropped before this one */
	const char *header; /* of the verifier log that it belongs to, else NULL */
	size_t header_length;
};

struct lines {
	struct line *items;
	size_t count, capacity;
};

static void lines_deinit(struct lines *lines)
{
	free(lines->items);
}

static void lines_push(struct lines *lines, const char *text, size_t length)
{
	if (lines->count == lines->capacity) {
		lines->capacity = lines->capacity ? lines->capacity * 2 : 64;
		lines->items =
			ktstr_xrealloc(lines->items, lines->capacity * sizeof(*lines->items));
	}
	lines->items[lines->count++] = (struct line){ .text = text, .length = length };
}

static void split(struct lines *lines, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ?: end;

		lines_push(lines, text, (size_t)(stop - text) - (stop > text && stop[-1] == '\r'));
		text = stop + 1;
	}
}

static void add_line(struct ktstr_str *out, const char *prefix, const struct line *line)
{
	if (line->left_out)
		ktstr_str_addf(out, "%s... (%zu lines left out)\n", prefix, line->left_out);
	ktstr_str_add(out, prefix);
	ktstr_str_add_printable(out, line->text, line->length);
	if (line->repeats)
		ktstr_str_addf(out, " (repeated %zu times)", line->repeats + 1);
	ktstr_str_add(out, "\n");
}

/*
 * The last max_lines of them, led by a line that counts the others; a cut verifier log keeps its
 * header.
 */
static void add_last(struct ktstr_str *out, const char *prefix, struct lines *lines,
		     size_t max_lines)
{
	size_t first = lines->count > max_lines ? lines->count - max_lines : 0;
	size_t earlier = first;

	for (size_t i = 0; i < first; i++)
		earlier += lines->items[i].repeats + lines->items[i].left_out;
	if (first) {
		struct line *line = &lines->items[first];
		struct line header = { .text = line->header, .length = line->header_length };

		earlier += line->left_out;
		line->left_out = 0;
		if (header.text)
			add_line(out, prefix, &header);
		ktstr_str_addf(out, "%s... (%zu earlier lines left out)\n", prefix,
			       earlier - !!header.text);
	}
	for (size_t i = first; i < lines->count; i++)
		add_line(out, prefix, &lines->items[i]);
}

void ktstr_add_indented(struct ktstr_str *out, const char *prefix, const char *text, size_t length)
{
	_cleanup_(lines_deinit) struct lines lines = { 0 };

	split(&lines, text, length);
	for (size_t i = 0; i < lines.count; i++)
		add_line(out, prefix, &lines.items[i]);
}

void ktstr_add_head(struct ktstr_str *out, const char *prefix, const char *text, size_t length, size_t max_lines)
{
	_cleanup_(lines_deinit) struct lines lines = { 0 };

	split(&lines, text, length);
	for (size_t i = 0; i < lines.count && i < max_lines; i++)
		add_line(out, prefix, &lines.items[i]);
	if (lines.count > max_lines)
		ktstr_str_addf(out, "%s  ... (%zu more lines)\n", prefix, lines.count - max_lines);
}

/* Limits what is looked at, not what is printed: a line cut in two by it is far above the tail. */
static void keep_end(const char **text, size_t *length)
{
	if (*length > MAX_LOG_BYTES) {
		*text += *length - MAX_LOG_BYTES;
		*length = MAX_LOG_BYTES;
	}
}

void ktstr_add_tail(struct ktstr_str *out, const char *prefix, const char *text, size_t length,
		    size_t max_lines)
{
	_cleanup_(lines_deinit) struct lines lines = { 0 };

	keep_end(&text, &length);
	split(&lines, text, length);
	add_last(out, prefix, &lines, max_lines);
}

static bool contains(const struct line *line, const char *needle)
{
	return memmem(line->text, line->length, needle, strlen(needle)) != NULL;
}

/* The index behind the last line of the verifier log that begins at `begin`. */
static size_t verifier_end(const struct lines *lines, size_t begin)
{
	for (size_t i = begin + 1; i < lines->count; i++) {
		if (contains(&lines->items[i], VERIFIER_END))
			return i + 1;
		if (contains(&lines->items[i], VERIFIER_BEGIN))
			return i;
	}
	return lines->count;
}

/* Copies one verifier log without its middle: the reason of a rejection stands at its end. */
static void trim_verifier_log(const struct lines *lines, size_t begin, size_t end,
			      struct lines *trimmed)
{
	const struct line *header = &lines->items[begin];
	size_t tail = end - begin > VERIFIER_LINES + 2 ? end - VERIFIER_LINES - 1 : begin + 1;

	lines_push(trimmed, header->text, header->length);
	for (size_t i = tail; i < end; i++) {
		struct line *line;

		lines_push(trimmed, lines->items[i].text, lines->items[i].length);
		line = &trimmed->items[trimmed->count - 1];
		line->left_out = i == tail ? tail - begin - 1 : 0;
		line->header = header->text;
		line->header_length = header->length;
	}
}

static void trim_verifier_logs(const struct lines *lines, struct lines *trimmed)
{
	for (size_t i = 0; i < lines->count;) {
		size_t end = i + 1;

		if (contains(&lines->items[i], VERIFIER_BEGIN)) {
			end = verifier_end(lines, i);
			trim_verifier_log(lines, i, end, trimmed);
		} else {
			lines_push(trimmed, lines->items[i].text, lines->items[i].length);
		}
		i = end;
	}
}

static bool same_text(const struct line *a, const struct line *b)
{
	return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

static void collapse_repeats(struct lines *lines)
{
	size_t kept = 0;

	for (size_t i = 0; i < lines->count; i++) {
		if (kept && !lines->items[i].left_out &&
		    same_text(&lines->items[kept - 1], &lines->items[i]))
			lines->items[kept - 1].repeats++;
		else
			lines->items[kept++] = lines->items[i];
	}
	lines->count = kept;
}

void ktstr_add_scheduler_log(struct ktstr_str *out, const char *prefix, const char *text,
			     size_t length, size_t max_lines)
{
	_cleanup_(lines_deinit) struct lines lines = { 0 }, trimmed = { 0 };

	keep_end(&text, &length);
	split(&lines, text, length);
	trim_verifier_logs(&lines, &trimmed);
	collapse_repeats(&trimmed);
	add_last(out, prefix, &trimmed, max_lines);
}

static bool needs_quotes(const char *word)
{
	return !*word ||
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "_-./=:,+@%") != strlen(word);
}

void ktstr_add_shell_quoted(struct ktstr_str *out, const struct ktstr_strv *argv)
{
	for (size_t i = 0; i < argv->count; i++) {
		const char *word = argv->items[i];

		if (i)
			ktstr_str_add(out, " ");
		if (!needs_quotes(word)) {
			ktstr_str_add(out, word);
			continue;
		}
		ktstr_str_add(out, "'");
		for (const char *c = word; *c;) {
			size_t plain = strcspn(c, "'");

			ktstr_str_add_printable(out, c, plain);
			c += plain;
			if (*c)
				ktstr_str_add(out, "'\\''");
			c += *c != '\0';
		}
		ktstr_str_add(out, "'");
	}
}
