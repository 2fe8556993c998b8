// The audio front end from channels to features, in Xtensa machine code.
//
// Every product fits 31 bits: noise estimates are below 2^30 and are multiplied in two halves of 15 bits.

#include "macros.h"
#include "layout/features.h"

#define signal a2
#define noise a3
#define tables a4
#define features a5
#define channel a6
#define gain a7
#define estimate a12
#define left a14

// register = 16 bits of the tables, at an address that need not be even; `spare` passes.
.macro load_word register, address, at, spare
    l8ui \register, \address, \at
    l8ui \spare, \address, \at + 1
    slli \spare, \spare, 8
    or \register, \register, \spare
.endm

.macro load_signed register, address, at, spare
    l8ui \register, \address, \at
    l8ui \spare, \address, \at + 1
    slli \spare, \spare, 24
    srai \spare, \spare, 16
    or \register, \register, \spare
.endm

// register = |from|'s bits moved so that `bits` of them, a register, become so many.
.macro move_bits register, from, bits, so_many
    addi \bits, \bits, -(\so_many)
    bgez \bits, down_\@
    neg \bits, \bits
    ssl \bits
    sll \register, \from
    j moved_\@
down_\@:
    ssr \bits
    srl \register, \from
moved_\@:
.endm

// As plain_features.finish. Does not allocate.
kernel finish, arguments=4, frame=16
    s32i a0, a1, 0
    movi channel, 0
next:
    l32i a7, signal, 0
    addi signal, signal, 4
    movi a8, EVEN_SMOOTHING
    bbci channel, 0, smoothed
    movi a8, ODD_SMOOTHING
smoothed:
    neg a11, a8
    addmi a11, a11, 1 << 14
    slli a9, a7, 10                     // the signal, scaled
    l32i a10, noise, 0
    srli a13, a9, 15
    mull a12, a13, a8
    srli a13, a10, 15
    mull a13, a13, a11
    add a12, a12, a13
    extui a13, a9, 0, 15
    mull a13, a13, a8
    extui a10, a10, 0, 15
    mull a10, a10, a11
    add a13, a13, a10
    srli a13, a13, 14
    addx2 estimate, a12, a13
    s32i estimate, noise, 0
    addi noise, noise, 4
    movi a8, MIN_SIGNAL
    mull left, a7, a8
    srli left, left, 14
    bge estimate, a9, quiet
    sub a9, a9, estimate
    srli a9, a9, 10
    max left, left, a9
quiet:
    bgei estimate, 2, curved            // PCAN's gain for the noise
    addx2 a8, estimate, tables
    addmi a8, a8, 256
    load_signed gain, a8, GAIN_0 - 256, a9
    j gained
curved:
    nsau a9, estimate
    movi a8, 30
    sub a9, a8, a9                      // bits less 2
    addx2 a8, a9, a9
    addx2 a8, a8, tables
    addmi a8, a8, 256
    load_signed gain, a8, GAIN_2 - 256, a10
    blti estimate, 3, gained
    move_bits a10, estimate, a9, 9
    extui a10, a10, 0, 10
    load_signed a11, a8, GAIN_2 - 254, a13
    load_signed a9, a8, GAIN_2 - 252, a13
    mull a9, a9, a10
    srai a9, a9, 5
    slli a11, a11, 5
    add a9, a9, a11
    mull a9, a9, a10
    addmi a9, a9, 1 << 14
    srai a9, a9, 15
    add gain, gain, a9
gained:
    extui a9, left, 0, 6
    srli a8, left, 6
    mull a8, a8, gain
    mull a9, a9, gain
    srai a9, a9, 6
    add a8, a8, a9
    movi a9, 8192
    bge a8, a9, linear
    mull a8, a8, a8
    extui a8, a8, 20, 12
    j shrunk
linear:
    srai a8, a8, 6
    addi a8, a8, -64
shrunk:
    slli a8, a8, 3
    movi a9, 0
    blti a8, 2, told                    // 64 times the natural logarithm
    nsau a10, a8
    movi a9, 31
    sub a10, a9, a10                    // bits
    slli a13, a10, 16
    ssl a10
    movi a9, 1
    sll a9, a9
    sub a8, a8, a9
    move_bits a8, a8, a10, 16           // the part, of 16 bits
    add a13, a13, a8
    srli a9, a8, 9
    addx2 a9, a9, tables
    load_word a10, a9, 0, a0
    load_word a11, a9, 2, a0
    add a13, a13, a10
    sub a11, a11, a10
    extui a8, a8, 0, 9
    mull a11, a11, a8
    srai a11, a11, 16
    add a13, a13, a11
    movi a9, LOG_SCALE
    extui a8, a13, 0, 8
    mull a8, a8, a9
    movi a10, 1 << 15
    add a8, a8, a10
    srai a8, a8, 8
    srai a13, a13, 8
    mull a13, a13, a9
    add a13, a13, a8
    srai a13, a13, 8
    slli a13, a13, 6
    add a13, a13, a10
    srai a9, a13, 16
told:
    s16i a9, features, 0
    addi features, features, 2
    addi channel, channel, 1
    movi a8, CHANNELS
    bne channel, a8, next
    l32i a0, a1, 0
    return_nothing
