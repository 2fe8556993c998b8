// Keep the newest samples, and count crossings of a level, in Xtensa machine code.

#include "macros.h"
#include "layout/states.h"

#define state a2
// To keep.
#define ring a3
#define ring_end a5
#define next_slot a6
// To count crossings.
#define level a5
#define side a6
#define count a10

// next_sample = the first sample, samples = how many, from the places of their indexes in the state and their buffer.
.macro start_samples start, stop, next_sample, samples
    l32i a8, state, \start
    l32i \samples, state, \stop
    sub \samples, \samples, a8
    addx2 \next_sample, a8, \next_sample
.endm

// As plain_ring.keep. Does not allocate; may run in an interrupt that does not share the state.
kernel keep, arguments=3
    start_samples KEEP_START, KEEP_STOP, a4, a7
    l32i a8, state, KEEP_LEN
    addx2 ring_end, a8, ring
    l32i a8, state, KEEP_POS
    addx2 next_slot, a8, ring
    loopnez a7, kept
    l16ui a8, a4, 0
    addi a4, a4, 2
    s16i a8, next_slot, 0
    addi next_slot, next_slot, 2
    bne next_slot, ring_end, inside
    mov next_slot, ring
inside:
    nop
kept:
    sub a8, next_slot, ring
    srli a8, a8, 1
    s32i a8, state, KEEP_POS
    return_nothing

// As plain_ring.cross. Does not allocate; may run in an interrupt that does not share the state.
kernel cross, arguments=2
    start_samples CROSS_START, CROSS_STOP, a3, a7
    l32i level, state, CROSS_LEVEL
    movi a8, 1 << 15
    sub level, level, a8                // as x
    l32i side, state, CROSS_SIDE
    l32i count, state, CROSS_COUNT
    loopnez a7, crossed
    l16si a8, a3, 0
    addi a3, a3, 2
    movi a9, 0
    blt a8, level, below
    movi a9, 1
below:
    xor a8, a9, side
    add count, count, a8
    mov side, a9
crossed:
    s32i side, state, CROSS_SIDE
    s32i count, state, CROSS_COUNT
    return_nothing
