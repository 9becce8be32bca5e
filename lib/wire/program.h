/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test program's link to the agent: a socket that the agent gave it. Frames go out and are passed on to the host;
 * requests are answered, by the agent itself or by the host.
 */
#ifndef KTSTR_WIRE_PROGRAM_H
#define KTSTR_WIRE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "ktstr/error.h"
#include "wire/frame.h"

/* The number of the socket's descriptor, and the process whose it is: what that forks inherits it, but may not ask. */
#define KTSTR_WIRE_FD_ENV  "KTSTR_WIRE_FD"
#define KTSTR_WIRE_PID_ENV "KTSTR_WIRE_PID"

/* Does nothing when the program does not run under the agent. */
void ktstr_wire_send(uint32_t type, const void *payload, size_t length);
void ktstr_wire_lifecycle(enum ktstr_lifecycle stage, const char *fmt, ...) KTSTR_PRINTF(2, 3);

/*
 * Sends a request and waits for its reply. The id that binds the two goes before payload and is taken off *reply, which
 * gets the rest (at most KTSTR_REQUEST_MAX_BYTES). Replies to earlier requests that timed out are dropped. Requests of
 * several threads queue up. Errors: KTSTR_ERR_UNSUPPORTED outside a guest and in a forked child, KTSTR_ERR_TIMEOUT; a
 * refusal comes as it is, with the code and the words of who refuses.
 */
struct ktstr_error *ktstr_wire_request(uint32_t type, const void *payload, size_t length, uint32_t reply_type,
				       uint64_t timeout_ns, struct ktstr_str *reply) KTSTR_CHECKED;

/*
 * Called after each stimulus (a scenario or a step that begins or ends) with its frame as it was sent: a deterministic
 * guest freezes there, so that the host can look at it. NULL = nothing is called.
 */
typedef struct ktstr_error *(*ktstr_wire_stimulus_fn)(const void *frame, size_t length);
void ktstr_wire_on_stimulus(ktstr_wire_stimulus_fn fn);

#endif
