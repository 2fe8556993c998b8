// What the rolling z-scores of 16-bit samples share. A sample is anomalous exactly when A·D² > B·V.

#pragma once

#include "macros.h"
#include "layout/states.h"

// In the loop; `state` is in the frame then.
#define offset a2
#define slot a3
#define next_sample a4
#define window a5
#define scale_2 a6
#define sum a7
#define variance_low a8
#define variance_high a9
#define bound a10
#define bound_up a11
#define value a12
#define change a13
#define t0 a14
#define t1 a15
// E, and 2·(E + h).
#define scale a0
// Around it.
#define state a2
#define factor_a a5
#define factor_b a6

#define FRAME_RETURN 0
#define FRAME_STATE 4
#define FRAME_RING 8
#define FRAME_RING_END 12
#define FRAME_BUFFER 16
#define FRAME_SAMPLES_END 20
#define FRAME_COUNTS_FROM 24
#define FRAME_H 28
#define FRAME_SAVED 32
// Of the lagged form: the floor of V, whether a sample was found, and what it displaced.
#define FRAME_FLOOR 88
#define FRAME_FOUND 92
#define FRAME_DISPLACED 96
#define FRAME_BYTES 112

#include "bound.h"

// The address of an index that is in the state; t1 passes.
.macro address register, index, base
    l32i t1, state, \index
    addx2 \register, t1, \base
.endm

// Fill the frame and the loop's registers. COUNTS_FROM is the address of the sample after the first whose window is
// full, `later` samples further on.
.macro start_samples later
    s32i a0, a1, FRAME_RETURN
    s32i state, a1, FRAME_STATE
    s32i a3, a1, FRAME_RING
    s32i a4, a1, FRAME_BUFFER
    l32i window, state, ZSCORE_N
    addx2 t0, window, a3
    s32i t0, a1, FRAME_RING_END
    address t0, ZSCORE_STOP, a4
    s32i t0, a1, FRAME_SAMPLES_END
    address t0, ZSCORE_START, a4
    l32i t1, state, ZSCORE_COUNT
    sub t1, window, t1
    addx2 t1, t1, t0
    addi t1, t1, 2 * \later
    s32i t1, a1, FRAME_COUNTS_FROM
    mov next_sample, t0
    address slot, ZSCORE_POS, a3
    l32i sum, state, ZSCORE_S0
    load_variance variance_high, variance_low, ZSCORE_V0, t0, t1
    prepare_bound ZSCORE_KR, bound, bound_up
    movi offset, 0x8000
.endm

// t0 = how many samples to feed before the ring ends or they do; t1 passes.
.macro samples_at_once done
    l32i t0, a1, FRAME_SAMPLES_END
    sub t0, t0, next_sample
    beqz t0, \done
    l32i t1, a1, FRAME_RING_END
    sub t1, t1, slot
    minu t0, t0, t1
    srli t0, t0, 1
.endm

.macro wrap_slot
    l32i t0, a1, FRAME_RING_END
    bne slot, t0, inside_\@
    l32i slot, a1, FRAME_RING
inside_\@:
.endm

// variance += change·t0, of 17 and 28 bits with signs. The product's upper word is change·(t0 >> 14) less its lower
// word, both in units of 2^14, to the nearest 2^18: what the shift dropped is below 2^16.
.macro update_variance
    mull t1, change, t0
    srai t0, t0, 14
    mull t0, change, t0
    add variance_low, variance_low, t1
    bgeu variance_low, t1, no_carry_\@
    addi variance_high, variance_high, 1
no_carry_\@:
    srli t1, t1, 14
    sub t0, t0, t1
    addx4 t0, offset, t0                // half of 2^18
    srai t0, t0, 18
    add variance_high, variance_high, t0
.endm

// The sample that the bound did not reject: go on at `test` with another scale, or at `next` while the window fills.
.macro test_exactly test, next
    rescale 24
    bnez t0, \test
    l32i t0, a1, FRAME_COUNTS_FROM
    bltu next_sample, t0, \next
    save_loop
.endm

// For `decide`, of the D in `value`, once the loop's registers are saved.
.macro compare_exactly
    abs a14, value
    l32i a13, a1, FRAME_STATE
    l32i a6, a13, ZSCORE_A
    l32i a11, a13, ZSCORE_B
    compare_digits
.endm

// Write back what is kept; ends the function with the index of the last sample fed, or t0 after it. a0 is free.
.macro finish_samples lagged=0
    mov t1, t0                          // 1 when that sample is the answer
    l32i state, a1, FRAME_STATE
    l32i value, a1, FRAME_RING
    sub slot, slot, value
    srli slot, slot, 1
    s32i slot, state, ZSCORE_POS
    l32i value, a1, FRAME_BUFFER
    sub next_sample, next_sample, value
    srli next_sample, next_sample, 1
    l32i value, state, ZSCORE_START
    sub value, next_sample, value
    l32i change, state, ZSCORE_COUNT
    add value, value, change
    minu value, value, window
    s32i value, state, ZSCORE_COUNT
    s32i sum, state, ZSCORE_S0
    store_variance variance_high, variance_low, ZSCORE_V0, value, change
.if \lagged
    beqz t1, no_answer_\@
    l32i value, a1, FRAME_DISPLACED
    s32i value, state, ZSCORE_START
no_answer_\@:
.endif
    sub t1, next_sample, t1
    l32i a0, a1, FRAME_RETURN
    return_integer t1
.endm
