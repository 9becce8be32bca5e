// SPDX-License-Identifier: GPL-2.0-only
/* From a running VM to a view of its kernel: through the mapping that its QEMU has of the RAM file. */
#include "base/cleanup.h"
#include "observe/vm_view.h"

struct ktstr_error *ktstr_view_of_vm(const struct ktstr_vm *vm, const struct ktstr_vmlinux *vmlinux,
				     struct ktstr_kernel_view **view)
{
	struct ktstr_ram_region regions[2];
	struct ktstr_guest_memory *memory;
	_cleanup_close_ int ram = -1;
	uint64_t bytes;

	if (!vmlinux)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "there is no vmlinux with BTF for this kernel: its types are not known (fetch it with "
				       "`ktstr kernel get`, or name a vmlinux with a bzImage beside it)");
	KTSTR_TRY(ktstr_vm_open_ram(vm, &ram, &bytes));
	KTSTR_TRY(ktstr_guest_memory_of_process(ktstr_vm_pid(vm), ram, regions,
						ktstr_machine_ram_regions(bytes, regions), &memory));
	return ktstr_kernel_view_open(memory, vmlinux, ktstr_vm_vmcoreinfo(vm), view);
}
