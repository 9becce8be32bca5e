// SPDX-License-Identifier: GPL-2.0-only
/* Building backdrops and lists of definitions piece by piece. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ktstr/step.h"

enum { OWNS_CGROUPS = 1, OWNS_OPS = 2, OWNS_PAYLOADS = 4 };

void ktstr_cgroup_defs_push(struct ktstr_cgroup_defs *defs, struct ktstr_cgroup_def def)
{
	defs->items = ktstr_xrealloc(defs->items, (defs->count + 1) * sizeof(*defs->items));
	defs->items[defs->count++] = def;
}

/* `count` elements of that size behind those there are, in an array that is the backdrop's own from now on. */
static void *extended(struct ktstr_backdrop *backdrop, unsigned char bit, const void *array, size_t old_count,
		      const void *more, size_t count, size_t size)
{
	char *grown = ktstr_xmalloc((old_count + count) * size);

	if (old_count)
		memcpy(grown, array, old_count * size);
	if (count)
		memcpy(grown + old_count * size, more, count * size);
	if (backdrop->owned_ & bit)
		free((void *)array);
	backdrop->owned_ |= bit;
	return grown;
}

void ktstr_backdrop_extend_cgroups(struct ktstr_backdrop *backdrop, const struct ktstr_cgroup_def *defs, size_t count)
{
	struct ktstr_setup *setup = &backdrop->setup;

	setup->defs = extended(backdrop, OWNS_CGROUPS, setup->defs, setup->defs_count, defs, count, sizeof(*defs));
	setup->defs_count += count;
}

void ktstr_backdrop_extend_ops(struct ktstr_backdrop *backdrop, const struct ktstr_op *ops, size_t count)
{
	backdrop->ops = extended(backdrop, OWNS_OPS, backdrop->ops, backdrop->ops_count, ops, count, sizeof(*ops));
	backdrop->ops_count += count;
}

void ktstr_backdrop_push_cgroup(struct ktstr_backdrop *backdrop, struct ktstr_cgroup_def def)
{
	ktstr_backdrop_extend_cgroups(backdrop, &def, 1);
}

void ktstr_backdrop_push_op(struct ktstr_backdrop *backdrop, struct ktstr_op op)
{
	ktstr_backdrop_extend_ops(backdrop, &op, 1);
}

void ktstr_backdrop_push_payload(struct ktstr_backdrop *backdrop, const struct ktstr_payload *payload)
{
	const struct ktstr_payload *const with_end[] = { payload, NULL };
	size_t count = 0;

	while (backdrop->payloads && backdrop->payloads[count])
		count++;
	backdrop->payloads =
		extended(backdrop, OWNS_PAYLOADS, backdrop->payloads, count, with_end, 2, sizeof(*with_end));
}

void ktstr_backdrop_deinit(struct ktstr_backdrop *backdrop)
{
	if (backdrop->owned_ & OWNS_CGROUPS)
		free((void *)backdrop->setup.defs);
	if (backdrop->owned_ & OWNS_OPS)
		free((void *)backdrop->ops);
	if (backdrop->owned_ & OWNS_PAYLOADS)
		free((void *)backdrop->payloads);
	*backdrop = KTSTR_BACKDROP_EMPTY;
}
