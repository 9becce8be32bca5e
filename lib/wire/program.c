// SPDX-License-Identifier: GPL-2.0-only
/* Frames from a test program to the agent, which passes them on. */
#include <stdarg.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "wire/program.h"

void ktstr_wire_send(uint32_t type, const void *payload, size_t length)
{
	const char *fd_text = ktstr_env(KTSTR_WIRE_FD_ENV);
	_cleanup_str_ struct ktstr_str bytes = { 0 };
	_cleanup_error_ struct ktstr_error *error = NULL;

	if (!fd_text)
		return;
	ktstr_frame_encode(&bytes, type, payload, length);
	error = ktstr_write_all(atoi(fd_text), bytes.data, bytes.length, "the frame pipe");
	if (error)
		fprintf(stderr, "ktstr: %s\n", ktstr_error_message(error));
}

void ktstr_wire_lifecycle(enum ktstr_lifecycle stage, const char *fmt, ...)
{
	_cleanup_str_ struct ktstr_str payload = { 0 };
	va_list args;

	va_start(args, fmt);
	ktstr_frame_lifecycle(&payload, stage, fmt, args);
	va_end(args);
	ktstr_wire_send(KTSTR_FRAME_LIFECYCLE, payload.data, payload.length);
}
