// The audio front end's filters in Xtensa machine code.
//
// Every product fits 31 bits: energies are below 2^28 and are gathered in two halves of 14 bits, at most 15 to a
// filter.

#include "macros.h"

#define CHANNELS 41
#define WEIGHTS 42

#define FRAME_RETURN 0
#define FRAME_SHIFT 4
#define FRAME_COUNTS 8
#define FRAME_LEFT 12
#define FRAME_BYTES 16

#define energy a6
#define weights a3
#define signal a4
#define high a10
#define low a11
#define rising_high a12
#define rising_low a13
#define root a5
#define rest a7
#define digit a14

// So many digits of the root, a8, from one on, whose square it is given as; high is what it leaves.
.macro extract_digits
    loop a8, extracted_\@
    add rest, root, digit
    srli root, root, 1
    bltu high, rest, none_\@
    sub high, high, rest
    add root, root, digit
none_\@:
    srli digit, digit, 2
extracted_\@:
.endm

// As plain_mel.channels. Does not allocate.
kernel channels, arguments=4, frame=FRAME_BYTES
    s32i a0, a1, FRAME_RETURN
    s32i a5, a1, FRAME_SHIFT
    l8ui a8, a3, 0
    addx4 energy, a8, a2
    addi a8, a3, 1
    s32i a8, a1, FRAME_COUNTS
    addi weights, a3, WEIGHTS
    movi a8, CHANNELS
    s32i a8, a1, FRAME_LEFT
    movi rising_high, 0
    movi rising_low, 0
channel:
    mov high, rising_high
    mov low, rising_low
    movi rising_high, 0
    movi rising_low, 0
    l32i a8, a1, FRAME_COUNTS
    l8ui a9, a8, 0
    addi a8, a8, 1
    s32i a8, a1, FRAME_COUNTS
    loopnez a9, gathered
    l32i a14, energy, 0
    l8ui a0, weights, 0
    l8ui a15, weights, 1
    addi energy, energy, 4
    addi weights, weights, 2
    slli a15, a15, 8
    or a0, a0, a15
    srli a15, a14, 14
    extui a14, a14, 0, 14
    mull a8, a15, a0
    mull a9, a14, a0
    add high, high, a8
    add low, low, a9
    neg a0, a0
    addmi a0, a0, 4096
    mull a15, a15, a0
    mull a14, a14, a0
    add rising_high, rising_high, a15
    add rising_low, rising_low, a14
gathered:
    l32i a8, a1, FRAME_LEFT
    addi a9, a8, -1
    s32i a9, a1, FRAME_LEFT
    movi a14, CHANNELS
    beq a8, a14, channel                // the first has a rising side alone
    srli a8, low, 14
    add high, high, a8
    extui low, low, 0, 14               // the root: of the upper 32 of 46 bits, then of the rest
    movi root, 0
    movi digit, 1 << 30
    movi a8, 16
    extract_digits
    slli high, high, 14
    or high, high, low
    slli root, root, 14
    movi digit, 1 << 12
    movi a8, 7
    extract_digits
    mov rest, high
    bgeu root, rest, rounded
    movi a8, 65535
    beq root, a8, rounded
    addi root, root, 1
rounded:
    l32i a8, a1, FRAME_SHIFT
    ssr a8
    srl root, root
    s32i root, signal, 0
    addi signal, signal, 4
    bnez a9, channel
    l32i a0, a1, FRAME_RETURN
    return_nothing
