// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a guest's serial log for how it ended: the panic or oops with the lines that explain it, or
 * the last lines. The bytes are the guest's: every line is cut to a fixed length and made plain
 * ASCII first.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "vm/console.h"

enum {
	LINE_BYTES = 500,  /* a longer line is cut */
	BLOCK_LINES = 200, /* an oops without an end marker ends here */
	KEPT_LINES = 512,
	CONTEXT_LINES = 12, /* lines before a panic that may explain it */
};

/* A walk over the lines of a log. */
struct lines {
	const char *cursor, *end;
	char line[LINE_BYTES + 4]; /* the current one, cleaned; room for "..." */
};

/* Length of the escape sequence at text (which is ESC), at least 1. */
static size_t escape_length(const char *text, const char *end)
{
	const char *cursor = text + 1;

	if (cursor < end && *cursor == '[') {
		do
			cursor++;
		while (cursor < end && *cursor >= 0x20 && *cursor < 0x40);
		return (size_t)((cursor < end ? cursor + 1 : cursor) - text);
	}
	return cursor < end && *cursor >= 0x20 ? 2 : 1;
}

/* Copies without escape sequences; other bytes that are not plain ASCII become \xNN. */
static void clean(const char *text, const char *end, char out[static LINE_BYTES + 4])
{
	size_t length = 0;

	while (text < end && length < LINE_BYTES - 4) {
		unsigned char byte = (unsigned char)*text;

		if (byte == 0x1b) {
			text += escape_length(text, end);
			continue;
		}
		text++;
		if (byte == '\t' || (byte >= 0x20 && byte < 0x7f))
			out[length++] = (char)byte;
		else if (byte != '\r')
			length += (size_t)snprintf(out + length, 5, "\\x%02x", byte);
	}
	strcpy(out + length, text < end ? "..." : "");
}

static bool next_line(struct lines *lines)
{
	const char *end;

	if (lines->cursor >= lines->end)
		return false;
	end = memchr(lines->cursor, '\n', (size_t)(lines->end - lines->cursor));
	if (!end)
		end = lines->end;
	clean(lines->cursor, end, lines->line);
	lines->cursor = end < lines->end ? end + 1 : end;
	return true;
}

/*
 * Skips `open` ... `close` whose inside is digits, blanks, dots and the letters of printk's caller
 * ids.
 */
static const char *skip_tag(const char *line, char open, char close)
{
	size_t inside;

	if (*line != open)
		return line;
	inside = strspn(line + 1, " .0123456789TC");
	return inside && line[1 + inside] == close ? line + 2 + inside : line;
}

/* "<4>[    1.234567][   T12] text" -> "text". */
static const char *message_of(const char *line)
{
	const char *message = skip_tag(line, '<', '>');
	const char *after = skip_tag(message, '[', ']');

	while (after != message) {
		message = after + (*after == ' ');
		after = skip_tag(message, '[', ']');
	}
	return message;
}

/* word at the start of a word: "watchdog: BUG: x" has "BUG:", "DEBUG: x" has not. */
static bool has_word(const char *message, const char *word)
{
	for (const char *at = strstr(message, word); at; at = strstr(at + 1, word))
		if (at == message || !isalnum((unsigned char)at[-1]))
			return true;
	return false;
}

static bool is_panic(const char *message)
{
	return has_word(message, "Kernel panic - not syncing");
}

/* "traps: prog[12] general protection fault ip:..." is about a user program, not the kernel. */
static bool begins_failure(const char *message)
{
	static const char *const words[] = { "BUG:",          "kernel BUG at",
					     "Oops:",         "general protection fault",
					     "double fault:", "Unable to handle kernel" };

	if (is_panic(message))
		return true;
	if (ktstr_str_starts_with(message, "traps: ") ||
	    ktstr_str_starts_with(message, "Kernel command line"))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has_word(message, words[i]))
			return true;
	return false;
}

static bool ends_failure(const char *message)
{
	return ktstr_str_starts_with(message, "---[ end ");
}

/* " schedule+0x12/0x340 [mod]", " ? foo+0x1/0x2", " <TASK>": one entry of a call trace. */
static bool is_trace_entry(const char *message)
{
	const char *offset = strstr(message, "+0x");

	return message[0] == ' ' &&
	       (message[1] == '<' || (offset && strchr(offset, '/') && !strchr(message, '=')));
}

/* Lines of an oops that tell something; registers, code bytes and module lists do not. */
static bool explains(const char *message)
{
	static const char *const prefixes[] = { "RIP: ",  "Call Trace:", "CPU: ",
						"#PF: ",  "Workqueue: ", "Sched_ext: ",
						"Comm: ", "Caller: ",    "sched_ext: " };

	if (begins_failure(message) || is_trace_entry(message))
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (ktstr_str_starts_with(message, prefixes[i]))
			return true;
	return false;
}

/* What the kernel or our own init say just before a panic that they cause. */
static bool leads_to_panic(const char *message)
{
	static const char *const prefixes[] = { "VFS: ", "ktstr-init: ",
						"Initramfs unpacking failed", "Failed to execute ",
						"Out of memory" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (ktstr_str_starts_with(message, prefixes[i]))
			return true;
	return false;
}

/* The latest lines seen, so that those which lead to a panic can be shown before it. */
struct context {
	char *lines[CONTEXT_LINES];
	size_t next;
};

static void context_add(struct context *context, const char *message)
{
	free(context->lines[context->next]);
	context->lines[context->next] = leads_to_panic(message) ? ktstr_xstrdup(message) : NULL;
	context->next = (context->next + 1) % CONTEXT_LINES;
}

static void context_flush(struct context *context, struct ktstr_strv *into)
{
	for (size_t i = 0; i < CONTEXT_LINES; i++) {
		char **line = &context->lines[(context->next + i) % CONTEXT_LINES];

		if (into && *line)
			ktstr_strv_add(into, *line);
		free(*line);
		*line = NULL;
	}
}

/* All lines that belong to failures; none for a log without one. */
static void collect(const char *text, size_t length, struct ktstr_strv *kept)
{
	struct lines lines = { .cursor = text, .end = text + length };
	struct context context = { 0 };
	size_t left_in_block = 0;

	while (kept->count < KEPT_LINES && next_line(&lines)) {
		const char *message = message_of(lines.line);

		if (begins_failure(message)) {
			if (!left_in_block && is_panic(message))
				context_flush(&context, kept);
			left_in_block = BLOCK_LINES;
		}
		if (!left_in_block) {
			context_add(&context, message);
			continue;
		}
		if (explains(message))
			ktstr_strv_add(kept, message);
		left_in_block = ends_failure(message) ? 0 : left_in_block - 1;
	}
	context_flush(&context, NULL);
}

/*
 * The panic that ended the guest often follows a long trace: it gets the last place when space is
 * short.
 */
static const char *final_panic(const struct ktstr_strv *kept, size_t shown)
{
	for (size_t i = kept->count; i > shown; i--)
		if (is_panic(kept->items[i - 1]))
			return kept->items[i - 1];
	return NULL;
}

static char *join(char *const *items, size_t count, const char *last)
{
	struct ktstr_str text = { 0 };

	for (size_t i = 0; i < count; i++)
		ktstr_str_addf(&text, "%s%s", i ? "\n" : "",
			       last && i == count - 1 ? last : items[i]);
	return ktstr_str_take(&text);
}

char *ktstr_console_panic_text(const char *text, size_t length, size_t max_lines)
{
	_cleanup_strv_ struct ktstr_strv kept = { 0 };
	size_t shown;

	collect(text, length, &kept);
	if (!kept.count || !max_lines)
		return NULL;
	shown = kept.count < max_lines ? kept.count : max_lines;
	return join(kept.items, shown, final_panic(&kept, shown));
}

/* Where the last max_lines lines that hold something begin. */
static const char *tail_start(const char *text, const char *end, size_t max_lines)
{
	bool holds_text = false;

	for (; end > text; end--) {
		if (end[-1] == '\n') {
			if (holds_text && !--max_lines)
				return end;
			holds_text = false;
		} else if (!isspace((unsigned char)end[-1])) {
			holds_text = true;
		}
	}
	return text;
}

char *ktstr_console_tail(const char *text, size_t length, size_t max_lines)
{
	_cleanup_strv_ struct ktstr_strv kept = { 0 };
	struct lines lines = { .end = text + length };

	lines.cursor = max_lines && length ? tail_start(text, lines.end, max_lines) : lines.end;
	while (next_line(&lines))
		if (lines.line[strspn(lines.line, " \t")])
			ktstr_strv_add(&kept, lines.line);
	return join(kept.items, kept.count, NULL);
}
