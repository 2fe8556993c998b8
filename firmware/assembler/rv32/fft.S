// The audio front end's transform in RV32IMC machine code.

#include "macros.h"

#define leg0 a0
#define leg1 a3
#define leg2 a4
#define leg3 a5
#define leg_bytes a2
#define sines a1
// Of Q15.
#define half s0
// Cosine and sine of each leg.
#define cosine1 s1
#define sine1 s2
#define cosine2 s3
#define sine2 s4
#define cosine3 s5
#define sine3 s6
#define pass_end s7
#define points s8
// Bytes of k, bytes of twiddles a step of k, and the same times k.
#define k_bytes s9
#define step s10
#define angle s11

#define FRAME_BYTES 48
#define POINTS_BYTES 1024
// From a sine to its cosine: 128 halves.
#define COSINE 256

.macro start_legs
    add leg1, leg0, leg_bytes
    add leg2, leg1, leg_bytes
    add leg3, leg2, leg_bytes
.endm

// A quarter of it, as 8191 x in Q15, rounded.
.macro quarter register
    slli t6, \register, 13
    sub \register, t6, \register
    round \register
.endm

.macro round register
    add \register, \register, half
    srai \register, \register, 15
.endm

// A quarter of a leg.
.macro load_leg re, im, leg
    lh \re, 0(\leg)
    lh \im, 2(\leg)
    quarter \re
    quarter \im
.endm

// Times exp(-i angle), rounded.
.macro turn re, im, from_re, from_im, cosine, sine
    mul \re, \from_re, \cosine
    mul t6, \from_im, \sine
    add \re, \re, t6
    round \re
    mul \im, \from_im, \cosine
    mul t6, \from_re, \sine
    sub \im, \im, t6
    round \im
.endm

.macro load_twiddle cosine, sine
    lh \cosine, COSINE(t0)
    lh \sine, 0(t0)
.endm

// Of legs 1 and 3, (t1, t2) and (t3, t4): the sum is (t0, t3), the difference (t1, t2).
.macro add_odd_legs
    add t0, t1, t3
    sub t1, t1, t3
    add t3, t2, t4
    sub t2, t2, t4
.endm

// leg0 = (t5, a7), leg2 = (t4, a6), legs 1 and 3 as add_odd_legs leaves them; then the next four.
.macro store_butterfly again
    add t6, t5, t4
    sub t5, t5, t4
    add t4, a7, a6
    sub a7, a7, a6
    add a6, t6, t0
    sh a6, 0(leg0)
    add a6, t4, t3
    sh a6, 2(leg0)
    sub a6, t6, t0
    sh a6, 0(leg2)
    sub a6, t4, t3
    sh a6, 2(leg2)
    add a6, t5, t2
    sh a6, 0(leg1)
    sub a6, a7, t1
    sh a6, 2(leg1)
    sub a6, t5, t2
    sh a6, 0(leg3)
    add a6, a7, t1
    sh a6, 2(leg3)
    slli a6, leg_bytes, 2
    add leg0, leg0, a6
    bltu leg0, pass_end, \again
.endm

// As plain_fft.transform. Does not allocate.
kernel transform, arguments=2
    addi sp, sp, -FRAME_BYTES
    save_registers 0
    add points, a0, zero
    li half, 16384
    li leg_bytes, 4
    li step, 256                        // 2 · 128 / size
stage:
    addi k_bytes, zero, 0
    addi angle, zero, 0
    add leg0, points, zero
    addi pass_end, points, POINTS_BYTES
plain:                                  // without twiddles: k = 0
    start_legs
    load_leg t1, t2, leg1
    load_leg t3, t4, leg3
    add_odd_legs
    load_leg t4, a6, leg2
    load_leg t5, a7, leg0
    store_butterfly plain
pass_done:
    addi k_bytes, k_bytes, 4
    bgeu k_bytes, leg_bytes, stage_done
    add angle, angle, step
    add t0, sines, angle
    load_twiddle cosine1, sine1
    add t0, t0, angle
    load_twiddle cosine2, sine2
    add t0, t0, angle
    load_twiddle cosine3, sine3
    add leg0, points, k_bytes
turned:
    start_legs
    load_leg t0, t2, leg1
    turn t1, t2, t0, t2, cosine1, sine1
    load_leg t0, t4, leg3
    turn t3, t4, t0, t4, cosine3, sine3
    add_odd_legs
    load_leg t5, a6, leg2
    turn t4, a6, t5, a6, cosine2, sine2
    load_leg t5, a7, leg0
    store_butterfly turned
    j pass_done
stage_done:
    srli step, step, 2
    slli leg_bytes, leg_bytes, 2
    li t0, POINTS_BYTES
    bltu leg_bytes, t0, stage
    restore_registers 0
    addi sp, sp, FRAME_BYTES
    no_result
