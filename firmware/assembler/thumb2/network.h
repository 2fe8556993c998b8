// What the layers of networks share: their arguments, the walk over rows and pixels, and the scaling of accumulators.
//
// Scaling, of an accumulator a by a multiplier m: q = (a·m + 2^30) >> 31 is the upper word of 2·a·m, plus the lower
// one's top bit; then 2·q, less 1 where negative, shifted right, plus 1 + 2·zero, halved and saturated by one `ssat`:
// both roundings of the definition, for every right shift from 0 up. The stream's left shifts are 1 more, for the 2·a.

#pragma once

#include "macros.h"
#include "layout/network.h"

#define stream r0
#define descriptor r4

// The first words of the frame. Input and output are those of the row.
#define FRAME_DESCRIPTOR 0
#define FRAME_INPUT 4
#define FRAME_OUTPUT 8
#define FRAME_ROWS 12
#define FRAME_COLS 16
#define FRAME_STREAM 20

// at in r0, plan in r1, scratch in r2, state in r3; the last three stay.
.macro open_layer frame_bytes
    save_high_registers
    sub sp, #\frame_bytes
    refuse_armv6m r5
    add descriptor, r1, r0
    str descriptor, [sp, #FRAME_DESCRIPTOR]
    store_tensor LAYER_IN, FRAME_INPUT
    store_tensor LAYER_OUT, FRAME_OUTPUT
    store_from r1, LAYER_STREAM, FRAME_STREAM
.endm

.macro close_layer frame_bytes
    add sp, #\frame_bytes
    restore_high_registers
    no_result
.endm

// A tensor's word: where it lies in the upper four bits (0 scratch, 1 state, else the plan), then its offset there.
.macro store_tensor word, frame
    ldr r5, [descriptor, #\word]
    lsr r6, r5, #28
    ubfx r5, r5, #0, #28
    cmp r6, #1
    it lo
    addlo r5, r5, r2
    it eq
    addeq r5, r5, r3
    it hi
    addhi r5, r5, r1
    str r5, [sp, #\frame]
.endm

// An offset from a base.
.macro store_from base, word, frame
    ldr r5, [descriptor, #\word]
    add r5, r5, \base
    str r5, [sp, #\frame]
.endm

// A zero point, plus 128 in the descriptor, as 1 + 2·zero.
.macro store_zero word, frame
    ldr r5, [descriptor, #\word]
    lsls r5, #1
    subs r5, #255
    str r5, [sp, #\frame]
.endm

// The row's first pixel.
.macro start_row input, output
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    copy_word descriptor, LAYER_COLS, FRAME_COLS
    copy_word sp, FRAME_INPUT, \input
    copy_word sp, FRAME_OUTPUT, \output
.endm

.macro copy_word base, word, frame
    ldr r5, [\base, #\word]
    str r5, [sp, #\frame]
.endm

// Move an address on by a word of the descriptor, once or twice.
.macro advance frame, word, pixels=1
    ldr r5, [descriptor, #\word]
    ldr r6, [sp, #\frame]
.if \pixels == 2
    add r6, r6, r5, lsl #1
.else
    add r6, r6, r5
.endif
    str r6, [sp, #\frame]
.endm

// Branch while the counter is not 0.
.macro count_down frame, by, again
    ldr r5, [sp, #\frame]
    subs r5, #\by
    str r5, [sp, #\frame]
    bne.w \again
.endm

.macro next_row again
    advance FRAME_INPUT, LAYER_IN_ROW
    advance FRAME_OUTPUT, LAYER_OUT_ROW
    count_down FRAME_ROWS, 1, \again
.endm

// Before scale_channels: r5 = the shifts behind the multipliers at r1, r11 = 1 + 2·zero.
.macro start_scaling zero
    add r5, r1, #BLOCK_MULTIPLIERS_BYTES
    ldr r11, [sp, #\zero]
.endm

// Scale r4 accumulators at r2 by the multipliers at r1, and store them at r3; all three move on.
.macro scale_channels
scale_one:
    ldr r8, [r2], #4
    ldrb r7, [r5], #1                   // right shift
    ldrb r9, [r5, #BLOCK_SHIFTS_BYTES - 1]  // left shift, and 1
    ldr r6, [r1], #4
    lsl r8, r8, r9
#ifdef __ARM_FEATURE_DSP
    smmulr r10, r8, r6                  // q
#else
    smull r9, r10, r8, r6
    adds r9, r9, r9
    adc r10, r10, #0                    // q
#endif
    lsl r9, r10, #1
    add r10, r9, r10, asr #31
    asr r10, r10, r7
    add r10, r10, r11
    ssat r10, #8, r10, asr #1
    strb r10, [r3], #1
    subs r4, #1
    bne scale_one
.endm
