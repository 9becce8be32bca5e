/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a directly booted bzImage has instead of its boot code: from the 32-bit entry of the boot protocol, at 1 MiB with
 * boot_params in esi, to startup_64 of a kernel that is in place. The kernel asks for 64-bit mode and for itself and
 * boot_params mapped where they are: 4 GiB here, in pages of 2 MiB.
 */
	.set	BASE, 0x100000
	.set	TABLES, BASE + 0x1000		/* level 5, 4, 3, four of level 2 */
	.set	PAGE, 0x1000
	.set	PRESENT_WRITABLE, 3
	.set	LOADFLAGS, 0x211		/* of boot_params */
	.set	KASLR_FLAG, 2

	.section .rodata.ktstr_boot_stub, "a"
	.global	ktstr_boot_stub, ktstr_boot_stub_end
	.code32
ktstr_boot_stub:
	cli
	cld
	jmp	1f
	.balign	8
	/* struct parameters of direct_boot.c, at 8 */
entry:	.quad	0
five_levels:
	.long	0
randomized:
	.long	0

1:	cmpl	$0, BASE + (randomized - ktstr_boot_stub)
	je	2f
	orb	$KASLR_FLAG, LOADFLAGS(%esi)
2:	movl	$TABLES, %edi
	xorl	%eax, %eax
	movl	$(7 * PAGE / 4), %ecx
	rep stosl
	movl	$(TABLES + PAGE + PRESENT_WRITABLE), TABLES
	movl	$(TABLES + 2 * PAGE + PRESENT_WRITABLE), TABLES + PAGE
	movl	$(TABLES + 3 * PAGE + PRESENT_WRITABLE), TABLES + 2 * PAGE
	movl	$(TABLES + 4 * PAGE + PRESENT_WRITABLE), TABLES + 2 * PAGE + 8
	movl	$(TABLES + 5 * PAGE + PRESENT_WRITABLE), TABLES + 2 * PAGE + 16
	movl	$(TABLES + 6 * PAGE + PRESENT_WRITABLE), TABLES + 2 * PAGE + 24
	movl	$(TABLES + 3 * PAGE), %edi
	movl	$(0x80 + PRESENT_WRITABLE), %eax	/* large pages */
	movl	$(4 * PAGE / 8), %ecx
3:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	3b

	/* Five levels when the kernel may and the CPU can (CPUID 7, LA57). */
	movl	$(TABLES + PAGE), %ebp
	movl	%cr4, %edi
	orl	$0x20, %edi				/* PAE */
	cmpl	$0, BASE + (five_levels - ktstr_boot_stub)
	je	4f
	movl	$7, %eax
	xorl	%ecx, %ecx
	cpuid
	testl	$(1 << 16), %ecx
	jz	4f
	movl	$TABLES, %ebp
	orl	$(1 << 12), %edi			/* LA57 */
4:	movl	%edi, %cr4
	movl	%ebp, %cr3
	movl	$0xc0000080, %ecx			/* EFER */
	rdmsr
	orl	$(1 << 8), %eax				/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$(1 << 31), %eax			/* PG */
	movl	%eax, %cr0
	lgdt	BASE + (gdt_register - ktstr_boot_stub)
	ljmp	$8, $(BASE + (long_mode - ktstr_boot_stub))

	.code64
long_mode:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%esi, %esi				/* upper half 0 */
	jmp	*entry(%rip)

	.balign	8
gdt:	.quad	0
	.quad	0x00af9a000000ffff			/* 64-bit code */
gdt_register:
	.word	gdt_register - gdt - 1
	.long	BASE + (gdt - ktstr_boot_stub)
ktstr_boot_stub_end:

	.section .note.GNU-stack, "", @progbits
