// What the rolling z-scores share, for samples of 16 bits (SAMPLE_SHIFT 1) and of 17 to 24 (SAMPLE_SHIFT 2).
//
// A sample is anomalous when A·D² > B·V. Those of 16 bits have n <= 1024; of the others n <= 256 and u = x + 2^23, so
// that n·u and S take one word without sign and D = n·u - S takes one and a sign.

#pragma once

#include "macros.h"
#include "layout/states.h"

#define state r0
#define oldest_slot r1
#define next_sample r2
#define ring_end r3
#define sum r4
#define variance_low r5
#define variance_high r6
#define window r7
#define factor_a r8
#define factor_b r9
// Before the loop: the address of the end of the samples, and that of the sample after the first which counts.
#define samples_end r10
#define counts_from r11
// In the loop.
#define value r0
#define change r10
#define square_high r10

.macro start_samples
    save_high_registers
    ldr r4, [state, #ZSCORE_START]
    ldr r5, [state, #ZSCORE_STOP]
    ldr window, [state, #ZSCORE_N]
    ldr r6, [state, #ZSCORE_COUNT]
    add samples_end, next_sample, r5, lsl #SAMPLE_SHIFT
    subs r6, window, r6
    add r6, r6, r4
    add counts_from, next_sample, r6, lsl #SAMPLE_SHIFT
.endm

// r4 = START; leaves 0 in r0.
.macro start_window
    add next_sample, next_sample, r4, lsl #SAMPLE_SHIFT
    ldr factor_a, [state, #ZSCORE_A]
    ldr factor_b, [state, #ZSCORE_B]
    ldr sum, [state, #ZSCORE_S0]
.if SAMPLE_SHIFT == 2
    ldr r5, [state, #ZSCORE_S1]
    orr sum, sum, r5, lsl #26
.endif
    add ring_end, oldest_slot, window, lsl #SAMPLE_SHIFT
    ldr r5, [state, #ZSCORE_POS]
    add oldest_slot, oldest_slot, r5, lsl #SAMPLE_SHIFT
    load_variance variance_high, variance_low, variance_high, r0, state, ZSCORE_V0
    refuse_armv6m r0
.endm

// value = u of the sample at an address.
.macro load_sample address:vararg
.if SAMPLE_SHIFT == 1
    ldrh value, \address
    eor value, value, #0x8000
.else
    ldr value, \address
    add value, value, #0x800000
    bic value, value, #0xFF000000
.endif
.endm

// Put the sample at an address into the oldest one's slot: change = u - oldest, into S as well; value = n·u.
.macro replace_oldest address:vararg
.if SAMPLE_SHIFT == 1
    ldrh value, \address
    ldrh change, [oldest_slot]
    eor value, value, #0x8000
    strh value, [oldest_slot], #2
.else
    ldr value, \address
    ldr change, [oldest_slot]
    add value, value, #0x800000
    bic value, value, #0xFF000000
    str value, [oldest_slot], #4
.endif
    cmp oldest_slot, ring_end
    it eq
    subeq oldest_slot, ring_end, window, lsl #SAMPLE_SHIFT
    sub change, value, change
    add sum, sum, change
    mul value, value, window
.endm

// Of samples of 16 bits: value = D; V grows by change·(D + D_oldest), and D + D_oldest = 2·D - (n - 1)·change.
.macro update_variance
    add r11, change, value, lsl #1
    mls r11, change, window, r11
    smlal variance_low, variance_high, change, r11
.endm

// Of wider samples: value = D, of one word, and r11 its sign, 0 or -1, both from n·u and S; V grows by
// 2·change·D - (n - 1)·change².
.macro update_wide_variance
    subs value, value, sum
    sbc r11, r11, r11
    add r12, r11, value, lsr #31        // D = value taken as signed + r12·2^32
    mul r12, r12, change
    smlal variance_low, variance_high, value, change
    smlal variance_low, variance_high, value, change
    add variance_high, variance_high, r12, lsl #1
    smull r12, r14, change, change
    adds variance_low, variance_low, r12
    adc variance_high, variance_high, r14
    umull r12, change, r12, window
    mla r14, r14, window, change
    subs variance_low, variance_low, r12
    sbc variance_high, variance_high, r14
.endm

// value = the size of D, whose sign is 0 or -1.
.macro size_of_d sign
    eor value, value, \sign
    sub value, value, \sign
.endm

// D² = (square_high, value): carry is clear when A·D² > B·V. A·D² = (r12, r11, r0) stays.
.macro compare_with_threshold
    umull r0, r11, value, factor_a
    mov.w r12, #0
    umlal r11, r12, square_high, factor_a
    umull r10, r14, variance_low, factor_b
    cmp r10, r0
    mov.w r10, #0
    umlal r14, r10, variance_high, factor_b
    compare_upper_words
.endm

// (r10, r14, carry) against the upper words of A·D².
.macro compare_upper_words
    sbcs r14, r14, r11
    sbcs r10, r10, r12
.endm

// buffer = address of the samples, found = 1 when the last one is anomalous: result = the index to return.
.macro finish_samples buffer, found, result
    subs next_sample, next_sample, \buffer
    lsrs next_sample, next_sample, #SAMPLE_SHIFT
    sub \result, next_sample, \found
    subs ring_end, ring_end, oldest_slot
    lsrs ring_end, ring_end, #SAMPLE_SHIFT
    subs ring_end, window, ring_end
    str ring_end, [state, #ZSCORE_POS]
    ldr r3, [state, #ZSCORE_START]
.endm

// r2 = the index after the last sample fed, r3 = START.
.macro finish_window result
    subs r3, r2, r3
    ldr r2, [state, #ZSCORE_COUNT]
    add r3, r3, r2
    cmp r3, window
    it hi
    movhi r3, window
    str r3, [state, #ZSCORE_COUNT]
.if SAMPLE_SHIFT == 1
    str sum, [state, #ZSCORE_S0]
.else
    ubfx r3, sum, #0, #26
    str r3, [state, #ZSCORE_S0]
    lsrs r3, sum, #26
    str r3, [state, #ZSCORE_S1]
.endif
    store_variance variance_high, variance_low, r3, state, ZSCORE_V0
    mov r0, \result
    restore_high_registers
.endm
