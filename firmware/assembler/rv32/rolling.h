// What the rolling z-scores share, for samples of 16 bits (SAMPLE_SHIFT 1) and of 17 to 24 (SAMPLE_SHIFT 2).
//
// A sample is anomalous when A·D² > B·V. Those of 16 bits have n <= 1024; of the others n <= 256 and u = x + 2^23, so
// that n·u and S take one word without sign and D = n·u - S takes one and a sign. t0 to t4 pass.

#pragma once

#include "macros.h"
#include "layout/states.h"

#define state a0
#define oldest_slot a1
#define next_sample a2
#define ring_end a3
#define samples_end a4
#define window a5
#define sum a6
// 2^15 or 2^23.
#define offset a7
#define variance_high s0
#define variance_low s1
#define factor_a t5
#define factor_b t6
// In the loop.
#define value t0
#define change t1
#define square_low t1
#define square_high t2

// The first words of the frame; the next holds the address of the sample after the first that counts.
#define FRAME_S0 0
#define FRAME_S1 4
#define FRAME_BUFFER 8
#define FRAME_COUNTS_FROM 12

.macro open_frame
    sw s0, FRAME_S0(sp)
    sw s1, FRAME_S1(sp)
    sw a2, FRAME_BUFFER(sp)
.endm

.macro close_frame
    lw s0, FRAME_S0(sp)
    lw s1, FRAME_S1(sp)
.endm

// t0 = START, t1 = the address of the sample after the first whose window is full.
.macro start_samples
    lw window, ZSCORE_N(state)
    lw t0, ZSCORE_START(state)
    lw t1, ZSCORE_COUNT(state)
    sub t1, window, t1
    add t1, t1, t0
    slli t1, t1, SAMPLE_SHIFT
    add t1, t1, a2
.endm

.macro start_window
    lw samples_end, ZSCORE_STOP(state)
    slli samples_end, samples_end, SAMPLE_SHIFT
    add samples_end, samples_end, a2
    slli t0, t0, SAMPLE_SHIFT
    add next_sample, a2, t0
    slli t0, window, SAMPLE_SHIFT
    add ring_end, a1, t0
    lw t0, ZSCORE_POS(state)
    slli t0, t0, SAMPLE_SHIFT
    add oldest_slot, a1, t0
    lw sum, ZSCORE_S0(state)
.if SAMPLE_SHIFT == 2
    lw t0, ZSCORE_S1(state)
    slli t0, t0, 26
    or sum, sum, t0
    lui offset, 1 << 23 >> 12
.else
    lui offset, 1 << 15 >> 12
.endif
    lw factor_a, ZSCORE_A(state)
    lw factor_b, ZSCORE_B(state)
    load_variance variance_high, variance_low, ZSCORE_V0
.endm

// value = u of the sample that was loaded into it.
.macro to_u
.if SAMPLE_SHIFT == 1
    xor value, value, offset
.else
    add value, value, offset
    low_bits value, value, 24
.endif
.endm

.macro load_sample register, address:vararg
.if SAMPLE_SHIFT == 1
    lhu \register, \address
.else
    lw \register, \address
.endif
.endm

// Put the sample at an address into the oldest one's slot: change = u - oldest, into S as well; value = n·u. `moves`
// are bytes to go on with next_sample; t2 passes.
.macro replace_oldest address, moves=0
    load_sample value, \address
    load_sample change, 0(oldest_slot)
.if \moves
    addi next_sample, next_sample, \moves
.endif
    to_u
.if SAMPLE_SHIFT == 1
    sh value, 0(oldest_slot)
.else
    sw value, 0(oldest_slot)
.endif
    addi oldest_slot, oldest_slot, 1 << SAMPLE_SHIFT
    bne oldest_slot, ring_end, inside_\@
    slli t2, window, SAMPLE_SHIFT
    sub oldest_slot, ring_end, t2
inside_\@:
    sub change, value, change
    add sum, sum, change
    mul value, value, window
.endm

// Of samples of 16 bits: value = D; V grows by change·(D + D_oldest), and D + D_oldest = 2·D - (n - 1)·change.
.macro update_variance
    sub value, value, sum
    slli t2, value, 1
    add t2, t2, change
    mul t3, change, window
    sub t2, t2, t3
    mul t3, change, t2
    mulh t1, change, t2
    add_double variance_high, variance_low, t1, t3, carry=t3
.endm

// Of wider samples: value = D, of one word, and t4 = 1 when it is negative; V grows by 2·change·D - (n - 1)·change².
// `upper` passes.
.macro update_wide_variance upper
    sltu t4, value, sum
    sub value, value, sum
    srli t2, value, 31
    sub t2, t2, t4                      // D = value taken as signed + t2·2^32
    mul t2, t2, change
    mul t3, value, change
    mulh \upper, value, change
    add \upper, \upper, t2              // change·D = (upper, t3)
    add_double variance_high, variance_low, \upper, t3, carry=t2
    add_double variance_high, variance_low, \upper, t3, carry=t2
    mul t2, change, change
    mulh t3, change, change
    addi \upper, window, -1
    mul t1, t3, \upper
    mulhu t3, t2, \upper
    mul t2, t2, \upper
    add t1, t1, t3                      // (n - 1)·change² = (t1, t2)
    sub_double variance_high, variance_low, t1, t2, borrow=t3
.endm

// The size of D, which is negative when its sign is not 0.
.macro size_of_d register, sign
    beq \sign, zero, positive_\@
    sub \register, zero, \register
positive_\@:
.endm

// D² = (t2, t1): A·D² = (t2, t3) and the low word of A·t1, which is not yet formed.
.macro times_a spare
    mulhu t3, square_low, factor_a
    mul \spare, square_high, factor_a
    mulhu t2, square_high, factor_a
    add t3, t3, \spare
    sltu \spare, t3, \spare
    add t2, t2, \spare
.endm

// t4 = the middle word of B·V, t0 = its carry into the upper one.
.macro times_b
    mulhu t4, variance_low, factor_b
    mul t0, variance_high, factor_b
    add t4, t4, t0
    sltu t0, t4, t0
.endm

// t0 = 1 when the last sample is anomalous, t1 = START after that.
.macro finish_samples
    lw t1, FRAME_BUFFER(sp)
    sub next_sample, next_sample, t1
    srli next_sample, next_sample, SAMPLE_SHIFT
    sub ring_end, ring_end, oldest_slot
    srli ring_end, ring_end, SAMPLE_SHIFT
    sub ring_end, window, ring_end
    sw ring_end, ZSCORE_POS(state)
    lw t1, ZSCORE_START(state)
.endm

// Ends in a0 = the index to return.
.macro finish_window
    sub t1, next_sample, t1
    lw t2, ZSCORE_COUNT(state)
    add t1, t1, t2
    bltu t1, window, filling_\@
    mv t1, window
filling_\@:
    sw t1, ZSCORE_COUNT(state)
.if SAMPLE_SHIFT == 1
    sw sum, ZSCORE_S0(state)
.else
    low_bits t1, sum, 26
    sw t1, ZSCORE_S0(state)
    srli t1, sum, 26
    sw t1, ZSCORE_S1(state)
.endif
    store_variance variance_high, variance_low, ZSCORE_V0
    sub a0, next_sample, t0
.endm
