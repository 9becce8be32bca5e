// SPDX-License-Identifier: GPL-2.0-only
/* Two instructions in a guest's kernel; see exit_trap.h. */
#include <string.h>

#include "observe/exit_trap.h"
#include "wire/mailbox.h"

enum { PLACE_BYTES = 4, OUT_IMM8_AL = 0xe6 };

static const uint8_t endbr64[PLACE_BYTES] = { 0xf3, 0x0f, 0x1e, 0xfa };
static const uint8_t freezes[PLACE_BYTES] = { OUT_IMM8_AL, KTSTR_FREEZE_KERNEL_PORT, OUT_IMM8_AL,
					      KTSTR_FREEZE_KERNEL_PORT + 1 };

static uint64_t find_place(const struct ktstr_kernel_view *view, const char **name)
{
	static const char *const names[] = { "scx_disable_irq_workfn", "scx_error_irq_workfn" };
	uint64_t address = 0;

	for (size_t i = 0; !address && i < sizeof(names) / sizeof(names[0]); i++) {
		*name = names[i];
		address = ktstr_view_symbol(view, names[i]);
	}
	return address;
}

struct ktstr_error *ktstr_exit_trap_set(const struct ktstr_kernel_view *view)
{
	uint8_t found[PLACE_BYTES];
	const char *name;
	uint64_t place = find_place(view, &name);

	if (!place)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "the kernel has neither scx_disable_irq_workfn nor scx_error_irq_workfn, where exits of "
				       "schedulers are seen in deterministic runs");
	if (!ktstr_read(&view->space, place, found, sizeof(found)))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s is not mapped", name);
	if (!memcmp(found, freezes, sizeof(found)))
		return NULL;
	if (memcmp(found, endbr64, sizeof(found)))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "%s does not begin with endbr64, in whose place exits of schedulers are seen in "
				       "deterministic runs: the kernel needs CONFIG_X86_KERNEL_IBT",
				       name);
	if (!ktstr_write(&view->space, place, freezes, sizeof(freezes)))
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "%s cannot be written to", name);
	return NULL;
}
