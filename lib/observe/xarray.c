// SPDX-License-Identifier: GPL-2.0-only
/* Walking an xarray from outside. An entry whose low bits are 10 and that is above 4096 is a node of the tree. */
#include "observe/xarray.h"

enum { SLOTS = 64, LEVELS_MAX = 11 /* 6 bits each: all of 64 */, INTERNAL_MAX = 4096 };

struct walk {
	const struct ktstr_kernel_view *view;
	size_t left;
	bool (*visit)(void *context, uint64_t index, uint64_t pointer);
	void *context;
};

static bool is_node(uint64_t entry)
{
	return (entry & 3) == 2 && entry > INTERNAL_MAX;
}

static bool is_pointer(uint64_t entry)
{
	return entry && !(entry & 3);
}

static bool walk_node(struct walk *walk, uint64_t address, uint64_t base, int level)
{
	struct ktstr_object node = ktstr_object(walk->view, "xa_node", address);
	uint64_t slots[SLOTS], shift;

	if (level >= LEVELS_MAX || !ktstr_get(&node, "shift", &shift) || shift > 60 ||
	    !ktstr_read(&walk->view->space, ktstr_member_address(&node, "slots"), slots, sizeof(slots)))
		return true; /* this subtree is lost, not the others */
	for (uint64_t i = 0; i < SLOTS; i++) {
		uint64_t index = base + (i << shift);

		if (!walk->left--)
			return false;
		if (shift && is_node(slots[i]) && !walk_node(walk, slots[i] - 2, index, level + 1))
			return false;
		if (!shift && is_pointer(slots[i]) && !walk->visit(walk->context, index, slots[i]))
			return false;
	}
	return true;
}

void ktstr_walk_xarray(const struct ktstr_kernel_view *view, uint64_t address, size_t cap,
		       bool (*visit)(void *context, uint64_t index, uint64_t pointer), void *context)
{
	struct walk walk = { .view = view, .left = cap, .visit = visit, .context = context };
	struct ktstr_object array = ktstr_object(view, "xarray", address);
	uint64_t head;

	if (!ktstr_get(&array, "xa_head", &head))
		return;
	if (is_node(head))
		walk_node(&walk, head - 2, 0, 0);
	else if (is_pointer(head)) /* a single entry, at index 0 */
		visit(context, 0, head);
}
