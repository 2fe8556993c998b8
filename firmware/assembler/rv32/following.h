// What drift and novelty share: a fast and a slow mean, F and M (Q16, kept as F - 2^31 here), and the variance V.
//
// The slow mean's shift k is log2 of the count until it reaches its setting; it grows with the sample whose address is
// grows_at. A difference of 33 bits is halved or split before it is taken. t0 to t6 pass.

#pragma once

#include "macros.h"
#include "layout/states.h"

#define state a0
#define next_sample a1
// Where the sample would lie that made the count 0.
#define origin a2
#define samples_end a3
#define outcome a4
#define buffer a5
#define slow a6
#define fast_mean s0
#define slow_mean s1
#define variance_low s2
#define variance_high s3
#define shift s4
#define word_less_shift s5
#define fast_less_1 s6
#define silent s7
#define grows_at s8
#define sample t0

#define FRAME_BYTES 48

// buffer in a1, start in a2, stop in a3.
.macro start_samples
    addi sp, sp, -FRAME_BYTES
    save_registers 0
    mv buffer, a1
    slli a3, a3, 1
    add samples_end, a3, a1
    slli a2, a2, 1
    add next_sample, a1, a2
.endm

.macro close_frame
    restore_registers 0
    addi sp, sp, FRAME_BYTES
.endm

// The settings are words, or, with half=hu, halves.
.macro start_count count, warmup, hold, shifts, half=w
    lw t0, \count(state)
    slli a2, t0, 1
    sub origin, next_sample, a2
    l\half silent, \warmup(state)
    sub silent, silent, t0
    blt zero, silent, start_silent      // silent samples to come: of the warm-up, or what a detection left
    l\half silent, \hold(state)
start_silent:
    l\half slow, \shifts(state)
    andi fast_less_1, slow, 255
    addi fast_less_1, fast_less_1, -1
    srli slow, slow, 8
    addi shift, zero, 0
start_size:                             // k = log2(COUNT), 0 at first, at most slow
    beq shift, slow, start_sized
    addi t2, shift, 1
    srl t2, t0, t2
    beq t2, zero, start_sized
    addi shift, shift, 1
    j start_size
start_sized:
    li word_less_shift, 32
    sub word_less_shift, word_less_shift, shift
    find_next_growth otherwise=start_steady
start_steady:
.endm

// grows_at = the address after the next sample with which k grows; 0, and a branch, when it grows no more.
.macro find_next_growth otherwise
    addi grows_at, zero, 0
    beq shift, slow, \otherwise
    li grows_at, 4
    sll grows_at, grows_at, shift
    add grows_at, grows_at, origin
.endm

// t1 = (x·2^16 - mean) >> 1.
.macro half_distance mean
    addi t1, \mean, 1
    srai t1, t1, 1
    slli t2, sample, 15
    sub t1, t2, t1
.endm

.macro follow_fast
    half_distance fast_mean
    sra t1, t1, fast_less_1
    add fast_mean, fast_mean, t1
.endm

// t1 = (F - M) >> 8, of a difference of 33 bits.
.macro distance_of_means
    srai t1, fast_mean, 8
    srai t2, slow_mean, 8
    sub t1, t1, t2
    andi t2, fast_mean, 255
    andi t3, slow_mean, 255
    sub t2, t2, t3
    srai t2, t2, 8
    add t1, t1, t2
.endm

// Move M by the sample and V by the square of its distance, and go on with the next. With k = 0, the first sample, the
// square and V are 0, whatever a shift by 32 does.
.macro follow_slow again
    half_distance slow_mean
    addi t2, shift, -1
    sra t2, t1, t2
    add slow_mean, slow_mean, t2
    srai t1, t1, 7
    mul t2, t1, t1
    mulh t3, t1, t1                     // the square
    srl t4, t2, shift
    sll t5, t3, word_less_shift
    or t4, t4, t5
    srl t5, t3, shift                   // the square >> k
    sub_double t3, t2, t5, t4, borrow=t6
    sub_double t3, t2, variance_high, variance_low, borrow=t6
    srl t2, t2, shift
    sll t4, t3, word_less_shift
    or t2, t2, t4
    sra t3, t3, shift
    add_double variance_high, variance_low, t3, t2, carry=t4
    bne next_sample, samples_end, \again
.endm

.macro grow_shift grown
    addi shift, shift, 1
    addi word_less_shift, word_less_shift, -1
    find_next_growth otherwise=\grown
    j \grown
.endm

// The count, which stays at 2^29, and the silence, which the warm-up still covers.
.macro store_count count, warmup, half=w
    sub t0, next_sample, origin
    srli t0, t0, 1
    lui t1, 1 << 29 >> 12
    bgeu t1, t0, counted
    mv t0, t1
counted:
    sw t0, \count(state)
    l\half t1, \warmup(state)
    bgeu t0, t1, held
    addi silent, zero, 0
held:
.endm

// a0 = the index after the last sample fed.
.macro index_after
    sub a0, next_sample, buffer
    srli a0, a0, 1
.endm
