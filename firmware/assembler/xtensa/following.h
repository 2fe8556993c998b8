// What drift and novelty share: a fast and a slow mean, F and M (Q16, kept as F - 2^31 here), and the variance V.
//
// The slow mean's shift k is log2 of the count until it reaches its setting. It grows with one sample, before which the
// loop ends. A difference of 33 bits is halved or split before it is taken.

#pragma once

#include "macros.h"
#include "layout/states.h"

// In the loop; `state` is in the frame then.
#define next_sample a3
#define fast_mean a4
#define slow_mean a5
#define shift a6
#define fast_less_1 a7
#define variance_low a8
#define variance_high a9
#define silent a10
#define scale a11
#define scale_2 a12
#define sample a13
#define t0 a14
#define t1 a15
#define t2 a0
#define distance a2
// Around it.
#define state a2

#define FRAME_RETURN 0
#define FRAME_STATE 4
#define FRAME_BUFFER 8
#define FRAME_SAMPLES_END 12
// Where the sample would lie that made the count 0.
#define FRAME_ORIGIN 16
#define FRAME_SLOW 20
#define FRAME_OUTCOME 24
#define FRAME_H 28
#define FRAME_SAVED 32
// Of V.
#define FRAME_FLOOR 88
// From here on, what a detector has of its own.
#define FRAME_OWN 92

#include "bound.h"

// The buffer in a3, start in a4, stop in a5. The settings are words (l32i) or halves (l16ui).
.macro start_following count, warmup, hold, shifts, load
    s32i a0, a1, FRAME_RETURN
    s32i state, a1, FRAME_STATE
    s32i a3, a1, FRAME_BUFFER
    addx2 t0, a5, a3
    s32i t0, a1, FRAME_SAMPLES_END
    addx2 next_sample, a4, a3
    movi t0, 0
    s32i t0, a1, FRAME_OUTCOME
    l32i t0, state, \count
    slli t1, t0, 1
    sub t1, next_sample, t1
    s32i t1, a1, FRAME_ORIGIN
    \load silent, state, \warmup
    sub silent, silent, t0
    bgei silent, 1, start_silent        // silent samples to come: of the warm-up, or what a detection left
    \load silent, state, \hold
start_silent:
    \load t1, state, \shifts
    extui fast_less_1, t1, 0, 8
    addi fast_less_1, fast_less_1, -1
    srli t1, t1, 8
    s32i t1, a1, FRAME_SLOW
    nsau t0, t0
    movi shift, 31                      // k = log2(COUNT), 0 at first, at most the setting
    sub shift, shift, t0
    movi t0, 0
    max shift, shift, t0
    min shift, shift, t1
.endm

// t0 = how many samples to feed before the last, or the next with which k grows; t1 and t2 pass.
.macro samples_at_once done
again_\@:
    l32i t0, a1, FRAME_SAMPLES_END
    sub t0, t0, next_sample
    beqz t0, \done
    l32i t1, a1, FRAME_SLOW
    bge shift, t1, steady_\@
    movi t1, 4
    ssl shift
    sll t1, t1
    l32i t2, a1, FRAME_ORIGIN
    add t1, t1, t2
    addi t1, t1, -2                     // the sample that makes the count 2^(k + 1)
    sub t1, t1, next_sample
    minu t0, t0, t1
    bnez t1, steady_\@
    addi shift, shift, 1
    j again_\@
steady_\@:
    srli t0, t0, 1
.endm

// Move F by the sample, which becomes sample·2^15.
.macro follow_fast
    addi next_sample, next_sample, 2
    slli sample, sample, 15
    addi t0, fast_mean, 1
    srai t0, t0, 1
    sub t0, sample, t0
    ssr fast_less_1
    sra t0, t0
    add fast_mean, fast_mean, t0
.endm

// distance = |(F - M) >> 8|, of a difference of 33 bits.
.macro distance_of_means
    srai t0, fast_mean, 8
    srai t1, slow_mean, 8
    sub t0, t0, t1
    extui t1, fast_mean, 0, 8
    extui t2, slow_mean, 0, 8
    bgeu t1, t2, no_borrow_\@
    addi t0, t0, -1
no_borrow_\@:
    abs distance, t0
.endm

.macro sub_double high, low, by_high, by_low
    bgeu \low, \by_low, no_borrow_\@
    addi \high, \high, -1
no_borrow_\@:
    sub \low, \low, \by_low
    sub \high, \high, \by_high
.endm

// Move M by the sample, and V by the square of its distance: V += (e² - (e² >> k) - V) >> k. `distance` passes. With
// k = 0, the first sample, the distance is 0, whatever a shift by 31 does.
.macro follow_slow
    addi t0, slow_mean, 1
    srai t0, t0, 1
    sub t0, sample, t0
    addi t1, shift, -1
    ssr t1
    sra t1, t0
    add slow_mean, slow_mean, t1
    srai t0, t0, 7                      // e, of 24 bits and a sign
    abs t0, t0
    extui t1, t0, 0, 12                 // e² = t2²·2^24 + 2·t2·t1·2^12 + t1², t2 and t1 being halves of |e|
    extui t2, t0, 12, 13
    mull distance, t1, t2
    mull t1, t1, t1
    srli t1, t1, 12
    addx2 t1, distance, t1
    srli t1, t1, 12
    mull t2, t2, t2
    add t1, t1, t2                      // e² >> 24
    srli t1, t1, 8
    mull t0, t0, t0                     // e² = (t1, t0)
    ssr shift
    src t2, t1, t0
    srl distance, t1
    sub_double t1, t0, distance, t2
    sub_double t1, t0, variance_high, variance_low
    src t0, t1, t0
    sra t1, t1
    add variance_low, variance_low, t0
    bgeu variance_low, t0, no_carry_\@
    addi variance_high, variance_high, 1
no_carry_\@:
    add variance_high, variance_high, t1
.endm

// t0 = the count, which stays at 2^29; the silence that the warm-up still covers is none.
.macro store_count count, warmup, load
    l32i state, a1, FRAME_STATE
    l32i t1, a1, FRAME_ORIGIN
    sub t0, next_sample, t1
    srli t0, t0, 1
    movi t1, 1 << 29
    minu t0, t0, t1
    s32i t0, state, \count
    \load t1, state, \warmup
    bgeu t0, t1, held_\@
    movi silent, 0
held_\@:
.endm

// t0 = the index after the last sample fed, t1 = the outcome; a0 is what it was.
.macro index_after
    l32i t1, a1, FRAME_BUFFER
    sub t0, next_sample, t1
    srli t0, t0, 1
    l32i t1, a1, FRAME_OUTCOME
    l32i a0, a1, FRAME_RETURN
.endm
