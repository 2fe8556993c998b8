// What dense layers share, whatever multiplies: four channels of two pixels, or channels of the last one.
//
// A filter whose bytes do not lie side by side is gathered into a line first.

#pragma once

#include "network.h"

#define FRAME_LINE_END 24
#define FRAME_CHANNELS 28
#define FRAME_BLOCK_OUTPUT 32
#define FRAME_BLOCK_OUTPUT2 36
#define FRAME_PIXEL_INPUT 40
#define FRAME_PIXEL_OUTPUT 44
#define FRAME_LINE1 48
#define FRAME_LINE2 52
#define FRAME_ZERO 56
#define FRAME_OFFSETS 60
#define FRAME_LINE 64
#define FRAME_ACCUMULATORS 68
#define FRAME_BYTES 100

.macro open_dense
    open_layer FRAME_BYTES
    store_from r1, CONV_OFFSETS, FRAME_OFFSETS
    store_from r2, CONV_LINE, FRAME_LINE
    store_zero CONV_ZERO, FRAME_ZERO
    copy_word descriptor, LAYER_ROWS, FRAME_ROWS
.endm

// Copy r3 runs of bytes from the pixel at r1 to r2; r12 = their offsets. r5 to r7 pass.
.macro gather_segments
segment:
    ldr r6, [r12], #4
    add r6, r6, r1
    ldr r7, [descriptor, #CONV_LENGTH]
words:
    ldr r5, [r6], #4                    // any address will do for a single load
    str r5, [r2], #4
    subs r7, #4
    bgt words
    add r2, r2, r7                      // back over what was too much
    subs r3, #1
    bne segment
.endm

.macro start_channels
    ldr stream, [sp, #FRAME_STREAM]
    copy_word descriptor, LAYER_CHANNELS, FRAME_CHANNELS
    copy_word sp, FRAME_PIXEL_OUTPUT, FRAME_BLOCK_OUTPUT
    ldr r6, [descriptor, #LAYER_OUT_COL]
    add r5, r5, r6
    str r5, [sp, #FRAME_BLOCK_OUTPUT2]
.endm

// Four biases into the accumulators of both pixels.
.macro load_two_pixels
    ldm stream!, {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
.endm

// r2 = the accumulators, r1 = the multipliers, r3 = where their outputs go.
.macro store_accumulators registers:vararg
    add r2, sp, #FRAME_ACCUMULATORS
    stm r2, {\registers}
.endm

.macro scale_to output
    mov r1, stream
    ldr r3, [sp, #\output]
    ldr r4, [sp, #FRAME_CHANNELS]
    at_most_four
    bl scale
    str r3, [sp, #\output]
.endm

.macro at_most_four
    cmp r4, #4
    it hi
    movhi r4, #4
.endm

// To the next block while channels are left.
.macro next_block channels
    adds stream, #BLOCK_TAIL_BYTES
    ldr r4, [sp, #FRAME_CHANNELS]
    subs r4, #\channels
    str r4, [sp, #FRAME_CHANNELS]
.endm

.macro next_two_pixels again
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    advance FRAME_PIXEL_INPUT, LAYER_IN_COL, pixels=2
    advance FRAME_PIXEL_OUTPUT, LAYER_OUT_COL, pixels=2
    count_down FRAME_COLS, 2, \again
.endm

// Ends the layer; r2 is left at the accumulators behind the four that were scaled.
.macro close_dense
row_done:
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    next_row row
    b done
subroutine scale
    start_scaling FRAME_ZERO
    add r12, r2, #16
    scale_channels
    mov r2, r12
    bx lr
done:
    close_layer FRAME_BYTES
.endm
