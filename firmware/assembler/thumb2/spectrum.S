// The audio front end from samples to energies, in ARMv7-M machine code.

#include "macros.h"

#define WINDOW_BYTES 480 * 2
#define POINTS_BYTES 256 * 4

// As plain_spectrum.put. Does not allocate.
kernel put, arguments=4
    refuse_armv6m r4, 511
    ands r4, r4, r3                     // where the samples go
    add r4, r0, r4, lsl #1
    add r1, r1, r2, lsl #1
    add r5, r0, #WINDOW_BYTES
    lsrs r3, r3, #9                     // how many
    beq put_all
put_part:                               // as far as the ring's end
    subs r6, r5, r4
    lsrs r6, r6, #1
    cmp r6, r3
    it hi
    movhi r6, r3
    subs r3, r3, r6
put_next:
    ldrh r2, [r1], #2
    strh r2, [r4], #2
    subs r6, r6, #1
    bne put_next
    mov r4, r0
    cmp r3, #0
    bne put_part
put_all:
    no_result

#define next_sample r1
#define next_weight r2
#define points r3
#define ring_end r4
#define sizes r5
// Four pairs of samples, which the last of their number's digits of base 4 tells apart.
#define group r6
#define to r7
#define value r12

// One of eight samples, to a place from `to` on; `sizes` gathers the bits of all sizes.
.macro shape_sample number, place
    ldrsh value, [next_sample, #2 * (\number)]
    ldrh r14, [next_weight, #2 * (\number)]
    mul value, value, r14
    asrs value, value, #12
    strh value, [to, #\place]
    it mi
    rsbmi value, value, #0
    orr sizes, sizes, value
.endm

// As plain_spectrum.window. Does not allocate.
kernel window, arguments=4
    refuse_armv6m r4, WINDOW_BYTES
    add ring_end, r0, r4
    add next_sample, r0, r1, lsl #1
    movs sizes, #0
    movs group, #0
window_next:                            // the digits of a pair's number, reversed, times four bytes
    and to, group, #3
    lsls to, to, #6
    and value, group, #12
    orr to, to, value, lsl #2
    and value, group, #48
    orr to, to, value, lsr #2
    add to, to, points
.irp pair, 0, 1, 2, 3
    shape_sample 2 * \pair, 256 * \pair
    shape_sample 2 * \pair + 1, 256 * \pair + 2
.endr
    adds next_sample, next_sample, #16
    adds next_weight, next_weight, #16
    cmp next_sample, ring_end
    it eq
    moveq next_sample, r0
    adds group, group, #1
    cmp group, #60
    bne window_next
    adds points, points, #60            // of the last 16 pairs, which are 0
    movs r1, #0
    movs r2, #16
window_zero:
    str r1, [points], #64
    subs r2, r2, #1
    bne window_zero
    ubfx sizes, sizes, #0, #15          // -32768 has none
    clz r0, sizes
    subs r0, r0, #17

// As plain_spectrum.scale. Does not allocate.
kernel scale, arguments=2
    refuse_armv6m r2, 1
    lsls r2, r2, r1
    subs r2, r2, #1
    lsls r2, r2, #16
    mvns r2, r2                         // without what one half pushes into the other
    add r3, r0, #POINTS_BYTES
scale_next:
    ldmia r0, {r4-r7}
.irp pair, r4, r5, r6, r7
    lsls \pair, \pair, r1
    ands \pair, \pair, r2
.endr
    stmia r0!, {r4-r7}
    cmp r0, r3
    bne scale_next
    no_result

// z from the first pair up and from the last down, and the sines of both.
#define up r0
#define down r1
#define sine_up r2
#define sine_down r3
#define sum_re r4
#define sum_im r5
#define turn_re r6
#define turn_im r7
#define difference r8
#define sine r9
#define half r10
#define factor r11
// From z to the energies, in bytes.
#define energies_at r12
#define spare r14

// r = half of it, as 16383 x in Q15, rounded; by mls of what is taken off.
.macro halve register, by=mla
    \by \register, \register, factor, half
    asr \register, \register, #15
.endm

// The energy of twice (re, im), sums or differences that `operation` makes.
.macro store_energy operation, im, im_by, at
    \operation spare, sum_re, turn_re
    asr spare, spare, #1
    mul spare, spare, spare
    \operation sine, \im, \im_by
    asr sine, sine, #1
    mla spare, sine, sine, spare
    str spare, [\at, energies_at]
.endm

// As plain_spectrum.energies. Does not allocate.
kernel energies, arguments=3
    save_high_registers
    refuse_armv6m factor, 16383
    add half, factor, #1                // of Q15
    sub energies_at, r2, r0
    mov sine_up, r1
    add sine_down, r1, #128 * 2
    add down, r0, #POINTS_BYTES
energies_next:
    ldrsh sum_re, [up, #4]!
    ldrsh sum_im, [up, #2]
    ldrsh turn_re, [down, #-4]!
    ldrsh turn_im, [down, #2]
    halve sum_re
    halve sum_im
    halve turn_re
    halve turn_im, by=mls               // the conjugate
    sub difference, sum_re, turn_re
    add sum_re, sum_re, turn_re
    sub spare, sum_im, turn_im
    add sum_im, sum_im, turn_im
    ldrsh sine, [sine_up, #2]!
    ldrsh turn_im, [sine_down, #-2]!
    // (difference, spare) turned by cosine and sine, both negative: turn_im and sine hold their sizes.
    mla turn_re, spare, turn_im, half
    mls turn_re, difference, sine, turn_re
    asr turn_re, turn_re, #15
    mls turn_im, difference, turn_im, half
    mls turn_im, spare, sine, turn_im
    asr turn_im, turn_im, #15
    store_energy add, sum_im, turn_im, up
    store_energy sub, turn_im, sum_im, down
    cmp up, down
    bne energies_next
    restore_high_registers
    no_result
