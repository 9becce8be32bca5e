// SPDX-License-Identifier: GPL-2.0-only
/* Parameters of work types from their tables: defaults, bounds, text. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "work/work_type.h"

/* Parameter structs are the members of one union, so each begins where the first one does. */
static const char *place_of(const struct ktstr_work_type *type, const struct work_param *param)
{
	return (const char *)&type->SPIN_WAIT + param->offset;
}

static uint64_t get(const struct ktstr_work_type *type, const struct work_param *param)
{
	uint64_t value = 0; /* little-endian: the low bytes are those of every width */

	if (param->kind == WORK_PARAM_OPT_U32)
		return ((const struct ktstr_opt_u32 *)place_of(type, param))->value;
	memcpy(&value, place_of(type, param), param->bytes);
	return value;
}

static const char *text_of(const struct ktstr_work_type *type, const struct work_param *param)
{
	return *(const char *const *)place_of(type, param);
}

static bool unset(const struct ktstr_work_type *type, const struct work_param *param)
{
	if (param->kind == WORK_PARAM_TEXT)
		return !text_of(type, param);
	return param->kind == WORK_PARAM_OPT_U32 && !((const struct ktstr_opt_u32 *)place_of(type, param))->set;
}

void work_params_resolve(const struct work_type_ops *ops, struct ktstr_work_type *type)
{
	for (size_t i = 0; i < ops->params_count; i++) {
		const struct work_param *param = &ops->params[i];

		if (param->kind < WORK_PARAM_OPT_U32 && !get(type, param))
			memcpy((char *)place_of(type, param), &param->fallback, param->bytes);
	}
}

static void add_value(struct ktstr_str *text, const struct work_param *param, uint64_t value)
{
	char duration[32];

	switch (param->kind) {
	case WORK_PARAM_DURATION:
		ktstr_str_add(text, value ? ktstr_format_duration(value, duration) : "0");
		return;
	case WORK_PARAM_FLAG:
		ktstr_str_add(text, value ? "on" : "off");
		return;
	case WORK_PARAM_ENUM:
		ktstr_str_add(text, param->names[value]);
		return;
	case WORK_PARAM_NUMBER:
	case WORK_PARAM_TEXT:
	case WORK_PARAM_OPT_U32:
		ktstr_str_addf(text, "%" PRIu64, value);
		return;
	}
}

static uint64_t highest(const struct work_param *param)
{
	uint64_t names = 0;

	if (param->kind != WORK_PARAM_ENUM)
		return param->max ? param->max : UINT64_MAX;
	while (param->names[names])
		names++;
	return names - 1;
}

struct ktstr_error *work_params_validate(const struct work_type_ops *ops, const struct ktstr_work_type *type,
					 unsigned int group_idx, struct ktstr_work_type_error *detail)
{
	for (size_t i = 0; i < ops->params_count; i++) {
		const struct work_param *param = &ops->params[i];
		uint64_t value = get(type, param), max = highest(param);
		bool below = value < param->min;
		enum ktstr_work_type_error_kind kind = below ? param->error_below : param->error_above;
		_cleanup_str_ struct ktstr_str bound = { 0 };

		if (param->kind == WORK_PARAM_TEXT || unset(type, param) || (!below && value <= max))
			continue;
		detail->kind = kind ? kind : KTSTR_WORK_TYPE_BAD_PARAMETER;
		detail->field = param->name;
		detail->value = value;
		detail->bound = below ? param->min : max;
		if (param->kind == WORK_PARAM_ENUM)
			return ktstr_error_new(KTSTR_ERR_INVALID, "%s (group %u) has the unknown %s %" PRIu64, ops->name,
					       group_idx, param->name, value);
		add_value(&bound, param, detail->bound);
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s (group %u) requires %s of at %s %s, got %" PRIu64
				       "; left out it takes its default",
				       ops->name, group_idx, param->name, below ? "least" : "most", ktstr_str_text(&bound), value);
	}
	return NULL;
}

char *work_params_text(const struct work_type_ops *ops, const struct ktstr_work_type *type)
{
	struct ktstr_str text = { 0 };

	for (size_t i = 0; i < ops->params_count; i++) {
		const struct work_param *param = &ops->params[i];

		ktstr_str_addf(&text, "%s%s ", i ? ", " : "", param->name);
		if (unset(type, param))
			ktstr_str_add(&text, "unset");
		else if (param->kind == WORK_PARAM_TEXT)
			ktstr_str_add(&text, text_of(type, param));
		else
			add_value(&text, param, get(type, param));
	}
	return ktstr_str_take(&text);
}
