/* Exceptions: level-1 interrupts go to C, MOVSP fetches the frame it misses, anything else is a fault and ends the run.
 * Source: Xtensa ISA reference manual, exception option, windowed register option (MOVSP) and debug option (ICOUNT). */

#include "registers.h"

/* What an interrupt saves below the interrupted stack pointer. */
#define FRAME 144
#define AT_REGISTER(n) ((n) * 4)
#define AT_PC 64
#define AT_PS 68
#define AT_SAR 72
#define AT_LOOP 76              /* LBEG, LEND, LCOUNT */
#define AT_MAC16 88             /* ACCLO, ACCHI, M0 to M3 */

    .macro save_special at, names:vararg    /* spends a2 */
    .set to, \at
    .irp name, \names
    rsr a2, \name
    s32i a2, a0, to
    .set to, to + 4
    .endr
    .endm

    .macro restore_special at, names:vararg /* spends a2 */
    .set from, \at
    .irp name, \names
    l32i a2, a1, from
    wsr a2, \name
    .set from, from + 4
    .endr
    .endm

    .section .vectors.text, "ax"
    .literal_position
    .global _exception
    .align 4
_exception:
    wsr a0, excsave1
    rsr a0, exccause
    beqi a0, CAUSE_INTERRUPT, _interrupt
    beqi a0, CAUSE_ALLOCA, _alloca
    j _fault

/* The caller's frame is in memory, and with it the registers that MOVSP has to move. Rotate back to that frame, as the
 * return from this call would, and let the underflow vector fetch it: MOVSP is then run again. a0's two upper bits,
 * the size of the call, say which vector. */
    .align 4
_alloca:
    rsr a0, windowbase
    rotw -1                     /* a0 is a4 now */
    rsr a2, ps
    extui a3, a2, PS_OLD_WINDOW_SHIFT, PS_OLD_WINDOW_BITS
    xor a3, a3, a4
    slli a3, a3, PS_OLD_WINDOW_SHIFT
    xor a2, a2, a3              /* OWB: the window to come back to */
    wsr a2, ps
    rsr a4, excsave1
    rsync
    _bbci.l a4, 31, 1f
    rotw -1                     /* and a8 */
    _bbci.l a8, 30, 2f
    rotw -1
    j _underflow12
1:  j _underflow4
2:  j _underflow8

/* An interrupt must leave every register as it was, between any two instructions: also between a call and its ENTRY,
 * in a loop of the core's own, and where a callee's frame lies on the stack. */
    .align 4
_interrupt:
    addi a0, a1, -FRAME
    s32i a2, a0, AT_REGISTER(2)
    s32i a3, a0, AT_REGISTER(3)
    /* The caller's registers lie below the stack pointer, which moves: they move along, as MOVSP would have it. */
    .irp at, -16, -12, -8, -4
    l32e a2, a1, \at
    s32e a2, a0, \at
    .endr
    save_special AT_REGISTER(0), excsave1
    save_special AT_PC, epc1, ps, sar
    save_special AT_LOOP, lbeg, lend, lcount
    save_special AT_MAC16, acclo, acchi, m0, m1, m2, m3
    movi a2, 0
    wsr a2, lcount              /* the handler may come by the interrupted loop's end */
    mov a1, a0
    movi a2, PS_WINDOWS | 1     /* window exceptions from here on, and no other interrupt */
    wsr a2, ps
    rsync
    .irp n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    s32i a\n, a1, AT_REGISTER(\n)
    .endr
    movi a4, kw_irq
    callx4 a4
    .irp n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    l32i a\n, a1, AT_REGISTER(\n)
    .endr
    restore_special AT_PS, ps   /* as it was in the exception: no window exceptions from here on */
    rsync
    restore_special AT_SAR, sar
    restore_special AT_LOOP, lbeg, lend, lcount
    restore_special AT_MAC16, acclo, acchi, m0, m1, m2, m3
    restore_special AT_PC, epc1
    mov a0, a1
    addi a1, a1, FRAME
    .irp at, -16, -12, -8, -4
    l32e a2, a0, \at
    s32e a2, a1, \at
    .endr
    l32i a2, a0, AT_REGISTER(2)
    l32i a3, a0, AT_REGISTER(3)
    l32i a0, a0, AT_REGISTER(0)
    rfe

/* ICOUNT has 32 bits; instead of the instruction that would make it 0 it raises this. The handler counts the times, and
 * the instruction is run again with ICOUNT at 0. Debug level is above ICOUNTLEVEL: nothing here is counted. */
    .align 4
    .global _count_carry
_count_carry:
    wsr a0, excsave6
    movi a0, kw_count_carries
    s32i a1, a0, 4              /* a place to put a1 */
    l32i a1, a0, 0
    addi a1, a1, 1
    s32i a1, a0, 0
    l32i a1, a0, 4
    movi a0, 0
    wsr a0, icount
    isync
    rsr a0, excsave6
    rfi 6

    .section .bss.count, "aw", @nobits
    .align 4
    .global kw_count_carries
kw_count_carries:
    .space 8

/* A fault: give up all that ran, and tell. a0: the cause; EXCSAVE1: a0 when it happened. */
    .section .vectors.text
    .global _fault
    .align 4
_fault:
    wsr a0, excsave2
    wsr a1, excsave3
    rsr a2, windowbase
    ssl a2
    movi a3, 1
    sll a3, a3
    wsr a3, windowstart         /* this frame alone */
    rsync
    movi a1, _estack - 16
    movi a2, PS_WINDOWS | PS_NO_INTERRUPTS
    wsr a2, ps
    rsync
    rsr a6, excsave2
    rsr a7, epc1
    rsr a8, excvaddr
    rsr a9, excsave1
    rsr a10, excsave3
    movi a4, kw_fatal
    callx4 a4
1:  j 1b
