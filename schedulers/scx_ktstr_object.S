/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carries the compiled BPF object inside the loader, so that the scheduler is a single file.
 * BPF_OBJECT is the path of the object as a string.
 */
	.section .rodata
	.balign 16
	.global scx_ktstr_object
	.type scx_ktstr_object, %object
scx_ktstr_object:
	.incbin BPF_OBJECT
	.size scx_ktstr_object, . - scx_ktstr_object
	.global scx_ktstr_object_end
scx_ktstr_object_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
