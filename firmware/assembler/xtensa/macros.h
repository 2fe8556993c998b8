// What every kernel for Xtensa shares: how a function opens and ends, and values of two words.
//
// MicroPython calls a native function with the function in a2, the numbers of arguments by place and by name in a3 and
// a4, and where they are, as objects, in a5; the result is an object in a2. Windows are the windowed ABI's: all of a2
// to a15 are the function's own, and a call takes a8 to a15. a0 may hold anything once it is saved (save_return).
//
// Only what the ESP32 and the ESP32-S3 both have, and the emulated core executes: no product of two words (MULUH,
// MULSH), no float. Code is loaded where only whole words can be read: constants by L32R, no tables.

#pragma once

// Of an object of a native function, of its module, and of the runtime's table of functions (py/nativeglue.h).
#define FUNCTION_MODULE 4
#define MODULE_OBJECTS 12
#define RUNTIME_NATIVE_FROM_OBJECT 12
#define RUNTIME_CHECK_ARGUMENTS 176
// What an object becomes: the address of its items; of an integer, itself.
#define NATIVE_POINTER 4

    .text

// Open a function: its arguments, which the tool reads as well, are in a2 to a5 then. The frame has `frame` bytes for
// its own use from a1 on, a multiple of 16.
.macro kernel name, arguments, frame=0
    .align 4
    .global \name
\name:
    j begin_\name
    .literal_position
    .align 4
begin_\name:
    entry a1, 32 + \frame
    l32i a6, a2, FUNCTION_MODULE
    l32i a6, a6, MODULE_OBJECTS
    l32i a6, a6, 0                      // the first object is the runtime's table
    bnez a4, wrong_\name
    beqi a3, \arguments, right_\name
wrong_\name:                            // raises TypeError
    mov a10, a3
    mov a11, a4
    movi a12, (\arguments << 17) | (\arguments << 1)
    l32i a8, a6, RUNTIME_CHECK_ARGUMENTS
    callx8 a8
right_\name:
.if \arguments == 4
    native_argument a7, 3
.endif
.if \arguments >= 3
    native_argument a4, 2
.endif
    native_argument a3, 1
    native_argument a2, 0
.if \arguments == 4
    mov a5, a7
.endif
.endm

.macro native_argument register, number
    l32i a10, a5, 4 * \number
    movi a11, NATIVE_POINTER
    l32i a8, a6, RUNTIME_NATIVE_FROM_OBJECT
    callx8 a8
    mov \register, a10
.endm

// End with an integer of at most 30 bits and a sign: it becomes an object.
.macro return_integer register
    slli a2, \register, 1
    addi a2, a2, 1
    retw
.endm

.macro return_nothing
    movi a2, 1
    retw
.endm

// End the loop that a branch has left, so that nobody ever meets its end again.
.macro leave_loop spare
    movi \spare, 0
    wsr \spare, lcount
    isync
.endm

// (high, low) = the variance at `place` of the state in a2, kept as 14 bits, 30 bits and the rest.
.macro load_variance high, low, place, spare, spare_2
    l32i \low, a2, \place
    l32i \spare, a2, \place + 4
    l32i \high, a2, \place + 8
    slli \spare_2, \spare, 14
    or \low, \low, \spare_2
    extui \spare, \spare, 18, 12
    slli \high, \high, 12
    or \high, \high, \spare
.endm

.macro store_variance high, low, place, spare, spare_2
    extui \spare, \low, 0, 14
    s32i \spare, a2, \place
    srli \spare, \low, 14
    slli \spare_2, \high, 20
    srli \spare_2, \spare_2, 2
    or \spare, \spare, \spare_2
    s32i \spare, a2, \place + 4
    srli \spare, \high, 12
    s32i \spare, a2, \place + 8
.endm
