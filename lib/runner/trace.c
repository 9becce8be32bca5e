// SPDX-License-Identifier: GPL-2.0-only
/* Traces of deterministic runs. */
#include <string.h>

#include "runner/trace.h"

enum { SHOWN_BYTES = 200, CONTEXT_BYTES = 60 };

/* One line a frame: the type, then the payload with newlines and unprintable bytes escaped. */
void ktstr_trace_add(struct ktstr_str *trace, const struct ktstr_frame *frame)
{
	char name[12];

	ktstr_str_addf(trace, "%s ", ktstr_frame_type_name(frame->type, name));
	for (uint32_t i = 0; i < frame->length; i++) {
		uint8_t byte = frame->payload[i];

		if (byte < 0x20 || byte >= 0x7f || byte == '\\')
			ktstr_str_addf(trace, "\\x%02x", byte);
		else
			ktstr_str_add_bytes(trace, &frame->payload[i], 1);
	}
	ktstr_str_add(trace, frame->crc_ok ? "\n" : " (damaged)\n");
}

struct ktstr_error *ktstr_trace_digest(const struct ktstr_str *trace, char digest[KTSTR_DIGEST_BYTES])
{
	return ktstr_sha256(ktstr_str_text(trace), trace->length, digest);
}

char *ktstr_trace_first_difference(const char *a, const char *b)
{
	size_t line = 1, start = 0, at = 0;
	size_t shown;

	while (a[at] && a[at] == b[at]) {
		if (a[at++] == '\n') {
			line++;
			start = at;
		}
	}
	if (a[at] == b[at])
		return NULL;
	/* Long lines: begin a little before the place where they part. */
	shown = at - start > CONTEXT_BYTES ? at - CONTEXT_BYTES : start;
	return ktstr_xasprintf("event %zu (%.4s): \"%.*s\" against \"%.*s\"", line, a + start,
			       (int)strcspn(a + shown, "\n") > SHOWN_BYTES ? SHOWN_BYTES : (int)strcspn(a + shown, "\n"),
			       a + shown,
			       (int)strcspn(b + shown, "\n") > SHOWN_BYTES ? SHOWN_BYTES : (int)strcspn(b + shown, "\n"),
			       b + shown);
}
