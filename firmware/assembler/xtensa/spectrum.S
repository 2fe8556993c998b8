// The audio front end from samples to energies, in Xtensa machine code.

#include "macros.h"

#define WINDOW 480
#define WINDOW_END WINDOW * 2

// As plain_spectrum.put. Does not allocate.
kernel put, arguments=4
    extui a6, a5, 0, 9                  // where the samples go
    srli a5, a5, 9                      // how many
    addx2 a4, a4, a3
    movi a9, WINDOW_END
    add a9, a9, a2
    addx2 a6, a6, a2
    loopnez a5, put_all
    l16ui a8, a4, 0
    addi a4, a4, 2
    s16i a8, a6, 0
    addi a6, a6, 2
    bne a6, a9, put_inside
    mov a6, a2
put_inside:
    nop
put_all:
    return_nothing

// The ring in two parts: a5 = places of the first, a6 of the second; a3 = where the first begins, from a place in it.
.macro start_ring
    movi a5, WINDOW
    sub a5, a5, a3
    mov a6, a3
    addx2 a3, a3, a2
.endm

// a7 = the largest of it and the sizes of so many products, but for 2^15, which is in a8.
.macro largest count
    loopnez \count, done_\@
    l16si a9, a3, 0
    l16ui a10, a4, 0
    addi a3, a3, 2
    addi a4, a4, 2
    mull a9, a9, a10
    srai a9, a9, 12
    abs a9, a9
    beq a9, a8, skip_\@
    max a7, a7, a9
skip_\@:
    nop
done_\@:
.endm

// As plain_spectrum.peak. Does not allocate.
kernel peak, arguments=3
    start_ring
    movi a7, 0
    movi a8, 1 << 15
    largest a5
    mov a3, a2
    largest a6
    return_integer a7

// a10 = the address in z (a5) of a pair of values: its number (a7) with its four digits of base 4 reversed.
.macro place_pair
    extui a10, a7, 0, 2
    slli a10, a10, 8
    extui a11, a7, 2, 2
    slli a11, a11, 6
    or a10, a10, a11
    extui a11, a7, 4, 2
    slli a11, a11, 4
    or a10, a10, a11
    extui a11, a7, 6, 2
    addx4 a10, a11, a10
    add a10, a10, a5
    addi a7, a7, 1
.endm

// So many pairs, from a3, with the window's weights from a4.
.macro arrange_pairs count
    loopnez \count, arranged_\@
    place_pair
    l16si a11, a3, 0
    l16ui a12, a4, 0
    l16si a13, a3, 2
    l16ui a14, a4, 2
    mull a11, a11, a12
    mull a13, a13, a14
    srai a11, a11, 12
    srai a13, a13, 12
    sll a11, a11
    sll a13, a13
    s16i a11, a10, 0
    s16i a13, a10, 2
    addi a3, a3, 4
    addi a4, a4, 4
arranged_\@:
.endm

// As plain_spectrum.arrange. Does not allocate.
kernel arrange, arguments=4
    extui a8, a3, 0, 4
    ssl a8
    srli a3, a3, 4
    mov a15, a5
    start_ring
    srli a8, a5, 1
    srli a6, a6, 1
    mov a5, a15
    movi a7, 0
    arrange_pairs a8
    mov a3, a2
    arrange_pairs a6
    movi a8, 256 - WINDOW / 2
    movi a11, 0
    loop a8, cleared
    place_pair
    movi a11, 0
    s32i a11, a10, 0
cleared:
    return_nothing

// register = half of a value of 16 bits: (x·16383 + 2^14) >> 15; the factor is in a8.
.macro load_half register, base, at
    l16si \register, \base, \at
    mull \register, \register, a8
    addmi \register, \register, 1 << 14
    srai \register, \register, 15
.endm

// As plain_spectrum.energies. Does not allocate.
kernel energies, arguments=3, frame=16
    s32i a0, a1, 0
    movi a8, 16383
    movi a9, 128                        // k from 1 to 128; m = 256 - k
    addmi a5, a2, 1024                  // from z[m] and out[m] down, from z[k], out[k] and the table's two places up
    addmi a6, a4, 1024
    addmi a7, a3, 256
    loop a9, energies_done
    addi a2, a2, 4
    addi a5, a5, -4
    addi a3, a3, 2
    addi a7, a7, -2
    addi a4, a4, 4
    addi a6, a6, -4
    load_half a10, a2, 0                // a
    load_half a11, a2, 2
    load_half a12, a5, 0                // b, conjugate
    l16si a13, a5, 2
    neg a13, a13
    mull a13, a13, a8
    addmi a13, a13, 1 << 14
    srai a13, a13, 15
    sub a14, a10, a12                   // a - b
    sub a15, a11, a13
    add a10, a10, a12                   // a + b
    add a11, a11, a13
    l16si a12, a3, 0
    l16si a13, a7, 0
    neg a12, a12                        // c
    neg a13, a13                        // s
    mull a0, a14, a12
    mull a9, a15, a13
    sub a0, a0, a9
    mull a14, a14, a13
    mull a15, a15, a12
    add a15, a15, a14
    addmi a14, a0, 1 << 14
    addmi a15, a15, 1 << 14
    srai a14, a14, 15                   // (a - b) turned
    srai a15, a15, 15
    add a0, a10, a14
    srai a0, a0, 1
    mull a0, a0, a0
    add a9, a11, a15
    srai a9, a9, 1
    mull a9, a9, a9
    add a0, a0, a9
    s32i a0, a4, 0
    sub a0, a10, a14
    srai a0, a0, 1
    mull a0, a0, a0
    sub a9, a15, a11
    srai a9, a9, 1
    mull a9, a9, a9
    add a0, a0, a9
    s32i a0, a6, 0
energies_done:
    l32i a0, a1, 0
    return_nothing
