// What drift and novelty share: a fast and a slow mean, F and M (Q16, kept as F - 2^31 here), and the variance V.
//
// The slow mean's shift k is log2 of the count until it reaches its setting; it grows with the sample whose address is
// grows_at. A difference of 33 bits is either halved before it is taken, or mended by the overflow flag.

#pragma once

#include "macros.h"
#include "layout/states.h"

#define sample r0
#define next_sample r1
#define fast_mean r4
#define slow_mean r5
#define variance_low r6
#define variance_high r7
#define shift r8
#define word_less_shift r9
#define silent r11
#define grows_at r12

// The first words of the frame.
#define FRAME_BUFFER 0
#define FRAME_END 4
#define FRAME_OUTCOME 8
// Where the sample would lie that made the count 0.
#define FRAME_ORIGIN 12
#define FRAME_SLOW 16

// buffer in r1, start in r2, stop in r3.
.macro start_samples
    str r1, [sp, #FRAME_BUFFER]
    add r3, r1, r3, lsl #1
    str r3, [sp, #FRAME_END]
    add next_sample, r1, r2, lsl #1
.endm

// r2 = count, r3 = origin.
.macro start_count place
    ldr r2, [state, #\place]
    sub r3, next_sample, r2, lsl #1
    str r3, [sp, #FRAME_ORIGIN]
.endm

// Silent samples to come: of the warm-up, or what a detection left; `half` is h for states of halves.
.macro start_silence warmup, hold, half
    ldr\half silent, [state, #\warmup]
    subs silent, silent, r2
    it le
    ldr\half\()le silent, [state, #\hold]
.endm

// k = log2(COUNT), 0 at first; r2 = the shifts of both means.
.macro start_shift shifts, half
    orr r2, r2, #1
    clz r2, r2
    rsb shift, r2, #31
    ldr\half r2, [state, #\shifts]
.endm

// k is at most the slow mean's setting, which stays in r2; grows_at is the address after the sample.
.macro limit_shift
    lsrs r2, r2, #8
    cmp shift, r2
    it hi
    movhi shift, r2
    str r2, [sp, #FRAME_SLOW]
    mov r14, #4
    lsl grows_at, r14, shift
    add grows_at, grows_at, r3
.endm

// r2 = the slow mean's setting, grows_at = the address after the next sample with which k grows.
.macro find_next_growth
    ldr r2, [sp, #FRAME_SLOW]
    ldr r3, [sp, #FRAME_ORIGIN]
    mov r14, #4
    lsl r14, r14, shift
    add grows_at, r3, r14
.endm

// r2 = (x·2^16 - mean) >> 1.
.macro half_distance mean
    add r2, \mean, #1
    asr r2, r2, #1
    rsb r2, r2, sample, lsl #15
.endm

// r2 = (F - M) >> 8, of a difference of 33 bits.
.macro distance_of_means
    subs r2, fast_mean, slow_mean
    asr r2, r2, #8
    it vs
    eorvs r2, r2, #0xFF000000
.endm

// Silence is not kept while the count, in r2, is within the warm-up.
.macro drop_silence_within warmup
    cmp r2, \warmup
    it lo
    movlo silent, #0
.endm

// Move M by the sample and V by the square of its distance.
.macro follow_sample
    half_distance slow_mean
    sub r3, shift, #1
    asr r3, r2, r3
    add slow_mean, slow_mean, r3
    asr r2, r2, #7
    smull r2, r3, r2, r2                // the square
    lsr r0, r2, shift
    lsl r14, r3, word_less_shift
    orr r0, r0, r14
    lsr r14, r3, shift                  // the square >> k
    subs r2, r2, r0
    sbc r3, r3, r14
    subs r2, r2, variance_low
    sbc r3, r3, variance_high
    lsr r2, r2, shift
    lsl r0, r3, word_less_shift
    orr r2, r2, r0
    asr r3, r3, shift
    adds variance_low, variance_low, r2
    adc variance_high, variance_high, r3
.endm

// r2 = the count, which stays at 2^29.
.macro store_count place
    ldr r2, [sp, #FRAME_ORIGIN]
    subs r2, next_sample, r2
    lsrs r2, r2, #1
    cmp r2, #0x20000000
    it hi
    movhi r2, #0x20000000
    str r2, [state, #\place]
.endm

// r0 = the index after the last sample fed, r2 = the outcome.
.macro load_outcome
    ldr r2, [sp, #FRAME_BUFFER]
    subs r0, next_sample, r2
    lsrs r0, r0, #1
    ldr r2, [sp, #FRAME_OUTCOME]
.endm
