# Reads a byte, executes a known number of instructions, writes the byte, and
# again until the end of its input. One turn is 2020 instructions, of which the
# repeated copy is one:
#
#	read 5 with the flags put by 2, test 2, loop 1 + 2*1000, copy 4, write 5, jump 1
#
# Like a goroutine that was preempted, it has flags on its stack while it rests.
#
# SIGUSR1 costs 3 in its handler, and 1 for the read that it interrupts.
	.intel_syntax noprefix
	.globl _start
	.bss
buf:	.skip 1024
	.section .rodata
action:	.quad handler, 0x14000000, restorer, 0	# SA_RESTORER, SA_RESTART
	.text
handler:
	ret
restorer:
	mov eax, 15
	syscall

_start:
	mov eax, 13
	mov edi, 10
	lea rsi, action[rip]
	xor edx, edx
	mov r10d, 8
	syscall

turn:	pushfq
	xor eax, eax
	xor edi, edi
	lea rsi, buf[rip]
	mov edx, 1
	syscall
	popfq

	cmp rax, 1
	jne 9f

	mov ecx, 1000
1:	dec ecx
	jnz 1b

	lea rsi, buf[rip+1]
	lea rdi, buf[rip+512]
	mov ecx, 300
	rep movsb

	mov eax, 1
	mov edi, 1
	lea rsi, buf[rip]
	mov edx, 1
	syscall
	jmp turn

9:	mov eax, 60
	xor edi, edi
	syscall
