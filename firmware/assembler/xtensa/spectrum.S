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

// One of eight samples, shaped, to a place from a10 on; a7 gathers the bits of all sizes.
.macro shape_sample number, place
    l16si a11, a3, 2 * (\number)
    l16ui a12, a4, 2 * (\number)
    mull a11, a11, a12
    srai a11, a11, 12
    s16i a11, a10, \place
    abs a11, a11
    or a7, a7, a11
.endm

// As plain_spectrum.window. Does not allocate.
kernel window, arguments=4
    movi a6, WINDOW_END
    add a6, a6, a2
    addx2 a3, a3, a2
    movi a7, 0
    movi a8, 0                          // four pairs, which the last of their number's digits of base 4 tells apart
    movi a9, WINDOW / 8
    loop a9, windowed
    extui a10, a8, 0, 2                 // the digits of a pair's number, reversed, times four bytes
    slli a10, a10, 6
    extui a11, a8, 2, 2
    slli a11, a11, 4
    or a10, a10, a11
    extui a11, a8, 4, 2
    addx4 a10, a11, a10
    add a10, a10, a5
.irp pair, 0, 1, 2, 3
    shape_sample 2 * \pair, 256 * (\pair % 2)
    shape_sample 2 * \pair + 1, 256 * (\pair % 2) + 2
.if \pair == 1
    addmi a10, a10, 512                 // further than S16I reaches
.endif
.endr
    addi a3, a3, 16
    addi a4, a4, 16
    addi a8, a8, 1
    bne a3, a6, window_inside
    mov a3, a2
window_inside:
    nop
windowed:
    addi a5, a5, 60                     // the last 16 pairs are 0
    movi a8, 0
    movi a9, 16
    loop a9, cleared
    s32i a8, a5, 0
    addi a5, a5, 64
cleared:
    extui a7, a7, 0, 15                 // -32768 has none
    nsau a7, a7
    addi a7, a7, -17
    return_integer a7

// As plain_spectrum.scale. Does not allocate.
kernel scale, arguments=2
    ssl a3
    movi a4, 1
    sll a4, a4
    addi a4, a4, -1
    slli a4, a4, 16
    movi a5, -1
    xor a4, a4, a5                      // without what one half pushes into the other
    movi a5, 256
    loop a5, scaled
    l32i a6, a2, 0
    sll a6, a6
    and a6, a6, a4
    s32i a6, a2, 0
    addi a2, a2, 4
scaled:
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
