/* Frames of other functions: spill them all to the stack, and jump back over them (setjmp, longjmp).
 *
 * MicroPython raises exceptions by setjmp and longjmp, and its garbage collector looks for pointers on the stack.
 * Both need what register windows hold. Source: Xtensa ISA reference manual, windowed register option. */

#include "registers.h"

/* Every frame from the caller's caller up goes to the stack: 3 calls of 8, the last of which touches a7, come round all
 * 32 registers. The caller's own first eight go when one of these calls was entered from a call of 8 of its own. */
    .section .text.spill, "ax"
    .align 4
    .global kw_spill
kw_spill:
    entry a1, 32
    call8 1f
    retw
    .align 4
1:  entry a1, 32
    call8 2f
    retw
    .align 4
2:  entry a1, 32
    mov a7, a7
    retw

/* Four words, through a4. */
    .macro copy from, from_offset, to, to_offset
    .irp n, 0, 4, 8, 12
    l32i a4, \from, \from_offset + \n
    s32i a4, \to, \to_offset + \n
    .endr
    .endm

/* The buffer: the caller's a0 to a7, what lies below its stack pointer (its own caller's a0 to a3), where to return. */
#define FIRST_FOUR 0
#define NEXT_FOUR 16
#define BELOW 32
#define RETURN 48
#define STACK_POINTER 4         /* a1 among four registers */

/* int setjmp(jmp_buf buffer). Its caller must have called it by a call of 8, as compilers do. */
    .section .text.setjmp, "ax"
    .align 4
    .global setjmp
setjmp:
    entry a1, 32
    call8 kw_spill
    addi a3, a1, -16
    copy a3, 0, a2, FIRST_FOUR
    l32i a5, a3, STACK_POINTER
    addi a5, a5, -16
    copy a5, 0, a2, BELOW
    l32i a5, a5, STACK_POINTER
    addi a5, a5, -32
    copy a5, 0, a2, NEXT_FOUR
    s32i a0, a2, RETURN
    movi a2, 0
    retw

/* void longjmp(jmp_buf buffer, int value). Frames older than setjmp's are all on the stack since: forget what registers
 * hold, put the caller's frame where an underflow looks for it, and return into it. */
    .section .text.longjmp, "ax"
    .align 4
    .global longjmp
longjmp:
    entry a1, 32
    rsil a7, PS_NO_INTERRUPTS   /* between here and the return, the stack is not what the windows say */
    rsr a4, windowbase
    ssl a4
    movi a5, 1
    sll a5, a5
    wsr a5, windowstart
    rsync
    addi a6, a1, -16
    copy a2, FIRST_FOUR, a6, 0
    l32i a6, a2, FIRST_FOUR + STACK_POINTER
    addi a6, a6, -16
    copy a2, BELOW, a6, 0
    l32i a6, a2, BELOW + STACK_POINTER
    addi a6, a6, -32
    copy a2, NEXT_FOUR, a6, 0
    l32i a0, a2, RETURN
    movi a2, 1
    movnez a2, a3, a3
    wsr a7, ps
    rsync
    retw
