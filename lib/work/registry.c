// SPDX-License-Identifier: GPL-2.0-only
/* The table of work types: names, defaults and group sizes by kind. */
#include <string.h>

#include "base/str.h"
#include "work/work_type.h"

static const struct work_type_ops *const table[KTSTR_WORK_KINDS] = {
#define ROW(KIND, name) [KTSTR_WORK_##KIND] = &work_##name##_ops,
	KTSTR_WORK_TYPES(ROW)
#undef ROW
};

const struct work_type_ops *work_type_ops(enum ktstr_work_kind kind)
{
	return (unsigned int)kind < KTSTR_WORK_KINDS ? table[kind] : NULL;
}

unsigned int work_group_of_two(const struct ktstr_work_type *type)
{
	(void)type;
	return 2;
}

const char *ktstr_work_type_name(enum ktstr_work_kind kind)
{
	const struct work_type_ops *ops = work_type_ops(kind);

	return ops ? ops->name : NULL;
}

const char *ktstr_work_type_pressure(enum ktstr_work_kind kind)
{
	const struct work_type_ops *ops = work_type_ops(kind);

	return ops ? ops->pressure : NULL;
}

const char *ktstr_work_type_unit(enum ktstr_work_kind kind)
{
	const struct work_type_ops *ops = work_type_ops(kind);

	return ops ? ops->unit : NULL;
}

char *ktstr_work_type_parameters(enum ktstr_work_kind kind)
{
	struct ktstr_work_type type = ktstr_work_type_resolve(&(struct ktstr_work_type){ .kind = kind });
	const struct work_type_ops *ops = work_type_ops(kind);

	return ops ? work_params_text(ops, &type) : NULL;
}

char *ktstr_work_type_describe(const struct ktstr_work_type *type)
{
	struct ktstr_work_type resolved = ktstr_work_type_resolve(type);
	const struct work_type_ops *ops = work_type_ops(type->kind);

	return ops ? work_params_text(ops, &resolved) : ktstr_xstrdup("");
}

const char *const *ktstr_work_type_all_names(size_t *count)
{
	static const char *names[KTSTR_WORK_KINDS];

	for (size_t kind = 0; kind < KTSTR_WORK_KINDS; kind++)
		names[kind] = table[kind]->name;
	*count = KTSTR_WORK_KINDS;
	return names;
}

bool ktstr_work_type_from_name(const char *name, struct ktstr_work_type *type)
{
	for (unsigned int kind = 0; kind < KTSTR_WORK_KINDS; kind++) {
		if (strcmp(table[kind]->name, name) || table[kind]->unnamed)
			continue;
		*type = ktstr_work_type_resolve(
			&(struct ktstr_work_type){ .kind = (enum ktstr_work_kind)kind });
		return true;
	}
	return false;
}

const char *ktstr_work_type_suggest(const char *name)
{
	size_t count;
	const char *const *names = ktstr_work_type_all_names(&count);

	return ktstr_nearest_name(name, names, count);
}

struct ktstr_work_type ktstr_work_type_resolve(const struct ktstr_work_type *type)
{
	const struct work_type_ops *ops = work_type_ops(type->kind);
	struct ktstr_work_type resolved = *type;

	if (ops && !type->literal)
		work_params_resolve(ops, &resolved);
	resolved.literal = true;
	return resolved;
}

unsigned int ktstr_work_type_group_size(const struct ktstr_work_type *type)
{
	const struct work_type_ops *ops = work_type_ops(type->kind);
	struct ktstr_work_type resolved = ktstr_work_type_resolve(type);

	return ops && ops->group_size ? ops->group_size(&resolved) : 1;
}
