// Keep the newest samples, and count crossings of a level, in RV32IMC machine code.

#include "macros.h"
#include "layout/states.h"

#define state a0
#define next_sample t2
#define samples_end t3
// To keep.
#define ring a1
#define ring_end t0
#define next_slot t1
// To count crossings.
#define level t0
#define side t1
#define count t4

// register = the address of a sample whose index is in the state.
.macro load_address register, index, base
    lw \register, \index(state)
    slli \register, \register, 1
    add \register, \register, \base
.endm

// As plain_ring.keep. Does not allocate; may run in an interrupt that does not share the state.
kernel keep, arguments=3
    load_address ring_end, KEEP_LEN, ring
    load_address next_slot, KEEP_POS, ring
    load_address next_sample, KEEP_START, a2
    load_address samples_end, KEEP_STOP, a2
    beq next_sample, samples_end, kept
keep_next:
    lhu t4, 0(next_sample)
    addi next_sample, next_sample, 2
    sh t4, 0(next_slot)
    addi next_slot, next_slot, 2
    bne next_slot, ring_end, inside
    mv next_slot, ring
inside:
    bne next_sample, samples_end, keep_next
kept:
    sub t1, next_slot, ring
    srli t1, t1, 1
    sw t1, KEEP_POS(state)
    no_result

// As plain_ring.cross. Does not allocate; may run in an interrupt that does not share the state.
kernel cross, arguments=2
    lw level, CROSS_LEVEL(state)
    lui t1, 1 << 15 >> 12
    sub level, level, t1                // as x
    lw side, CROSS_SIDE(state)
    load_address next_sample, CROSS_START, a1
    load_address samples_end, CROSS_STOP, a1
    lw count, CROSS_COUNT(state)
    beq next_sample, samples_end, crossed
cross_next:
    lh t5, 0(next_sample)
    addi next_sample, next_sample, 2
    slt t5, t5, level
    xori t5, t5, 1
    xor t6, t5, side
    add count, count, t6
    mv side, t5
    bne next_sample, samples_end, cross_next
crossed:
    sw side, CROSS_SIDE(state)
    sw count, CROSS_COUNT(state)
    no_result
