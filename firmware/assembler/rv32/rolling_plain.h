// The two ends of the plain form, in which a sample is part of the window that it is tested against.

#pragma once

#include "rolling.h"

// Opens the loop, which begins with the next sample in the place of the oldest.
.macro start_plain
    open_frame
    start_samples
    sw t1, FRAME_COUNTS_FROM(sp)
    start_window
    addi t0, zero, 0
    beq next_sample, samples_end, plain_done
plain_loop:
    replace_oldest 0(next_sample), moves=1 << SAMPLE_SHIFT
.endm

// D² is in (square_high, square_low). The carry of B·V is taken from A·D², which may become negative by it.
.macro finish_plain
    times_a t0
    times_b
    sub t2, t2, t0
    mulhu t0, variance_high, factor_b
    bne t2, t0, plain_top
    bne t3, t4, plain_middle
    mul t1, square_low, factor_a
    mul t4, variance_low, factor_b
    bltu t4, t1, plain_above
plain_next:
    bne next_sample, samples_end, plain_loop
    addi t0, zero, 0
    j plain_done
plain_middle:
    bgeu t4, t3, plain_next
    j plain_above
plain_top:
    bge t0, t2, plain_next
plain_above:                            // the threshold, which counts once the window is full
    lw t0, FRAME_COUNTS_FROM(sp)
    bltu next_sample, t0, plain_next
    addi t0, zero, 1
plain_done:
    finish_samples
    finish_window
    close_frame
.endm
