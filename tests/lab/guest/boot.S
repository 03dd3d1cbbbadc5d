/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Multiboot header, entry point and interrupt entries. */

#define MULTIBOOT_MAGIC	0x1badb002
#define MULTIBOOT_FLAGS	0x00000002	/* memory size wanted */
#define STACK_BYTES	16384

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.text
	.globl _start
_start:
	cli
	movl	$stack_top, %esp
	pushl	%ebx
	pushl	%eax
	call	guest_main
	call	cpu_halt

/* void load_segments(const struct descriptor *gdtr, const struct descriptor *idtr) */
	.globl load_segments
load_segments:
	movl	4(%esp), %eax
	lgdt	(%eax)
	movl	8(%esp), %eax
	lidt	(%eax)
	ljmp	$8, $1f
1:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	ret

	.globl irq_timer
irq_timer:
	pushl	%eax
	movb	$0x20, %al	/* end of interrupt, else the controller sends no further one */
	outb	%al, $0x20
	popl	%eax
	iret

	.globl irq_ignore
irq_ignore:
	iret

/* One entry per exception, EXCEPTION_ENTRY_BYTES each; none is expected, none returns. */
	.globl exception_entries
	.balign 16
exception_entries:
	.set	vector, 0
	.rept	32
	.balign	16
	pushl	$vector
	call	exception
	.set	vector, vector + 1
	.endr

	.bss
	.balign 16
	.skip	STACK_BYTES
stack_top:

	.section .note.GNU-stack, "", @progbits
