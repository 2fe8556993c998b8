// What every kernel for RV32IMC shares: how a function opens and ends, and values of two words.
//
// MicroPython's inline assembler passes arguments in a0 to a3, adds neither prologue nor epilogue but the return, and
// makes an integer object of a0. Saved registers are the function's own care. Only branches within a function are
// allowed: its place in memory is not known.

#pragma once

    .text
    .option norvc

// Open a function; `arguments` is read by the tool.
.macro kernel name, arguments
    .global \name
\name:
.endm

// Instructions are 32 bits wide, as their costs were measured, but for these two, which are narrow where they fit.
.macro mv to, from
    .option push
    .option rvc
    c.mv \to, \from
    .option pop
.endm

.macro li register, value
    .option push
    .option rvc
.if \value < 32
    c.li \register, \value
.elseif \value & 0xFFF == 0
    c.lui \register, \value >> 12
.else
    .option norvc
    addi \register, zero, \value
.endif
    .option pop
.endm

// The saved registers, from a place in the frame.
.macro save_registers place
.set save_to, \place
.irp register, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
    sw \register, save_to(sp)
.set save_to, save_to + 4
.endr
.endm

.macro restore_registers place
.set restore_from, \place
.irp register, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
    lw \register, restore_from(sp)
.set restore_from, restore_from + 4
.endr
.endm

// The result becomes an integer object: an address would need the heap.
.macro no_result
    addi a0, zero, 0
.endm

// register = its lower bits.
.macro low_bits register, from, bits
    slli \register, \from, 32 - \bits
    srli \register, \register, 32 - \bits
.endm

// (high, low) += (by_high, by_low); by_low may be the carry.
.macro add_double high, low, by_high, by_low, carry
    add \low, \low, \by_low
    sltu \carry, \low, \by_low
    add \high, \high, \by_high
    add \high, \high, \carry
.endm

.macro sub_double high, low, by_high, by_low, borrow
    sltu \borrow, \low, \by_low
    sub \low, \low, \by_low
    sub \high, \high, \by_high
    sub \high, \high, \borrow
.endm

// (high, low) = the variance at `place` of the state in a0, kept as 14 bits, 30 bits and the rest; t0 and t1 pass.
.macro load_variance high, low, place
    lw \low, \place(a0)
    lw t0, \place + 4(a0)
    lw \high, \place + 8(a0)
    slli t1, t0, 14
    or \low, \low, t1
    srli t0, t0, 18
    slli \high, \high, 12
    or \high, \high, t0
.endm

// t1 and t2 pass.
.macro store_variance high, low, place
    low_bits t1, \low, 14
    sw t1, \place(a0)
    srli t1, \low, 14
    slli t2, \high, 20
    srli t2, t2, 2
    or t1, t1, t2
    sw t1, \place + 4(a0)
    srli t1, \high, 12
    sw t1, \place + 8(a0)
.endm
