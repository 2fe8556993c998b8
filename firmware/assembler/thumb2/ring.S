// Keep the newest samples, and count crossings of a level, in ARMv7-M machine code.

#include "macros.h"
#include "layout/states.h"

#define state r0
// To keep.
#define ring r1
#define ring_end r3
#define next_slot r4
#define kept_sample r5
#define kept_end r6
// To count crossings.
#define level r2
#define side r3
#define next_sample r4
#define samples_end r5
#define count r6

// As plain_ring.keep. Does not allocate; may run in an interrupt that does not share the state.
kernel keep, arguments=3
    ldr r3, [state, #KEEP_LEN]
    ldr r4, [state, #KEEP_POS]
    ldr r5, [state, #KEEP_START]
    ldr r6, [state, #KEEP_STOP]
    add ring_end, ring, r3, lsl #1
    add next_slot, ring, r4, lsl #1
    add kept_sample, r2, r5, lsl #1
    add kept_end, r2, r6, lsl #1
    refuse_armv6m r7
    cmp kept_sample, kept_end
    beq kept
keep_next:
    ldrh r2, [kept_sample], #2
    strh r2, [next_slot], #2
    cmp next_slot, ring_end
    it eq
    moveq next_slot, ring
    cmp kept_sample, kept_end
    bne keep_next
kept:
    subs r4, next_slot, ring
    lsrs r4, r4, #1
    str r4, [state, #KEEP_POS]
    no_result

// As plain_ring.cross. Does not allocate; may run in an interrupt that does not share the state.
kernel cross, arguments=2
    ldr level, [state, #CROSS_LEVEL]
    sub level, level, #0x8000           // as x
    ldr side, [state, #CROSS_SIDE]
    ldr r4, [state, #CROSS_START]
    ldr r5, [state, #CROSS_STOP]
    ldr count, [state, #CROSS_COUNT]
    add next_sample, r1, r4, lsl #1
    add samples_end, r1, r5, lsl #1
    refuse_armv6m r7
    cmp next_sample, samples_end
    beq crossed
cross_next:
    ldrsh r1, [next_sample], #2
    cmp r1, level
    ite ge
    movge r1, #1
    movlt r1, #0
    eor r7, r1, side
    add count, count, r7
    mov side, r1
    cmp next_sample, samples_end
    bne cross_next
crossed:
    str side, [state, #CROSS_SIDE]
    str count, [state, #CROSS_COUNT]
    no_result
