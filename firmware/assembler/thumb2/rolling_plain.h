// The two ends of the plain form, in which a sample is part of the window that it is tested against.
//
// Frame: 0 state, 4 buffer, 8 end of the samples, 12 the sample after the first whose window is full.

#pragma once

#include "rolling.h"

#define PLAIN_END 8
#define PLAIN_COUNTS_FROM 12

// Opens the loop, which begins with the next sample in the place of the oldest.
.macro start_plain
    start_samples
    push {r0, r2, r10, r11}
    start_window
    cmp next_sample, samples_end
    beq plain_done
plain_loop:
    replace_oldest [next_sample], #1 << SAMPLE_SHIFT
.endm

// D² is in (square_high, value).
.macro finish_plain
    compare_with_threshold
    bcc plain_above
plain_next:
    ldr r0, [sp, #PLAIN_END]
    cmp next_sample, r0
    bne plain_loop
    movs r0, #0
    b plain_done
plain_above:                            // the threshold, which counts once the window is full
    ldr r0, [sp, #PLAIN_COUNTS_FROM]
    cmp next_sample, r0
    bcc plain_next
    movs r0, #1
plain_done:                             // r0 = 1 when the last sample is anomalous
    mov r12, r0
    pop {r0, r8, r10, r11}
    finish_samples r8, r12, r12
    finish_window r12
.endm
