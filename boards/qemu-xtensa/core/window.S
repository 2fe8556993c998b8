/* The vectors at VECBASE: register windows that overflow to the stack and underflow from it, then all others.
 *
 * A frame of 4, 8 or 12 registers saves its first four below its callee's stack pointer, the others below its own
 * caller's. Source: Xtensa ISA reference manual, windowed register option: vectors, and layout of the stack. */

#include "registers.h"

/* Registers \first and on, to or from descending places below \base. */
    .macro save base, offset, registers:vararg
    .set at, \offset
    .irp register, \registers
    s32e \register, \base, at
    .set at, at + 4
    .endr
    .endm

    .macro load base, offset, registers:vararg
    .set at, \offset
    .irp register, \registers
    l32e \register, \base, at
    .set at, at + 4
    .endr
    .endm

    .section .vectors, "ax"
    .global _vectors
_vectors:
    .org 0x000                  /* overflow of a frame of 4 */
    save a5, -16, a0, a1, a2, a3
    rfwo

    .org 0x040                  /* underflow of a frame of 4 */
    .global _underflow4
_underflow4:
    load a5, -16, a0, a1, a2, a3
    rfwu

    .org 0x080                  /* overflow of a frame of 8 */
    s32e a0, a9, -16
    l32e a0, a1, -12            /* its caller's stack pointer */
    save a9, -12, a1, a2, a3
    save a0, -32, a4, a5, a6, a7
    rfwo

    .org 0x0C0                  /* underflow of a frame of 8 */
    .global _underflow8
_underflow8:
    load a9, -16, a0, a1, a2
    l32e a7, a1, -12
    l32e a3, a9, -4
    load a7, -32, a4, a5, a6, a7
    rfwu

    .org 0x100                  /* overflow of a frame of 12 */
    s32e a0, a13, -16
    l32e a0, a1, -12
    save a13, -12, a1, a2, a3
    save a0, -48, a4, a5, a6, a7, a8, a9, a10, a11
    rfwo

    .org 0x140                  /* underflow of a frame of 12 */
    .global _underflow12
_underflow12:
    load a13, -16, a0, a1, a2
    l32e a11, a1, -12
    l32e a3, a13, -4
    load a11, -48, a4, a5, a6, a7, a8, a9, a10, a11
    rfwu

/* Interrupts of these levels are never enabled. */
    .irp level, 2, 3, 4, 5
    .org 0x180 + (\level - 2) * 0x40
    wsr a0, excsave1
    movi a0, KW_FAULT_LEVEL + \level
    j _fault
    .endr

    .org 0x280                  /* debug: the instruction counter has run over */
    j _count_carry

    .org 0x2C0                  /* not maskable */
    wsr a0, excsave1
    movi a0, KW_FAULT_LEVEL + 7
    j _fault

    .org 0x300                  /* exceptions of the kernel, which all code here is */
    j _exception

    .org 0x340                  /* of user code, which there is none of */
    j _exception

    .org 0x3C0                  /* an exception within an exception's first instructions */
    wsr a0, excsave1
    movi a0, KW_FAULT_DOUBLE
    j _fault
    .org 0x400
