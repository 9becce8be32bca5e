/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors as values: a function that can fail returns `struct ktstr_error *`, NULL meaning success.
 * An error is a code plus a message that callers extend on the way up
 * ("cannot restore template: cannot map RAM file: ...").
 */
#ifndef KTSTR_ERROR_H
#define KTSTR_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

enum ktstr_error_code {
	KTSTR_ERR_INVALID = 1, /* a value the user gave cannot be used */
	KTSTR_ERR_NOT_FOUND,
	KTSTR_ERR_SYSTEM, /* a system call failed; ktstr_error_errno() says how */
	KTSTR_ERR_NO_MEMORY,
	KTSTR_ERR_NO_SPACE,
	KTSTR_ERR_TIMEOUT,
	KTSTR_ERR_BUSY, /* a resource is held by somebody else */
	KTSTR_ERR_UNSUPPORTED, /* this host, kernel or QEMU cannot do it */
	KTSTR_ERR_CORRUPT, /* data on disk, in a frame or in guest memory is not what it must be */
	KTSTR_ERR_GUEST, /* the guest reported or suffered a failure */
	KTSTR_ERR_CANCELLED, /* the user asked to stop */
};

struct ktstr_error;

#define KTSTR_CHECKED __attribute__((warn_unused_result))
#define KTSTR_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* A new error. Never returns NULL: out of memory yields a static KTSTR_ERR_NO_MEMORY error. */
struct ktstr_error *ktstr_error_new(enum ktstr_error_code code, const char *fmt, ...)
	KTSTR_PRINTF(2, 3) KTSTR_CHECKED;

/*
 * An error for a failed system call: "<fmt>: <strerror(sys_errno)>". ENOSPC, ENOMEM, ENOENT, EBUSY
 * and ETIMEDOUT get their own codes, everything else is KTSTR_ERR_SYSTEM.
 */
struct ktstr_error *ktstr_error_sys(int sys_errno, const char *fmt, ...)
	KTSTR_PRINTF(2, 3) KTSTR_CHECKED;

/* "<fmt>: <message of cause>"; takes ownership of cause and keeps its code. */
struct ktstr_error *ktstr_error_wrap(struct ktstr_error *cause, const char *fmt, ...)
	KTSTR_PRINTF(2, 3) KTSTR_CHECKED;

/* "" for NULL. The string lives as long as the error. */
const char *ktstr_error_message(const struct ktstr_error *error);

/* 0 for NULL. */
enum ktstr_error_code ktstr_error_code(const struct ktstr_error *error);

/* The errno of a failed system call, 0 when there was none. */
int ktstr_error_errno(const struct ktstr_error *error);

/* Accepts NULL. */
void ktstr_error_free(struct ktstr_error *error);

#ifdef __cplusplus
}
#endif
#endif
