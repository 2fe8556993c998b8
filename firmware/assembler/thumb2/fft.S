// The audio front end's transform in ARMv7-M machine code.

#include "macros.h"

#define leg0 r0
#define leg1 r10
#define leg2 r9
#define leg3 r8
#define leg_bytes r11
// Of Q15.
#define half r12

// Cosine and sine of each leg, in the order of the legs.
#define FRAME_TWIDDLES 0
#define FRAME_POINTS 24
#define FRAME_SINES 28
#define FRAME_PASS_END 32
// Bytes of k, bytes of twiddles a step of k, and the same times k.
#define FRAME_K 36
#define FRAME_STEP 40
#define FRAME_ANGLE 44
#define FRAME_BYTES 48

#define POINTS_BYTES 1024
// From a sine to its cosine: 128 halves.
#define COSINE 256

.macro start_legs
    add leg1, leg0, leg_bytes
    add leg2, leg0, leg_bytes, lsl #1
    add leg3, leg1, leg_bytes, lsl #1
.endm

.macro load_leg re, im, leg
    ldrsh \re, [\leg, #0]
    ldrsh \im, [\leg, #2]
.endm

// A quarter of it, as 8191 x in Q15, rounded; `shift` is asr for high registers.
.macro quarter register, shift=asrs
    rsb \register, \register, \register, lsl #13
    add \register, \register, half
    \shift \register, \register, #15
.endm

// Times exp(-i angle), rounded.
.macro turn re, im, from_re, from_im, cosine, sine, shift=asrs
    mla \re, \from_re, \cosine, half
    mla \re, \from_im, \sine, \re
    \shift \re, \re, #15
    mla \im, \from_im, \cosine, half
    mls \im, \from_re, \sine, \im
    asrs \im, \im, #15
.endm

.macro load_twiddle leg
    ldrsh r5, [r4, #COSINE]
    ldrsh r6, [r4, #0]
    strd r5, r6, [sp, #FRAME_TWIDDLES + 8 * (\leg - 1)]
.endm

// leg0 = (r5, r7), leg2 = (r8, r6), sum of legs 1 and 3 = (r4, r3), their difference = (r1, r2); then the next four.
.macro store_butterfly again
    add r14, r5, r8
    sub r5, r5, r8
    add r8, r7, r6
    subs r7, r7, r6
    add r6, r14, r4
    strh r6, [leg0, #0]
    add r6, r8, r3
    strh r6, [leg0, #2]
    sub r6, r14, r4
    strh r6, [leg2, #0]
    sub r6, r8, r3
    strh r6, [leg2, #2]
    add leg3, leg1, leg_bytes, lsl #1
    adds r6, r5, r2
    strh r6, [leg1, #0]
    subs r6, r7, r1
    strh r6, [leg1, #2]
    subs r6, r5, r2
    strh r6, [leg3, #0]
    adds r6, r7, r1
    strh r6, [leg3, #2]
    add leg0, leg0, leg_bytes, lsl #2
    ldr r6, [sp, #FRAME_PASS_END]
    cmp leg0, r6
    bcc.w \again
.endm

// As plain_fft.transform. Does not allocate.
kernel transform, arguments=2
    save_high_registers
    sub sp, #FRAME_BYTES
    refuse_armv6m half, 16384
    str r0, [sp, #FRAME_POINTS]
    str r1, [sp, #FRAME_SINES]
    mov leg_bytes, #4
    mov r2, #256                        // 2 · 128 / size
    str r2, [sp, #FRAME_STEP]
stage:
    movs r2, #0
    str r2, [sp, #FRAME_K]
    str r2, [sp, #FRAME_ANGLE]
    ldr leg0, [sp, #FRAME_POINTS]
    add r2, leg0, #POINTS_BYTES
    str r2, [sp, #FRAME_PASS_END]
plain:                                  // without twiddles: k = 0
    start_legs
    load_leg r1, r2, leg1
    load_leg r3, r4, leg3
    quarter r1
    quarter r2
    quarter r3
    quarter r4
    adds r5, r1, r3
    subs r1, r1, r3
    adds r3, r2, r4
    subs r2, r2, r4
    mov r4, r5
    load_leg r8, r6, leg2
    quarter r8, shift=asr
    quarter r6
    load_leg r5, r7, leg0
    quarter r5
    quarter r7
    store_butterfly plain
pass_done:
    ldr r2, [sp, #FRAME_K]
    adds r2, r2, #4
    str r2, [sp, #FRAME_K]
    cmp r2, leg_bytes
    bcs.w stage_done
    ldr r3, [sp, #FRAME_ANGLE]
    ldr r4, [sp, #FRAME_STEP]
    adds r3, r3, r4
    str r3, [sp, #FRAME_ANGLE]
    ldr r1, [sp, #FRAME_SINES]
    adds r4, r1, r3
    load_twiddle 1
    adds r4, r4, r3
    load_twiddle 2
    adds r4, r4, r3
    load_twiddle 3
    ldr leg0, [sp, #FRAME_POINTS]
    add leg0, leg0, r2
turned:
    start_legs
    load_leg r4, r5, leg1
    quarter r4
    quarter r5
    ldrd r6, r7, [sp, #FRAME_TWIDDLES]
    turn r1, r2, r4, r5, r6, r7
    load_leg r4, r5, leg3
    quarter r4
    quarter r5
    ldrd r6, r7, [sp, #FRAME_TWIDDLES + 16]
    turn r3, r5, r4, r5, r6, r7
    adds r4, r1, r3
    subs r1, r1, r3
    adds r3, r2, r5
    subs r2, r2, r5
    load_leg r5, r6, leg2
    quarter r5
    quarter r6
    ldrd r7, r14, [sp, #FRAME_TWIDDLES + 8]
    turn r8, r6, r5, r6, r7, r14, shift=asr
    load_leg r5, r7, leg0
    quarter r5
    quarter r7
    store_butterfly turned
    b pass_done
stage_done:
    ldr r2, [sp, #FRAME_STEP]
    lsrs r2, r2, #2
    str r2, [sp, #FRAME_STEP]
    lsl leg_bytes, leg_bytes, #2
    cmp leg_bytes, #POINTS_BYTES
    bcc.w stage
    add sp, #FRAME_BYTES
    restore_high_registers
    no_result
