/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Schedulers that come and go in the middle of a test body, while its workers run: A/B comparisons with the same
 * workers, reactions to a scheduler that leaves. The schedulers are the test's own (.scheduler) and those it stages
 * (.staged_schedulers).
 */
#ifndef KTSTR_LIVE_H
#define KTSTR_LIVE_H

#include <ktstr/error.h>
#include <ktstr/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ktstr_ctx;

/*
 * Each returns when the kernel has done it, and updates ctx->sched_pid and ctx->scheduler. Common errors:
 * KTSTR_ERR_NOT_FOUND for a scheduler that the test does not stage, KTSTR_ERR_UNSUPPORTED outside a test body, and
 * whatever keeps a scheduler from attaching (KTSTR_ERR_GUEST when it ended, KTSTR_ERR_TIMEOUT); its words are in its
 * log. After a failed attach no scheduler is attached.
 */

/* Starts a staged scheduler. KTSTR_ERR_BUSY while one is attached. */
struct ktstr_error *ktstr_live_attach(struct ktstr_ctx *ctx, const struct ktstr_scheduler *scheduler) KTSTR_CHECKED;

/*
 * Makes the kernel go back to EEVDF (SysRq-S), and ends the scheduler's process with SIGTERM, after 10 s with SIGKILL.
 * KTSTR_ERR_NOT_FOUND when none is attached: detaching twice is an error. KTSTR_ERR_TIMEOUT when sched_ext is not
 * disabled after 10 s.
 */
struct ktstr_error *ktstr_live_detach(struct ktstr_ctx *ctx) KTSTR_CHECKED;

/*
 * Ends whatever is attached, if anything is, and starts the test's own scheduler (.scheduler), also when a staged one
 * was attached. KTSTR_ERR_NOT_FOUND when the test's own is EEVDF.
 */
struct ktstr_error *ktstr_live_restart(struct ktstr_ctx *ctx) KTSTR_CHECKED;

/* Detaches and attaches a staged scheduler as one operation. KTSTR_ERR_NOT_FOUND when none is attached. */
struct ktstr_error *ktstr_live_replace(struct ktstr_ctx *ctx, const struct ktstr_scheduler *scheduler) KTSTR_CHECKED;

/*
 * Keeps the BPF map of that name (at most 15 characters, as the kernel cuts it) alive until the end of the test, also
 * when its scheduler goes; of several the one with the lowest id. The same name again does nothing.
 * KTSTR_ERR_NOT_FOUND when there is no such map.
 */
struct ktstr_error *ktstr_live_pin_bpf_map(struct ktstr_ctx *ctx, const char *name) KTSTR_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
