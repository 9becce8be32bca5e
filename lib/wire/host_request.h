/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test body asks of the host while it runs: captures, watches, reads and writes of kernel variables. Here are
 * the calls of the guest's side, and the payloads of both sides. Every call blocks until the host has answered.
 */
#ifndef KTSTR_WIRE_HOST_REQUEST_H
#define KTSTR_WIRE_HOST_REQUEST_H

#include "base/str.h"
#include "ktstr/error.h"
#include "ktstr/kernel_op.h"
#include "ktstr/units.h"

#define KTSTR_TAG_BYTES 64 /* of a tag or symbol in a request, with its terminating NUL */

/*
 * A dump of the kernel and the scheduler, taken with all CPUs stopped and stored under the tag. The error says why
 * there is none. KTSTR_ERR_UNSUPPORTED outside a guest.
 */
struct ktstr_error *ktstr_host_capture(const char *tag) KTSTR_CHECKED;
/* The same, stamped with the phase of the scenario: 0 baseline, 1.. steps. */
struct ktstr_error *ktstr_host_capture_in_phase(const char *tag, unsigned int phase) KTSTR_CHECKED;
/*
 * From now on a capture, stored under the symbol's name, at each write to the first four bytes of a kernel variable.
 * Refused: a fourth watch, an unknown symbol, an address that is not a multiple of four.
 */
struct ktstr_error *ktstr_host_watch(const char *symbol) KTSTR_CHECKED;

/* All entries in their order; cold: in one freeze. The first that fails ends it and is named: "entry[1]: ...". */
struct ktstr_error *ktstr_host_kernel_write(bool cold, const struct ktstr_kernel_op_entry *entries, size_t count)
	KTSTR_CHECKED;
/*
 * Values of the widths that the entries have; the host stores them under the tag (not empty), and *reply (may be NULL;
 * deinit it) gets them, too.
 */
struct ktstr_error *ktstr_host_kernel_read(bool cold, const char *tag, const struct ktstr_kernel_op_entry *entries,
					   size_t count, struct ktstr_kernel_op_reply *reply) KTSTR_CHECKED;
/* Gives the host what cgroup.procs of a cgroup held, to be stored under the tag. No answer is waited for. */
void ktstr_host_record_cgroup_procs(const char *tag, const char *cgroup, const int *pids, size_t count);

/* --- payloads, without the id that ktstr_wire_request() puts before them --- */

enum ktstr_capture_kind { KTSTR_CAPTURE_NOW = 1, KTSTR_CAPTURE_AT_WRITE = 2 };

struct ktstr_capture_request {
	enum ktstr_capture_kind kind;
	char text[KTSTR_TAG_BYTES]; /* a tag, or a symbol */
	struct ktstr_opt_u32 phase; /* below 65535 */
};

/* SNRQ: u16 kind, u16 phase + 1 (0 = not told), text[64]. KTSTR_ERR_INVALID for a text that is empty or does not fit. */
struct ktstr_error *ktstr_capture_request_encode(enum ktstr_capture_kind kind, const char *text,
						 struct ktstr_opt_u32 phase, struct ktstr_str *payload) KTSTR_CHECKED;
struct ktstr_error *ktstr_capture_request_decode(const void *payload, size_t length,
						 struct ktstr_capture_request *request) KTSTR_CHECKED;
/* SNRP: u32 status, reason[64]; NULL = it worked. */
void ktstr_capture_reply_encode(const char *reason, struct ktstr_str *payload);
struct ktstr_error *ktstr_capture_reply_decode(const void *payload, size_t length) KTSTR_CHECKED;

struct ktstr_kernel_op_request {
	bool cold, write;
	char *tag; /* "" for writes */
	struct ktstr_kernel_op_entry *entries; /* own their text and bytes when decoded */
	size_t entries_count;
};

/* KORQ, KORP: JSON. Decoders take what a hostile guest may send. */
struct ktstr_error *ktstr_kernel_op_request_encode(const struct ktstr_kernel_op_request *request,
						   struct ktstr_str *payload) KTSTR_CHECKED;
struct ktstr_error *ktstr_kernel_op_request_decode(const void *payload, size_t length,
						   struct ktstr_kernel_op_request *request) KTSTR_CHECKED;
void ktstr_kernel_op_request_deinit(struct ktstr_kernel_op_request *request); /* of a decoded one */
struct ktstr_error *ktstr_kernel_op_reply_encode(const struct ktstr_kernel_op_reply *reply,
						 struct ktstr_str *payload) KTSTR_CHECKED;
struct ktstr_error *ktstr_kernel_op_reply_decode(const void *payload, size_t length,
						 struct ktstr_kernel_op_reply *reply) KTSTR_CHECKED;

#endif
