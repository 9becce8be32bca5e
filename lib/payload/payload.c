// SPDX-License-Identifier: GPL-2.0-only
/* Payload declarations: the names in them, and what they may say. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "ktstr/payload.h"

const struct ktstr_payload KTSTR_PAYLOAD_KERNEL_DEFAULT = {
	.name = "kernel_default",
	.kind = KTSTR_PAYLOAD_SCHEDULER,
	.scheduler = &KTSTR_SCHED_EEVDF,
};

const char *ktstr_polarity_name(enum ktstr_polarity_kind kind)
{
	static const char *const names[] = { "unknown", "higher_better", "lower_better", "target_value",
					     "informational" };

	return (unsigned int)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

const char *ktstr_metric_stream_name(enum ktstr_metric_stream stream)
{
	static const char *const names[] = { "stdout", "stderr", "synthesized" };

	return (unsigned int)stream < sizeof(names) / sizeof(names[0]) ? names[stream] : NULL;
}

/* "--foo" of "--foo=v": its length. */
static size_t flag_length(const char *argument)
{
	return strcspn(argument, "=");
}

static bool knows_flag(const struct ktstr_payload *payload, const char *argument, size_t *count)
{
	size_t length = flag_length(argument);

	for (*count = 0; payload->known_flags[*count]; (*count)++)
		if (strlen(payload->known_flags[*count]) == length &&
		    !strncmp(payload->known_flags[*count], argument, length))
			return true;
	return false;
}

struct ktstr_error *ktstr_payload_check_args(const struct ktstr_payload *payload, const char *const *args)
{
	for (size_t i = 0; payload->known_flags && args && args[i] && strcmp(args[i], "--"); i++) {
		_cleanup_free_ char *flag = ktstr_xstrndup(args[i], flag_length(args[i]));
		const char *nearest;
		size_t count;

		if (!ktstr_str_starts_with(args[i], "--") || knows_flag(payload, args[i], &count))
			continue;
		nearest = ktstr_nearest_name(flag, payload->known_flags, count);
		return ktstr_error_new(KTSTR_ERR_INVALID, "unknown flag %s%s%s%s; .known_flags name the %zu it takes", flag,
				       nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "",
				       count);
	}
	return NULL;
}

static struct ktstr_error *check_name(const struct ktstr_payload *payload)
{
	const char *name = payload->name;

	if (!name || !*name)
		return ktstr_error_new(KTSTR_ERR_INVALID, "a payload has no .name");
	for (; *name; name++)
		if (*name == '/' || isspace((unsigned char)*name) || iscntrl((unsigned char)*name))
			return ktstr_error_new(KTSTR_ERR_INVALID, "payload \"%s\": .name must have no '/' and no blank",
					       payload->name);
	return NULL;
}

static struct ktstr_error *check_kind(const struct ktstr_payload *payload)
{
	const char *binary = payload->binary;

	if (payload->kind == KTSTR_PAYLOAD_SCHEDULER && !payload->scheduler)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".scheduler is missing: its .kind is SCHEDULER");
	if (payload->kind == KTSTR_PAYLOAD_BINARY && (!binary || !*binary))
		return ktstr_error_new(KTSTR_ERR_INVALID, ".binary is missing: the name of a program, or its path");
	if (binary && ktstr_str_ends_with(binary, "/"))
		return ktstr_error_new(KTSTR_ERR_INVALID, ".binary \"%s\" is a directory: name the program in it", binary);
	if ((unsigned int)payload->output > KTSTR_OUTPUT_JSON)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".output %d is neither EXIT_CODE nor JSON", (int)payload->output);
	return NULL;
}

static struct ktstr_error *check_hints(const struct ktstr_metric_hint *hints)
{
	for (size_t i = 0; hints && hints[i].name; i++) {
		if (!ktstr_polarity_name(hints[i].polarity.kind))
			return ktstr_error_new(KTSTR_ERR_INVALID, ".metrics: %s has no polarity %d", hints[i].name,
					       (int)hints[i].polarity.kind);
		if (hints[i].polarity.kind == KTSTR_POLARITY_TARGET_VALUE && !isfinite(hints[i].polarity.target))
			return ktstr_error_new(KTSTR_ERR_INVALID, ".metrics: the target of %s is not a finite number",
					       hints[i].name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(hints[i].name, hints[j].name))
				return ktstr_error_new(KTSTR_ERR_INVALID, ".metrics: %s is named twice", hints[i].name);
	}
	return NULL;
}

static struct ktstr_error *check_check(const struct ktstr_metric_check *check)
{
	bool bounded = check->kind == KTSTR_METRIC_CHECK_MIN || check->kind == KTSTR_METRIC_CHECK_MAX ||
		       check->kind == KTSTR_METRIC_CHECK_RANGE;

	if ((unsigned int)check->kind > KTSTR_METRIC_CHECK_EXIT_CODE_EQ)
		return ktstr_error_new(KTSTR_ERR_INVALID, "there is no kind of check %d", (int)check->kind);
	if (check->kind != KTSTR_METRIC_CHECK_EXIT_CODE_EQ && (!check->metric || !*check->metric))
		return ktstr_error_new(KTSTR_ERR_INVALID, "it names no metric");
	if (bounded && (isnan(check->lo) || isnan(check->hi)))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s: a bound is not a number", check->metric);
	if (check->kind == KTSTR_METRIC_CHECK_RANGE && check->lo > check->hi)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s: the range %g to %g is empty", check->metric, check->lo,
				       check->hi);
	return NULL;
}

struct ktstr_error *ktstr_payload_checks_validate(const struct ktstr_metric_check *checks)
{
	for (size_t i = 0; checks && checks[i].kind; i++)
		KTSTR_TRY_WRAP(check_check(&checks[i]), "check %zu", i);
	return NULL;
}

struct ktstr_error *ktstr_payload_validate(const struct ktstr_payload *payload)
{
	KTSTR_TRY(check_name(payload));
	KTSTR_TRY_WRAP(check_kind(payload), "payload %s", payload->name);
	KTSTR_TRY_WRAP(check_hints(payload->metrics), "payload %s", payload->name);
	KTSTR_TRY_WRAP(ktstr_payload_checks_validate(payload->default_checks), "payload %s: .default_checks",
		       payload->name);
	KTSTR_TRY_WRAP(ktstr_payload_check_args(payload, payload->default_args), "payload %s: .default_args",
		       payload->name);
	return NULL;
}
