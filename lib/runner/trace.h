/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace of a deterministic run: every frame of the guest as a line of text, in order. Its SHA-256 is the run's
 * digest; the first line in which two traces differ is where two runs parted.
 */
#ifndef KTSTR_RUNNER_TRACE_H
#define KTSTR_RUNNER_TRACE_H

#include "base/digest.h"
#include "base/str.h"
#include "wire/frame.h"

void ktstr_trace_add(struct ktstr_str *trace, const struct ktstr_frame *frame);
struct ktstr_error *ktstr_trace_digest(const struct ktstr_str *trace, char digest[KTSTR_DIGEST_BYTES])
	KTSTR_CHECKED;
/* NULL when equal, else "event N: <a> against <b>", each cut to a readable length; heap. */
char *ktstr_trace_first_difference(const char *a, const char *b);

#endif
