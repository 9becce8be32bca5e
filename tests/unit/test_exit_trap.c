// SPDX-License-Identifier: GPL-2.0-only
/* The place in a kernel where exits of schedulers are seen, in a memory of one page of text; and kernels without it. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "observe/exit_trap.h"
#include "guest_ram.h"
#include "unit.h"

enum { RAM_BYTES = 1 << 20, FUNCTION = 0x1230 };

static const char endbr_push[] = "\xf3\x0f\x1e\xfa\x0f\x1f\x44\x00\x00\x55";

struct kernel {
	char *ram;
	struct ktstr_kernel_view view;
};

static void name_function(struct kernel *kernel, const char *name)
{
	struct ktstr_symbol *symbol = ktstr_xcalloc(1, sizeof(*symbol));
	char *names = ktstr_xstrdup(name);

	*symbol = (struct ktstr_symbol){ names, KTSTR_START_KERNEL_MAP + FUNCTION };
	ktstr_symbols_destroy(kernel->view.symbols);
	kernel->view.symbols = ktstr_symbols_create(symbol, 1, names);
}

static int set_up(void **state)
{
	struct kernel *kernel = ktstr_xcalloc(1, sizeof(*kernel));

	kernel->ram = make_guest_ram(&kernel->view, RAM_BYTES);
	memcpy(kernel->ram + FUNCTION, endbr_push, sizeof(endbr_push));
	*state = kernel;
	return 0;
}

static int tear_down(void **state)
{
	struct kernel *kernel = *state;

	end_guest_ram(&kernel->view, kernel->ram, RAM_BYTES);
	free(kernel);
	return 0;
}

static void assert_refused(struct kernel *kernel, const char *part)
{
	struct ktstr_error *error = ktstr_exit_trap_set(&kernel->view);

	assert_int_equal(ktstr_error_code(error), KTSTR_ERR_UNSUPPORTED);
	assert_non_null(strstr(ktstr_error_message(error), part));
	ktstr_error_free(error);
}

static void both_ports_are_written_to_in_place_of_endbr64(void **state)
{
	static const char *const names[] = { "scx_error_irq_workfn", "scx_disable_irq_workfn" };
	struct kernel *kernel = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memcpy(kernel->ram + FUNCTION, endbr_push, sizeof(endbr_push));
		name_function(kernel, names[i]);
		for (int times = 0; times < 2; times++) {
			assert_null(ktstr_exit_trap_set(&kernel->view));
			assert_memory_equal(kernel->ram + FUNCTION, "\xe6\xeb\xe6\xec\x0f\x1f\x44\x00\x00\x55", 10);
		}
	}
}

static void a_kernel_without_the_function_is_told(void **state)
{
	struct kernel *kernel = *state;

	name_function(kernel, "scx_ops_error_irq_workfn");
	assert_refused(kernel, "neither scx_disable_irq_workfn nor");
	assert_memory_equal(kernel->ram + FUNCTION, endbr_push, sizeof(endbr_push));
}

static void other_instructions_are_left_alone(void **state)
{
	static const char fentry[] = "\x0f\x1f\x44\x00\x00\x55";
	struct kernel *kernel = *state;

	name_function(kernel, "scx_disable_irq_workfn");
	memcpy(kernel->ram + FUNCTION, fentry, sizeof(fentry));
	assert_refused(kernel, "CONFIG_X86_KERNEL_IBT");
	assert_memory_equal(kernel->ram + FUNCTION, fentry, sizeof(fentry));
}

#define IN_KERNEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_KERNEL(both_ports_are_written_to_in_place_of_endbr64),
		IN_KERNEL(a_kernel_without_the_function_is_told),
		IN_KERNEL(other_instructions_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
