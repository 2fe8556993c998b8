// A cheap bound on A·D² > B·V, which rejects almost all samples, and the exact comparison.
//
// Let rho = A / B. The state carries kappa and f with kappa >= sqrt(rho)·2^f; from it, h = max(0, 10 - f) and k =
// kappa·2^(16 - f - h), rounded up, at most 2^16. For any E, with s = floor(|D| / 2^E) below 2^15 and F = E + h,
//
//     y = floor((s·k + k + 2^16 - 1) / 2^16) >= |D|·sqrt(rho) / 2^F    and    v = floor(V / 4^F) mod 2^32 <= V / 4^F,
//
// so y² <= v implies rho·D² <= V. E follows V, so that v keeps 24 bits where V has them; it is set anew when the
// bound does not reject, before the exact comparison is made. h > 0 is for thresholds below 1 alone.
//
// Who includes this names the registers: variance_high and variance_low, in a9 and a8; scale = E and scale_2 = 2·F; t0
// and t1 pass. FRAME_H, FRAME_SAVED and FRAME_FLOOR are places in the frame.

#pragma once

// h into the frame; k and what is added to s·k; E = 0. From a word of the state.
.macro prepare_bound place, k, k_up
    l32i t0, a2, \place
    extui \k, t0, 0, 11
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
    srl \k, \k
    addi \k, \k, 1
    j bounded_\@
left_\@:
    ssl t1
    sll \k, \k
bounded_\@:
    movi t1, 0xFFFF
    add \k_up, \k, t1
.endm

// low = the lower word of V, or of its floor where that is larger.
.macro floor_variance low, spare
    mov \low, variance_low
    bnez variance_high, above_floor_\@
    l32i \spare, a1, FRAME_FLOOR
    maxu \low, \low, \spare
above_floor_\@:
.endm

// Ends in t0 <= t1 when a sample is not anomalous; t0 = |D|, and (variance_high, low) = V.
.macro bound_or slow, k, k_up, low
    ssr scale
    srl t0, t0
    bgeui t0, 32768, \slow
    ssr scale_2
    src t1, variance_high, \low
    mull t0, t0, \k
    add t0, t0, \k_up
    extui t0, t0, 16, 16
    mull t0, t0, t0
.endm

// Choose `scale` anew, so that v keeps so many bits at most; t0 = 0 when it stays.
.macro rescale bits
    nsau t0, variance_high
    bnei t0, 32, high_\@
    nsau t1, variance_low
    add t0, t0, t1
high_\@:
    movi t1, 65 - \bits                 // V < 2^(64 - t0)
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

// a14 > 0, or a14 = 0 and a0 > 0, when A·D² > B·V: |D| = a14 and A = a6 and B = a11, all below 2^26; V = (a9, a8),
// below 2^52. Of the loop's registers none is left; save_loop has them.
.macro compare_digits
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
    extui a7, a6, 13, 13
    extui a6, a6, 0, 13                 // of A: a6, a7
    extui a15, a11, 0, 13
    extui a11, a11, 13, 13              // of B: a15, a11
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

// Go on where the comparison leads, the loop's registers restored.
.macro decide above, below
    bltz a14, below_\@
    or a15, a14, a0
    bnez a15, above_\@
below_\@:
    restore_loop
    j \below
above_\@:
    restore_loop
    j \above
.endm
