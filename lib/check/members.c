// SPDX-License-Identifier: GPL-2.0-only
/* The driver of member tables: what each type of member looks like in text and in JSON. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "check/members.h"
#include "check/json_util.h"
#include "ktstr/phase.h"

void ktstr_format_f64(double value, struct ktstr_str *out)
{
	char text[40];

	if (isnan(value)) { /* printf may write its sign, which means nothing */
		ktstr_str_add(out, "nan");
		return;
	}
	/* 15 digits always survive the way to text and back to text, 17 the way to a double. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (!isfinite(value) || strtod(text, NULL) == value)
			break;
	}
	ktstr_str_add(out, text);
}

static bool switch_is_set(const void *value)
{
	return *(const enum ktstr_switch *)value != KTSTR_UNSET;
}

static void switch_format(const void *value, struct ktstr_str *out)
{
	ktstr_str_add(out, *(const enum ktstr_switch *)value == KTSTR_ON ? "on" : "off");
}

static json_t *switch_to_json(const void *value)
{
	return json_boolean(*(const enum ktstr_switch *)value == KTSTR_ON);
}

static struct ktstr_error *switch_from_json(const json_t *json, void *value)
{
	if (!json_is_boolean(json))
		return ktstr_json_mismatch(json, "true, false or null");
	*(enum ktstr_switch *)value = json_is_true(json) ? KTSTR_ON : KTSTR_OFF;
	return NULL;
}

static bool opt_u64_is_set(const void *value)
{
	return ((const struct ktstr_opt_u64 *)value)->set;
}

static void u64_format(const void *value, struct ktstr_str *out)
{
	ktstr_str_addf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
}

static void opt_u64_format(const void *value, struct ktstr_str *out)
{
	u64_format(&((const struct ktstr_opt_u64 *)value)->value, out);
}

static json_t *u64_to_json(const void *value)
{
	return ktstr_json_u64(*(const uint64_t *)value);
}

static json_t *opt_u64_to_json(const void *value)
{
	return ktstr_json_u64(((const struct ktstr_opt_u64 *)value)->value);
}

static struct ktstr_error *u64_from_json(const json_t *json, void *value)
{
	return ktstr_json_read_u64(json, value);
}

static struct ktstr_error *opt_u64_from_json(const json_t *json, void *value)
{
	struct ktstr_opt_u64 *opt = value;

	KTSTR_TRY(ktstr_json_read_u64(json, &opt->value));
	opt->set = true;
	return NULL;
}

static bool opt_f64_is_set(const void *value)
{
	return ((const struct ktstr_opt_f64 *)value)->set;
}

static void f64_format(const void *value, struct ktstr_str *out)
{
	ktstr_format_f64(*(const double *)value, out);
}

static void opt_f64_format(const void *value, struct ktstr_str *out)
{
	f64_format(&((const struct ktstr_opt_f64 *)value)->value, out);
}

static json_t *f64_to_json(const void *value)
{
	return ktstr_json_f64(*(const double *)value);
}

static json_t *opt_f64_to_json(const void *value)
{
	return ktstr_json_f64(((const struct ktstr_opt_f64 *)value)->value);
}

static struct ktstr_error *f64_from_json(const json_t *json, void *value)
{
	if (json_is_null(json)) {
		*(double *)value = NAN;
		return NULL;
	}
	return ktstr_json_read_f64(json, value);
}

static struct ktstr_error *opt_f64_from_json(const json_t *json, void *value)
{
	struct ktstr_opt_f64 *opt = value;

	KTSTR_TRY(ktstr_json_read_f64(json, &opt->value));
	opt->set = true;
	return NULL;
}

static void uint_format(const void *value, struct ktstr_str *out)
{
	ktstr_str_addf(out, "%u", *(const unsigned int *)value);
}

static json_t *uint_to_json(const void *value)
{
	return json_integer(*(const unsigned int *)value);
}

static struct ktstr_error *uint_from_json(const json_t *json, void *value)
{
	uint64_t wide;

	KTSTR_TRY(ktstr_json_read_u64(json, &wide));
	if (wide > UINT_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%llu does not fit 32 bits",
				       (unsigned long long)wide);
	*(unsigned int *)value = (unsigned int)wide;
	return NULL;
}

static void u16_format(const void *value, struct ktstr_str *out)
{
	ktstr_str_addf(out, "%u", *(const uint16_t *)value);
}

static json_t *u16_to_json(const void *value)
{
	return json_integer(*(const uint16_t *)value);
}

static struct ktstr_error *u16_from_json(const json_t *json, void *value)
{
	uint64_t wide;

	KTSTR_TRY(ktstr_json_read_u64(json, &wide));
	if (wide > UINT16_MAX)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%llu does not fit 16 bits",
				       (unsigned long long)wide);
	*(uint16_t *)value = (uint16_t)wide;
	return NULL;
}

static void bool_format(const void *value, struct ktstr_str *out)
{
	ktstr_str_add(out, *(const bool *)value ? "true" : "false");
}

static json_t *bool_to_json(const void *value)
{
	return json_boolean(*(const bool *)value);
}

static struct ktstr_error *bool_from_json(const json_t *json, void *value)
{
	if (!json_is_boolean(json))
		return ktstr_json_mismatch(json, "true or false");
	*(bool *)value = json_is_true(json);
	return NULL;
}

static bool phase_is_set(const void *value)
{
	return ((const struct ktstr_opt_u32 *)value)->set;
}

static void phase_format(const void *value, struct ktstr_str *out)
{
	char text[KTSTR_PHASE_TEXT_BYTES];

	ktstr_str_add(out, ktstr_phase_format(
				   (uint16_t)((const struct ktstr_opt_u32 *)value)->value, text));
}

static json_t *phase_to_json(const void *value)
{
	char text[KTSTR_PHASE_TEXT_BYTES];

	return json_string(
		ktstr_phase_format((uint16_t)((const struct ktstr_opt_u32 *)value)->value, text));
}

static struct ktstr_error *phase_from_json(const json_t *json, void *value)
{
	struct ktstr_opt_u32 *opt = value;
	_cleanup_free_ char *text = NULL;
	uint16_t phase;

	KTSTR_TRY(ktstr_json_read_text(json, &text));
	if (!ktstr_phase_parse(text, &phase))
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "\"%.40s\" is no phase", text);
	*opt = (struct ktstr_opt_u32)KTSTR_SOME(phase);
	return NULL;
}

static bool text_is_set(const void *value)
{
	return *(char *const *)value != NULL;
}

static void text_format(const void *value, struct ktstr_str *out)
{
	ktstr_str_add(out, *(char *const *)value);
}

static json_t *text_to_json(const void *value)
{
	return ktstr_json_text(*(char *const *)value);
}

static struct ktstr_error *text_from_json(const json_t *json, void *value)
{
	return ktstr_json_read_text(json, value);
}

static void cpus_format(const void *value, struct ktstr_str *out)
{
	_cleanup_free_ char *text = ktstr_cpus_to_text(value);

	ktstr_str_add(out, text);
}

static json_t *cpus_to_json(const void *value)
{
	_cleanup_free_ char *text = ktstr_cpus_to_text(value);

	return ktstr_json_text(text);
}

static struct ktstr_error *cpus_from_json(const json_t *json, void *value)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_error_ struct ktstr_error *error = NULL;

	KTSTR_TRY(ktstr_json_read_text(json, &text));
	error = ktstr_cpus_parse(text, value);
	if (error)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "%s", ktstr_error_message(error));
	return NULL;
}

/* is_set is NULL where a value is always there; such a key must be in the JSON. */
static const struct type_ops {
	size_t size;
	bool (*is_set)(const void *value);
	void (*format)(const void *value, struct ktstr_str *out);
	json_t *(*to_json)(const void *value);
	struct ktstr_error *(*from_json)(const json_t *json, void *value);
} types[] = {
	[KTSTR_MEMBER_SWITCH] = { sizeof(enum ktstr_switch), switch_is_set, switch_format,
				  switch_to_json, switch_from_json },
	[KTSTR_MEMBER_OPT_U64] = { sizeof(struct ktstr_opt_u64), opt_u64_is_set, opt_u64_format,
				   opt_u64_to_json, opt_u64_from_json },
	[KTSTR_MEMBER_OPT_F64] = { sizeof(struct ktstr_opt_f64), opt_f64_is_set, opt_f64_format,
				   opt_f64_to_json, opt_f64_from_json },
	[KTSTR_MEMBER_U64] = { sizeof(uint64_t), NULL, u64_format, u64_to_json, u64_from_json },
	[KTSTR_MEMBER_F64] = { sizeof(double), NULL, f64_format, f64_to_json, f64_from_json },
	[KTSTR_MEMBER_UINT] = { sizeof(unsigned int), NULL, uint_format, uint_to_json,
				uint_from_json },
	[KTSTR_MEMBER_U16] = { sizeof(uint16_t), NULL, u16_format, u16_to_json, u16_from_json },
	[KTSTR_MEMBER_BOOL] = { sizeof(bool), NULL, bool_format, bool_to_json, bool_from_json },
	[KTSTR_MEMBER_PHASE] = { sizeof(struct ktstr_opt_u32), phase_is_set, phase_format,
				 phase_to_json, phase_from_json },
	[KTSTR_MEMBER_TEXT] = { sizeof(char *), text_is_set, text_format, text_to_json,
				text_from_json },
	[KTSTR_MEMBER_CPUS] = { sizeof(struct ktstr_cpus), NULL, cpus_format, cpus_to_json,
				cpus_from_json },
};

static const void *value_of(const struct ktstr_member *member, const void *object)
{
	return (const char *)object + member->offset;
}

bool ktstr_member_is_set(const struct ktstr_member *member, const void *object)
{
	const struct type_ops *type = &types[member->type];

	return !type->is_set || type->is_set(value_of(member, object));
}

void ktstr_member_copy(const struct ktstr_member *member, void *to, const void *from)
{
	memcpy((char *)to + member->offset, value_of(member, from), types[member->type].size);
}

void ktstr_member_format(const struct ktstr_member *member, const void *object,
			 struct ktstr_str *out)
{
	if (ktstr_member_is_set(member, object))
		types[member->type].format(value_of(member, object), out);
	else
		ktstr_str_add(out, "none");
}

json_t *ktstr_struct_to_json(const struct ktstr_member *members, size_t count, const void *object)
{
	json_t *json = json_object();

	for (size_t i = 0; i < count; i++) {
		const void *value = value_of(&members[i], object);
		bool set = ktstr_member_is_set(&members[i], object);

		json_object_set_new(json, members[i].name,
				    set ? types[members[i].type].to_json(value) : json_null());
	}
	return json;
}

struct ktstr_error *ktstr_struct_from_json(const struct ktstr_member *members, size_t count,
					    const json_t *json, void *object)
{
	if (!json_is_object(json))
		return ktstr_json_mismatch(json, "an object");
	for (size_t i = 0; i < count; i++) {
		const struct type_ops *type = &types[members[i].type];
		const json_t *value = json_object_get(json, members[i].name);

		if (type->is_set && (!value || json_is_null(value)))
			continue;
		KTSTR_TRY_WRAP(type->from_json(value, (char *)object + members[i].offset), "%s",
			       members[i].name);
	}
	return NULL;
}
