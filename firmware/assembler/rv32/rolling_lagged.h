// What the lagged form adds: a sample is tested against the window before it, whose V has a floor.

#pragma once

#include "rolling.h"

#define LAGGED_FOUND 16
#define LAGGED_END 20
#define LAGGED_FLOOR 24
#define LAGGED_FLOOR_HIGH 28
#define LAGGED_BYTES 32
// The floor is not looked at again once a sample was found.
#define LAGGED_DISPLACED LAGGED_FLOOR

// Opens the loop, which begins with t2 = n·u of the next sample; samples_end then passes.
.macro start_lagged
    addi sp, sp, -LAGGED_BYTES
    open_frame
    start_samples
    addi t1, t1, 1 << SAMPLE_SHIFT
    sw t1, FRAME_COUNTS_FROM(sp)
    sw zero, LAGGED_FOUND(sp)
    lw t0, ZSCORE_F0(state)
    lw t1, ZSCORE_F1(state)
    slli t2, t1, 14
    or t0, t0, t2
    sw t0, LAGGED_FLOOR(sp)
    srli t1, t1, 18
    sw t1, LAGGED_FLOOR_HIGH(sp)
    lw t0, ZSCORE_START(state)
    start_window
    sw samples_end, LAGGED_END(sp)
    beq next_sample, samples_end, lagged_done
lagged_loop:
    load_sample value, 0(next_sample)
    addi next_sample, next_sample, 1 << SAMPLE_SHIFT
    to_u
    mul t2, value, window
.endm

// D² is in (square_high, square_low). Then feeds the sample.
.macro test_lagged
    times_a t4
    mul t1, square_low, factor_a        // A·D² = (t2, t3, t1)
    times_b
    mulhu a4, variance_high, factor_b
    add t0, t0, a4                      // B·V: t0, t4, and the low word not yet formed
    bltu t0, t2, lagged_above
    bne t0, t2, lagged_feed
    bltu t4, t3, lagged_above
    bne t4, t3, lagged_feed
    mul t4, variance_low, factor_b
    bltu t4, t1, lagged_above
lagged_feed:
    replace_oldest -(1 << SAMPLE_SHIFT)(next_sample)
.endm

.macro finish_lagged
    lw samples_end, LAGGED_END(sp)
    bne next_sample, samples_end, lagged_loop
    j lagged_done
lagged_above:                           // the threshold of V; what counts is a full window and V's floor
    lw t0, FRAME_COUNTS_FROM(sp)
    bltu next_sample, t0, lagged_feed
    lw t0, LAGGED_FLOOR(sp)
    lw a4, LAGGED_FLOOR_HIGH(sp)
    mulhu t4, t0, factor_b
    mul a4, a4, factor_b
    add t4, t4, a4                      // no carry: both parts are below 2^26
    mul t0, t0, factor_b                // B·floor = (t4, t0)
    bne t2, zero, lagged_found
    bltu t3, t4, lagged_feed
    bne t3, t4, lagged_found
    bgeu t0, t1, lagged_feed
lagged_found:                           // this sample is the last
    sw next_sample, LAGGED_END(sp)
    addi t0, zero, 1
    sw t0, LAGGED_FOUND(sp)
    load_sample t0, 0(oldest_slot)
    sw t0, LAGGED_DISPLACED(sp)
    j lagged_feed
lagged_done:
    lw t0, LAGGED_FOUND(sp)
    finish_samples
    beq t0, zero, lagged_clear
    lw t2, LAGGED_DISPLACED(sp)
    sw t2, ZSCORE_START(state)
lagged_clear:
    finish_window
    close_frame
    addi sp, sp, LAGGED_BYTES
.endm
