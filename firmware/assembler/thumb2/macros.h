// What every kernel for ARMv7-M shares: how a function opens and ends, and values of more than one word in a state.
//
// MicroPython's inline assembler passes arguments in r0 to r3, saves r1 to r7 and r14 itself, and makes an integer
// object of r0. r12 passes. Only branches within a function are allowed: its place in memory is not known.

#pragma once

    .syntax unified
    .text

// Open a function; `arguments` is read by the tool.
.macro kernel name, arguments
    .thumb_func
    .global \name
\name:
.endm

// Open what `bl` calls within a function.
.macro subroutine name
    .thumb_func
\name:
.endm

// An ARMv6-M must refuse the module when it compiles it: the tool gives this instruction by its name, which is no
// ARMv6-M mnemonic. It has to load something, and 0 is often wanted.
.macro refuse_armv6m register, value=0
by_name_\@:
    movw \register, #\value
.endm

.macro save_high_registers
    push {r8-r11}
.endm

.macro restore_high_registers
    pop {r8-r11}
.endm

// The result becomes an integer object: an address may need the heap.
.macro no_result
    movs r0, #0
.endm

// (high, low) = the variance at `base` + `place`, kept as 14 bits, 30 bits and the rest; `middle` and `top` pass, and
// may be `high`.
.macro load_variance high, low, middle, top, base, place
    ldr \low, [\base, #\place]
    ldr \middle, [\base, #\place + 4]
    ldr \top, [\base, #\place + 8]
    orr \low, \low, \middle, lsl #14
    lsrs \middle, \middle, #18
    orr \high, \middle, \top, lsl #12
.endm

.macro store_variance high, low, spare, base, place
    ubfx \spare, \low, #0, #14
    str \spare, [\base, #\place]
    lsrs \spare, \low, #14
    orr \spare, \spare, \high, lsl #18
    ubfx \spare, \spare, #0, #30
    str \spare, [\base, #\place + 4]
    lsrs \spare, \high, #12
    str \spare, [\base, #\place + 8]
.endm
