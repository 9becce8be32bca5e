/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames from a test program to the host, through the pipe that the agent gave it. */
#ifndef KTSTR_WIRE_PROGRAM_H
#define KTSTR_WIRE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "ktstr/error.h"
#include "wire/frame.h"

/* The environment variable with the number of the pipe's descriptor. */
#define KTSTR_WIRE_FD_ENV "KTSTR_WIRE_FD"

/* Does nothing when the program does not run under the agent. */
void ktstr_wire_send(uint32_t type, const void *payload, size_t length);
void ktstr_wire_lifecycle(enum ktstr_lifecycle stage, const char *fmt, ...) KTSTR_PRINTF(2, 3);

#endif
