// SPDX-License-Identifier: GPL-2.0-only
/* Error values with a message chain; see include/ktstr/error.h for the contract. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktstr/error.h"

struct ktstr_error {
	enum ktstr_error_code code;
	int sys_errno;
	char *message;
};

/* Handed out when there is no memory left to describe what went wrong; never freed. */
static struct ktstr_error out_of_memory = {
	.code = KTSTR_ERR_NO_MEMORY,
	.sys_errno = ENOMEM,
	.message = (char *)"out of memory",
};

/* Takes ownership of message. */
static struct ktstr_error *error_make(enum ktstr_error_code code, int sys_errno, char *message)
{
	struct ktstr_error *error = message ? malloc(sizeof(*error)) : NULL;

	if (!error) {
		free(message);
		return &out_of_memory;
	}
	*error = (struct ktstr_error){ .code = code, .sys_errno = sys_errno, .message = message };
	return error;
}

static char *format_with_tail(const char *tail, const char *fmt, va_list args)
{
	char *head = NULL, *whole = NULL;

	if (vasprintf(&head, fmt, args) < 0)
		return NULL;
	if (!tail)
		return head;
	if (asprintf(&whole, "%s: %s", head, tail) < 0)
		whole = NULL;
	free(head);
	return whole;
}

struct ktstr_error *ktstr_error_new(enum ktstr_error_code code, const char *fmt, ...)
{
	va_list args;
	char *message;

	va_start(args, fmt);
	message = format_with_tail(NULL, fmt, args);
	va_end(args);
	return error_make(code, 0, message);
}

static enum ktstr_error_code code_of_errno(int sys_errno)
{
	switch (sys_errno) {
	case ENOSPC:
	case EDQUOT:
		return KTSTR_ERR_NO_SPACE;
	case ENOMEM:
		return KTSTR_ERR_NO_MEMORY;
	case ENOENT:
		return KTSTR_ERR_NOT_FOUND;
	case EBUSY:
		return KTSTR_ERR_BUSY;
	case ETIMEDOUT:
		return KTSTR_ERR_TIMEOUT;
	default:
		return KTSTR_ERR_SYSTEM;
	}
}

struct ktstr_error *ktstr_error_sys(int sys_errno, const char *fmt, ...)
{
	va_list args;
	char *message;

	va_start(args, fmt);
	message = format_with_tail(strerror(sys_errno), fmt, args);
	va_end(args);
	return error_make(code_of_errno(sys_errno), sys_errno, message);
}

struct ktstr_error *ktstr_error_wrap(struct ktstr_error *cause, const char *fmt, ...)
{
	va_list args;
	char *message;

	va_start(args, fmt);
	message = format_with_tail(ktstr_error_message(cause), fmt, args);
	va_end(args);
	if (!message || cause == &out_of_memory) {
		free(message);
		return cause;
	}
	free(cause->message);
	cause->message = message;
	return cause;
}

const char *ktstr_error_message(const struct ktstr_error *error)
{
	return error ? error->message : "";
}

enum ktstr_error_code ktstr_error_code(const struct ktstr_error *error)
{
	return error ? error->code : 0;
}

int ktstr_error_errno(const struct ktstr_error *error)
{
	return error ? error->sys_errno : 0;
}

void ktstr_error_free(struct ktstr_error *error)
{
	if (!error || error == &out_of_memory)
		return;
	free(error->message);
	free(error);
}
