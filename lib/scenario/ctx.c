// SPDX-License-Identifier: GPL-2.0-only
/* What a test body does with its context besides running workloads. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "scenario/scenario.h"

const char *ktstr_active_scheduler(void)
{
	static char text[160];
	_cleanup_free_ char *state = ktstr_read_line("/sys/kernel/sched_ext/state");
	_cleanup_free_ char *ops = ktstr_read_line("/sys/kernel/sched_ext/root/ops");

	snprintf(text, sizeof(text), "%s%s%s", state ? state : "absent", ops ? " " : "", ops ? ops : "");
	return text;
}

bool ktstr_scheduler_alive(const struct ktstr_ctx *ctx)
{
	if (ctx->sched_pid <= 0)
		return true;
	return !kill(ctx->sched_pid, 0) && ktstr_str_starts_with(ktstr_active_scheduler(), "enabled");
}

/* The formatted text of a variadic function, freed when its scope ends. */
#define FORMAT_ARGUMENTS(text, fmt)                                                                \
	_cleanup_str_ struct ktstr_str text = { 0 };                                               \
	va_list text##_args;                                                                       \
                                                                                                   \
	va_start(text##_args, fmt);                                                                \
	ktstr_str_vaddf(&text, fmt, text##_args);                                                  \
	va_end(text##_args)

void ktstr_skip(struct ktstr_ctx *ctx, const char *fmt, ...)
{
	FORMAT_ARGUMENTS(reason, fmt);
	ktstr_assert_record(&ctx->result, KTSTR_OUTCOME_SKIP, KTSTR_DETAIL_SKIP, "%s", ktstr_str_text(&reason));
}

void ktstr_fail(struct ktstr_ctx *ctx, const char *fmt, ...)
{
	FORMAT_ARGUMENTS(reason, fmt);
	ktstr_assert_record(&ctx->result, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "%s", ktstr_str_text(&reason));
}

void ktstr_note(struct ktstr_ctx *ctx, const char *fmt, ...)
{
	FORMAT_ARGUMENTS(text, fmt);
	ktstr_assert_note(&ctx->result, "%s", ktstr_str_text(&text));
}

bool ktstr_fail_error(struct ktstr_ctx *ctx, struct ktstr_error *error)
{
	if (!error)
		return false;
	ktstr_fail(ctx, "%s", ktstr_error_message(error));
	ktstr_error_free(error);
	return true;
}
