// What the rolling z-scores of 16-bit samples share: a cheap bound that rejects almost all, and the exact comparison.
//
// A sample is anomalous exactly when A·D² > B·V. Let rho = A / B. The state carries kappa and f with kappa >=
// sqrt(rho)·2^f; from it, h = max(0, 10 - f) and k = kappa·2^(16 - f - h), rounded up, at most 2^16. For any E, with
// s = floor(|D| / 2^E) below 2^15 and F = E + h,
//
//     y = floor((s·k + k + 2^16 - 1) / 2^16) >= |D|·sqrt(rho) / 2^F    and    v = floor(V / 4^F) mod 2^32 <= V / 4^F,
//
// so y² <= v implies rho·D² <= V: not anomalous. E follows V, so that v keeps 24 bits where V has them; it is set anew
// when the bound does not reject, before the exact comparison is made. h > 0 is for thresholds below 1 alone.

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
#define FRAME_BYTES 96

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
    l32i t0, state, ZSCORE_KR
    extui bound, t0, 0, 11
    srli t0, t0, 11                     // f
    movi t1, 10
    sub t1, t1, t0
    movi scale, 0
    max t1, t1, scale
    s32i t1, a1, FRAME_H
    add scale_2, t1, t1
    add t0, t0, t1
    movi t1, 16
    sub t1, t1, t0
    bgez t1, left_\@
    neg t1, t1
    ssr t1
    srl bound, bound
    addi bound, bound, 1
    j bounded_\@
left_\@:
    ssl t1
    sll bound, bound
bounded_\@:
    movi t1, 0xFFFF
    add bound_up, bound, t1
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

// Ends in t0 <= t1 when the sample whose |D| is in t0 is not anomalous; t1 and t0 may be compared signed or not.
.macro bound_or slow
    ssr scale
    srl t0, t0
    bgeui t0, 32768, \slow
    ssr scale_2
    src t1, variance_high, variance_low
    mull t0, t0, bound
    add t0, t0, bound_up
    extui t0, t0, 16, 16
    mull t0, t0, t0
.endm

// Choose `scale` anew; t0 = 0 when it stays.
.macro rescale
    nsau t0, variance_high
    bnei t0, 32, high_\@
    nsau t1, variance_low
    add t0, t0, t1
high_\@:
    movi t1, 41                         // V < 2^(64 - t0); at most 24 bits of it are to stay
    sub t0, t1, t0
    srai t0, t0, 1
    l32i t1, a1, FRAME_H
    max t0, t0, t1
    add scale_2, t0, t0
    sub t0, t0, t1                      // E
    sub t1, t0, scale
    mov scale, t0
    mov t0, t1
.endm

.macro save_loop
.set save_to, FRAME_SAVED
.irp register, a0, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13
    s32i \register, a1, save_to
.set save_to, save_to + 4
.endr
.endm

.macro restore_loop
.set restore_from, FRAME_SAVED
.irp register, a0, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13
    l32i \register, a1, restore_from
.set restore_from, restore_from + 4
.endr
.endm

// A column of A·D² - B·V in digits of 13 bits: t = (t >> 13) + one product less the other; then more of them.
.macro column a, e, b, w, spare
    mull \spare, \a, \e
    add a14, a14, \spare
    mull \spare, \b, \w
    sub a14, a14, \spare
.endm

.macro next_column digits, spare
    extui \spare, a14, 0, 13
    or \digits, \digits, \spare
    srai a14, a14, 13
.endm

// a14 > 0, or a14 = 0 and a0 > 0, when A·D² > B·V: D is in `value` and below 2^26 without its sign, V below 2^52. Of
// the loop's registers none is left, but they are saved.
.macro compare_exactly
    save_loop
    abs a14, value
    extui a15, a14, 13, 13              // digits of |D|
    extui a14, a14, 0, 13
    mull a13, a14, a14
    extui a2, a13, 0, 13                // digits of D²: a2, a3, a4, a5
    srli a13, a13, 13
    mull a12, a14, a15
    addx2 a13, a12, a13
    extui a3, a13, 0, 13
    srli a13, a13, 13
    mull a12, a15, a15
    add a13, a13, a12
    extui a4, a13, 0, 13
    extui a5, a13, 13, 13
    ssai 26
    src a12, a9, a8
    extui a10, a9, 7, 13                // digits of V: a8, a9, a12, a10
    extui a9, a8, 13, 13
    extui a8, a8, 0, 13
    extui a12, a12, 0, 13
    l32i a13, a1, FRAME_STATE
    l32i a6, a13, ZSCORE_A
    l32i a15, a13, ZSCORE_B
    extui a7, a6, 13, 13
    extui a6, a6, 0, 13                 // of A: a6, a7
    extui a11, a15, 13, 13
    extui a15, a15, 0, 13               // of B: a15, a11
    movi a14, 0
    movi a0, 0
    column a6, a2, a15, a8, a13
    next_column a0, a13
    column a6, a3, a15, a9, a13
    column a7, a2, a11, a8, a13
    next_column a0, a13
    column a6, a4, a15, a12, a13
    column a7, a3, a11, a9, a13
    next_column a0, a13
    column a6, a5, a15, a10, a13
    column a7, a4, a11, a12, a13
    next_column a0, a13
    column a7, a5, a11, a10, a13
.endm

// Write back what is kept; ends the function with the index of the last sample fed, or t0 after it. a0 is free.
.macro finish_samples
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
    sub t1, next_sample, t1
    l32i a0, a1, FRAME_RETURN
    return_integer t1
.endm
