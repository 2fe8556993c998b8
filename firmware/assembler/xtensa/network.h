// What the layers of networks share: where they read and write, their walk over pixels, and scaling an output.
//
// Layout `rows`: the stream's bytes are the weights plus 128, the bias has 2^29 added and more that plain_conv tells.

#pragma once

#include "macros.h"
#include "layout/network.h"

#define descriptor a2
#define stream a3
#define accumulator a8
#define channels_left a12
#define output a13
#define zero_point a14

#define FRAME_RETURN 0
#define FRAME_DESCRIPTOR 4
#define FRAME_STREAM 8
#define FRAME_ROWS_LEFT 12
#define FRAME_ROW_INPUT 16
#define FRAME_ROW_OUTPUT 20
#define FRAME_COLS_LEFT 24
#define FRAME_PIXEL_INPUT 28
#define FRAME_PIXEL_OUTPUT 32
#define FRAME_ZERO_POINT 36
#define FRAME_OWN 40

// register = the address that a word of the descriptor means: its upper four bits tell the memory. a9 passes.
.macro locate register, word
    l32i a9, descriptor, \word
    slli \register, a9, 4
    srli \register, \register, 4
    extui a9, a9, 28, 4
    beqi a9, 1, in_state_\@
    bnez a9, in_plan_\@
    add \register, \register, a4
    j located_\@
in_state_\@:
    add \register, \register, a5
    j located_\@
in_plan_\@:
    add \register, \register, a3
located_\@:
.endm

// The offset of the descriptor in a2, plan in a3, scratch in a4, state in a5; a8 and a9 pass.
.macro open_layer zero_point_word
    s32i a0, a1, FRAME_RETURN
    add descriptor, a2, a3
    s32i descriptor, a1, FRAME_DESCRIPTOR
    locate a8, LAYER_IN
    s32i a8, a1, FRAME_ROW_INPUT
    locate a8, LAYER_OUT
    s32i a8, a1, FRAME_ROW_OUTPUT
    l32i a8, descriptor, LAYER_STREAM
    add a8, a8, a3
    s32i a8, a1, FRAME_STREAM
    l32i a8, descriptor, \zero_point_word
    addi a8, a8, -128
    slli a8, a8, 1
    addi a8, a8, 1                      // twice, for the second rounding, and its half
    s32i a8, a1, FRAME_ZERO_POINT
    l32i a8, descriptor, LAYER_ROWS
    s32i a8, a1, FRAME_ROWS_LEFT
.endm

.macro start_row
    l32i a8, a1, FRAME_ROW_INPUT
    s32i a8, a1, FRAME_PIXEL_INPUT
    l32i a8, a1, FRAME_ROW_OUTPUT
    s32i a8, a1, FRAME_PIXEL_OUTPUT
    l32i descriptor, a1, FRAME_DESCRIPTOR
    l32i a8, descriptor, LAYER_COLS
    s32i a8, a1, FRAME_COLS_LEFT
.endm

// place += a word of the descriptor.
.macro advance place, word
    l32i a8, a1, \place
    l32i a9, descriptor, \word
    add a8, a8, a9
    s32i a8, a1, \place
.endm

.macro next_pixel again
    l32i descriptor, a1, FRAME_DESCRIPTOR
    advance FRAME_PIXEL_INPUT, LAYER_IN_COL
    advance FRAME_PIXEL_OUTPUT, LAYER_OUT_COL
    l32i a8, a1, FRAME_COLS_LEFT
    addi a8, a8, -1
    s32i a8, a1, FRAME_COLS_LEFT
    bnez a8, \again
.endm

.macro next_row again
    advance FRAME_ROW_INPUT, LAYER_IN_ROW
    advance FRAME_ROW_OUTPUT, LAYER_OUT_ROW
    l32i a8, a1, FRAME_ROWS_LEFT
    addi a8, a8, -1
    s32i a8, a1, FRAME_ROWS_LEFT
    bnez a8, \again
.endm

.macro close_layer
    l32i a0, a1, FRAME_RETURN
    return_nothing
.endm

// Scale the accumulator, store it as an output, and go on with the next channel, whose stream begins after this one's
// tail. x = (a·m + 2^30) >> 31 in halves of a and m; then half away from zero: (2·x - (x < 0) >> right) + 1 >> 1, the 1
// being in the zero point. a0, a4, a9 to a11 and a15 pass.
.macro store_output again
    l8ui a9, stream, ROW_LEFT_SHIFT
    ssl a9
    sll accumulator, accumulator
    l16ui a9, stream, 0
    l16ui a10, stream, 2
    srai a11, accumulator, 16
    mul16u a15, accumulator, a9
    mull a9, a11, a9
    mull a11, a11, a10
    mul16u a10, accumulator, a10
    extui a15, a15, 16, 16
    extui a4, a9, 0, 15
    add a15, a15, a4
    extui a4, a10, 0, 15
    add a15, a15, a4
    addmi a15, a15, 1 << 14
    srli a15, a15, 15
    srai a9, a9, 15
    srli a10, a10, 15
    addx2 accumulator, a11, a9
    add accumulator, accumulator, a10
    add accumulator, accumulator, a15
    srai a9, accumulator, 31
    addx2 accumulator, accumulator, a9
    l8ui a9, stream, ROW_RIGHT_SHIFT
    ssr a9
    sra accumulator, accumulator
    add accumulator, accumulator, zero_point
    srai accumulator, accumulator, 1
    movi a9, 127
    min accumulator, accumulator, a9
    movi a9, -128
    max accumulator, accumulator, a9
    s8i accumulator, output, 0
    addi output, output, 1
    addi stream, stream, ROW_TAIL_BYTES
    addi channels_left, channels_left, -1
    bnez channels_left, \again
.endm
