// What the lagged form adds: a sample is tested against the window before it, whose V has a floor.

#pragma once

#include "rolling.h"

#define LAGGED_FLOOR 0
#define LAGGED_FLOOR_HIGH 4
#define LAGGED_FOUND 8
#define LAGGED_DISPLACED 12
#define LAGGED_STATE 16
#define LAGGED_BUFFER 20
#define LAGGED_END 24
#define LAGGED_COUNTS_FROM 28

// Opens the loop, which begins with D before the next sample is in the window. The floor of wider samples is below
// 2^28.
.macro start_lagged
    start_samples
    add counts_from, counts_from, #1 << SAMPLE_SHIFT
    push {r0, r2, r10, r11}
    ldr r5, [state, #ZSCORE_F0]
    ldr r6, [state, #ZSCORE_F1]
    orr r5, r5, r6, lsl #14
.if SAMPLE_SHIFT == 1
    lsrs r6, r6, #18
    sub sp, sp, #8
    push {r5, r6}
.else
    sub sp, sp, #12
    push {r5}
.endif
    start_window
    str r0, [sp, #LAGGED_FOUND]
    cmp next_sample, samples_end
    beq lagged_done
lagged_loop:
    load_sample [next_sample], #1 << SAMPLE_SHIFT
    mul value, value, window
    subs value, value, sum
.endm

// D² is in (square_high, value). Then feeds the sample.
.macro test_lagged
    compare_with_threshold
    bcc lagged_above
lagged_feed:
    replace_oldest [next_sample, #-(1 << SAMPLE_SHIFT)]
.endm

.macro finish_lagged
    ldr r0, [sp, #LAGGED_END]
    cmp next_sample, r0
    bne lagged_loop
    b lagged_done
lagged_above:                           // the threshold of V; what counts is a full window and V's floor
    ldr r10, [sp, #LAGGED_COUNTS_FROM]
    cmp next_sample, r10
    bcc lagged_feed
    ldr r10, [sp, #LAGGED_FLOOR]
    umull r10, r14, r10, factor_b
    cmp r10, r0
.if SAMPLE_SHIFT == 1
    ldr r10, [sp, #LAGGED_FLOOR_HIGH]
    mla r14, r10, factor_b, r14         // no carry: both parts are below 2^26
.endif
    mov.w r10, #0
    compare_upper_words
    bcs lagged_feed
    str next_sample, [sp, #LAGGED_END]   // this sample is the last
    movs r0, #1
    str r0, [sp, #LAGGED_FOUND]
.if SAMPLE_SHIFT == 1
    ldrh r0, [oldest_slot]
.else
    ldr r0, [oldest_slot]
.endif
    str r0, [sp, #LAGGED_DISPLACED]
    b lagged_feed
lagged_done:
    ldr r12, [sp, #LAGGED_FOUND]
    ldr r8, [sp, #LAGGED_BUFFER]
    ldr r0, [sp, #LAGGED_STATE]
    ldr r11, [sp, #LAGGED_DISPLACED]
    add sp, sp, #32
    finish_samples r8, r12, r10
    cmp r12, #0
    it ne
    strne r11, [state, #ZSCORE_START]
    finish_window r10
.endm
