// What the layers of networks share: their arguments, the walk over rows and pixels, and the scaling of accumulators.
//
// Scaling, of an accumulator a by a multiplier m: q = (a·m + 2^30) >> 31 is the upper word of 2·a·m, plus the lower
// one's top bit; then 2·q, less 1 where negative, shifted right, plus 1 + 2·zero, halved and saturated: both roundings
// of the definition, for every right shift from 0 up. The stream's left shifts are 1 more, for the 2·a.

#pragma once

#include "macros.h"
#include "layout/network.h"

#define stream a0
#define descriptor a4
#define pixels_left a6
#define rows_left a7
#define channels_left s8
// 1 + 2·zero.
#define zero_point s11

// Input and output are those of the row; then of the pixel.
#define FRAME_RA 0
#define FRAME_SAVED 4
#define FRAME_INPUT 52
#define FRAME_OUTPUT 56
#define FRAME_PIXEL_INPUT 60
#define FRAME_PIXEL_OUTPUT 64
#define FRAME_STREAM 68
#define FRAME_OFFSETS 72
#define FRAME_LINE 76
#define FRAME_ACCUMULATORS 80
// Scratch, state and plan, in the order of their numbers in a tensor's word.
#define FRAME_BASES 112
#define FRAME_LINE1 124
#define FRAME_BYTES 128

// at in a0, plan in a1, scratch in a2, state in a3.
.macro open_layer
    addi sp, sp, -FRAME_BYTES
    sw ra, FRAME_RA(sp)
    save_registers FRAME_SAVED
    sw a2, FRAME_BASES(sp)
    sw a3, FRAME_BASES + 4(sp)
    sw a1, FRAME_BASES + 8(sp)
    add descriptor, a1, a0
    store_tensor LAYER_IN, FRAME_INPUT
    store_tensor LAYER_OUT, FRAME_OUTPUT
    store_from a1, LAYER_STREAM, FRAME_STREAM
.endm

.macro close_layer
    lw ra, FRAME_RA(sp)
    restore_registers FRAME_SAVED
    addi sp, sp, FRAME_BYTES
    no_result
.endm

// A tensor's word: where it lies in the upper four bits, then its offset there.
.macro store_tensor word, frame
    lw t1, \word(descriptor)
    srli t0, t1, 28
    low_bits t1, t1, 28
    slli t0, t0, 2
    add t0, t0, sp
    lw t0, FRAME_BASES(t0)
    add t1, t1, t0
    sw t1, \frame(sp)
.endm

// An offset from a base.
.macro store_from base, word, frame
    lw t1, \word(descriptor)
    add t1, t1, \base
    sw t1, \frame(sp)
.endm

// A zero point, plus 128 in the descriptor.
.macro load_zero_point word
    lw zero_point, \word(descriptor)
    slli zero_point, zero_point, 1
    addi zero_point, zero_point, -255
.endm

.macro start_row
    lw pixels_left, LAYER_COLS(descriptor)
    lw t1, FRAME_INPUT(sp)
    sw t1, FRAME_PIXEL_INPUT(sp)
    lw t1, FRAME_OUTPUT(sp)
    sw t1, FRAME_PIXEL_OUTPUT(sp)
.endm

// Move an address on by a word of the descriptor, once or twice.
.macro advance frame, word, pixels=1
    lw t0, \word(descriptor)
    lw t1, \frame(sp)
.if \pixels == 2
    slli t0, t0, 1
.endif
    add t1, t1, t0
    sw t1, \frame(sp)
.endm

.macro next_pixels pixels, again
    advance FRAME_PIXEL_INPUT, LAYER_IN_COL, \pixels
    advance FRAME_PIXEL_OUTPUT, LAYER_OUT_COL, \pixels
    addi pixels_left, pixels_left, -\pixels
    bne pixels_left, zero, \again
.endm

.macro next_row again
    advance FRAME_INPUT, LAYER_IN_ROW
    advance FRAME_OUTPUT, LAYER_OUT_ROW
    addi rows_left, rows_left, -1
    bne rows_left, zero, \again
.endm

// Four biases into the accumulators.
.macro load_biases
    lw s0, 0(stream)
    lw s1, 4(stream)
    lw s2, 8(stream)
    lw s3, 12(stream)
    addi stream, stream, BLOCK_BIASES_BYTES
.endm

.macro store_accumulators
    sw s0, FRAME_ACCUMULATORS(sp)
    sw s1, FRAME_ACCUMULATORS + 4(sp)
    sw s2, FRAME_ACCUMULATORS + 8(sp)
    sw s3, FRAME_ACCUMULATORS + 12(sp)
.endm

// To the next block while channels are left.
.macro next_block again
    addi stream, stream, BLOCK_TAIL_BYTES
    addi channels_left, channels_left, -4
    blt zero, channels_left, \again
.endm

// Scale up to four accumulators at t2 by the multipliers behind the weights, and store them at a1, which goes on.
.macro scale_channels
    mv t0, stream
    addi t1, stream, BLOCK_MULTIPLIERS_BYTES
    mv s0, channels_left
    addi t3, zero, 4
    blt s0, t3, scale_one
    mv s0, t3
scale_one:
    lw t5, 0(t2)
    lbu t4, BLOCK_SHIFTS_BYTES(t1)      // left shift, and 1
    lw t6, 0(t0)
    lbu t3, 0(t1)                       // right shift
    sll t5, t5, t4
    mul t4, t5, t6
    mulh t5, t5, t6
    srli t4, t4, 31
    add t5, t5, t4                      // q
    srai t4, t5, 31
    slli t5, t5, 1
    add t5, t5, t4
    sra t5, t5, t3
    add t5, t5, zero_point
    srai t5, t5, 1
    saturate t5, t3
    sb t5, 0(a1)
    addi a1, a1, 1
    addi t0, t0, 4
    addi t1, t1, 1
    addi t2, t2, 4
    addi s0, s0, -1
    bne s0, zero, scale_one
.endm

// A value to -128 to 127.
.macro saturate value, bound
    addi \bound, zero, 127
    blt \value, \bound, not_above
    mv \value, \bound
not_above:
    addi \bound, zero, -128
    bge \value, \bound, not_below
    mv \value, \bound
not_below:
.endm
