// The audio front end from samples to energies, in RV32IMC machine code.

#include "macros.h"

#define WINDOW_BYTES 480 * 2
#define POINTS_BYTES 256 * 4

// As plain_spectrum.put. Does not allocate.
kernel put, arguments=4
    low_bits t0, a3, 9                  // where the samples go
    srli a3, a3, 9                      // how many
    slli t0, t0, 1
    add t0, t0, a0
    slli a2, a2, 1
    add a1, a1, a2
    slli a3, a3, 1
    add a3, a3, a1
    addi t1, a0, WINDOW_BYTES
    beq a1, a3, put_all
put_next:
    lhu t2, 0(a1)
    addi a1, a1, 2
    sh t2, 0(t0)
    addi t0, t0, 2
    bne t0, t1, put_inside
    mv t0, a0
put_inside:
    bne a1, a3, put_next
put_all:
    no_result

#define next_sample a1
#define next_weight a2
#define points a3
#define ring_end a4
#define sizes a5
// Four pairs of samples, which the last of their number's digits of base 4 tells apart.
#define group a6
#define groups a7
#define to t0
#define value t1

// One of eight samples, to a place from `to` on; `sizes` gathers the bits of all sizes.
.macro shape_sample number, place
    lh value, 2 * (\number)(next_sample)
    lhu t2, 2 * (\number)(next_weight)
    mul value, value, t2
    srai value, value, 12
    sh value, \place(to)
    bgez value, rising_\@
    neg value, value
rising_\@:
    or sizes, sizes, value
.endm

// As plain_spectrum.window. Does not allocate.
kernel window, arguments=4
    addi ring_end, a0, WINDOW_BYTES
    slli a1, a1, 1
    add next_sample, a0, a1
    li sizes, 0
    li group, 0
    addi groups, zero, 60
window_next:                            // the digits of a pair's number, reversed, times four bytes
    andi to, group, 3
    slli to, to, 6
    andi t2, group, 12
    slli t2, t2, 2
    or to, to, t2
    andi t2, group, 48
    srli t2, t2, 2
    or to, to, t2
    add to, to, points
.irp pair, 0, 1, 2, 3
    shape_sample 2 * \pair, 256 * \pair
    shape_sample 2 * \pair + 1, 256 * \pair + 2
.endr
    addi next_sample, next_sample, 16
    addi next_weight, next_weight, 16
    bne next_sample, ring_end, window_inside
    mv next_sample, a0
window_inside:
    addi group, group, 1
    bne group, groups, window_next
    addi t0, points, POINTS_BYTES + 60  // the last 16 pairs are 0
    addi points, points, 60
window_zero:
    sw zero, 0(points)
    addi points, points, 64
    bne points, t0, window_zero
    slli sizes, sizes, 17               // -32768 has none
    li a0, 15
    beq sizes, zero, window_measured
    li a0, 0
window_shift:
    blt sizes, zero, window_measured
    slli sizes, sizes, 1
    addi a0, a0, 1
    j window_shift
window_measured:

// As plain_spectrum.scale. Does not allocate.
kernel scale, arguments=2
    li t0, 1
    sll t0, t0, a1
    addi t0, t0, -1
    slli t0, t0, 16
    not t0, t0                          // without what one half pushes into the other
    addi t1, a0, POINTS_BYTES
scale_next:
.irp place, 0, 4, 8, 12
    lw t2, \place(a0)
    sll t2, t2, a1
    and t2, t2, t0
    sw t2, \place(a0)
.endr
    addi a0, a0, 16
    bne a0, t1, scale_next
    no_result

// z from the first pair up and from the last down, and the sines of both.
#define up a0
#define down a3
#define sine_up a1
#define sine_down a4
#define energy_up a2
#define energy_down a5
#define sum_re t0
#define sum_im t1
#define turn_re t2
#define turn_im t3
#define difference_re t4
#define difference_im t5
#define cosine a6
#define sine a7
#define spare t6
#define half s0
#define factor s1

// register = half of a value of 16 bits, as 16383 x in Q15, rounded.
.macro load_half register, at, base
    lh \register, \at(\base)
    mul \register, \register, factor
    add \register, \register, half
    srai \register, \register, 15
.endm

// The energy of twice (re, im).
.macro store_energy re, im, to
    srai \re, \re, 1
    mul \re, \re, \re
    srai \im, \im, 1
    mul \im, \im, \im
    add \re, \re, \im
    sw \re, 0(\to)
.endm

// As plain_spectrum.energies. Does not allocate.
kernel energies, arguments=3
    addi sp, sp, -16
    sw s0, 0(sp)
    sw s1, 4(sp)
    li half, 16384
    addi factor, half, -1
    addi down, up, POINTS_BYTES
    addi sine_down, sine_up, 128 * 2
    addi energy_down, energy_up, POINTS_BYTES
energies_next:
    addi up, up, 4
    addi down, down, -4
    addi sine_up, sine_up, 2
    addi sine_down, sine_down, -2
    addi energy_up, energy_up, 4
    addi energy_down, energy_down, -4
    load_half sum_re, 0, up
    load_half sum_im, 2, up
    load_half turn_re, 0, down
    lh turn_im, 2(down)                 // the conjugate
    mul turn_im, turn_im, factor
    sub turn_im, half, turn_im
    srai turn_im, turn_im, 15
    sub difference_re, sum_re, turn_re
    add sum_re, sum_re, turn_re
    sub difference_im, sum_im, turn_im
    add sum_im, sum_im, turn_im
    lh cosine, 0(sine_up)               // both negative: these are their sizes
    lh sine, 0(sine_down)
    mul turn_re, difference_im, sine
    mul spare, difference_re, cosine
    sub turn_re, turn_re, spare
    add turn_re, turn_re, half
    srai turn_re, turn_re, 15
    mul turn_im, difference_re, sine
    mul spare, difference_im, cosine
    add turn_im, turn_im, spare
    sub turn_im, half, turn_im
    srai turn_im, turn_im, 15
    add difference_re, sum_re, turn_re
    add difference_im, sum_im, turn_im
    sub sum_re, sum_re, turn_re
    sub sum_im, turn_im, sum_im
    store_energy difference_re, difference_im, energy_up
    store_energy sum_re, sum_im, energy_down
    bne up, down, energies_next
    lw s0, 0(sp)
    lw s1, 4(sp)
    addi sp, sp, 16
    no_result
