// Dense int8 layers in ARMv7E-M machine code: two products an instruction, four channels of two pixels at a time.
//
// Must run on cores with the DSP extension only (Cortex-M4, -M7, -M33): choose it by CPUID, which MicroPython's own
// architecture field does not tell. Layout `pairs`: inputs are spread into halfwords first, weights as they are read.

#include "thumb2/dense.h"

#define input r1
#define input_end r14
// Where the next pixel's halfwords go, what their words lie apart (4, or 8 for two pixels), bytes of a pixel.
#define halfwords r9
#define halfwords_apart r11
#define filled r8
#define pixels_left r10

// Four weights by the inputs of two pixels, at bytes 0 and 2; by_two_odd at bytes 1 and 3, and goes on.
.macro by_two_even at, first, second
    ldr r2, [stream, #\at]
    sxtb16 r2, r2
    smlad \first, r2, r3, \first
    smlad \second, r2, r12, \second
.endm

.macro by_two_odd first, second
    ldr r2, [stream], #4
    sxtb16 r2, r2, ror #8
    smlad \first, r2, r3, \first
    smlad \second, r2, r12, \second
.endm

// Four weights by the inputs of one pixel.
.macro by_one accumulator
    ldr r2, [stream], #4
    sxtb16 r8, r2
    sxtb16 r2, r2, ror #8
    smlad \accumulator, r8, r3, \accumulator
    smlad \accumulator, r2, r12, \accumulator
.endm

// As plain_conv.conv. Does not allocate.
kernel conv, arguments=4
    open_dense
row:
    start_row FRAME_PIXEL_INPUT, FRAME_PIXEL_OUTPUT
pixel:
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    ldr r1, [sp, #FRAME_PIXEL_INPUT]
    ldr filled, [descriptor, #CONV_FILLED]
    ldr halfwords, [sp, #FRAME_LINE]
    add r5, halfwords, filled, lsl #2
    str r5, [sp, #FRAME_LINE1]
    ldr pixels_left, [sp, #FRAME_COLS]
    cmp pixels_left, #1
    ite eq
    moveq halfwords_apart, #4
    movne halfwords_apart, #8
fetch:
    mov r6, r1
    ldr r3, [descriptor, #CONV_SEGMENTS]
    cmp r3, #1
    beq spread
    ldr r2, [sp, #FRAME_LINE1]
    ldr r12, [sp, #FRAME_OFFSETS]
    gather_segments
    ldr r6, [sp, #FRAME_LINE1]
spread:                                 // halfwords of bytes 0 and 2, then of 1 and 3; those of two pixels take turns
    mov r2, halfwords
    add r7, r6, filled
spread_word:
    ldr r5, [r6], #4
    sxtb16 r12, r5
    sxtb16 r5, r5, ror #8
    str r12, [r2]
    str r5, [r2, halfwords_apart]
    add r2, r2, halfwords_apart, lsl #1
    cmp r6, r7
    bne spread_word
    subs pixels_left, #1
    beq fetched
    ldr r5, [sp, #FRAME_LINE]
    cmp r5, halfwords
    bne fetched
    add halfwords, halfwords, #4
    ldr r5, [descriptor, #LAYER_IN_COL]
    add r1, r1, r5
    b fetch
fetched:
    ldr input, [sp, #FRAME_LINE]
    mul r5, halfwords_apart, filled
    lsrs r5, r5, #1
    add input_end, r5, input
    start_channels
    str input_end, [sp, #FRAME_LINE_END]
    cmp halfwords_apart, #4
    beq.w one
two:
    load_two_pixels
    ldr input, [sp, #FRAME_LINE]
    ldr input_end, [sp, #FRAME_LINE_END]
products2:
    ldrd r3, r12, [input], #8
    by_two_even 0, r4, r8
    by_two_even 4, r5, r9
    by_two_even 8, r6, r10
    by_two_even 12, r7, r11
    ldrd r3, r12, [input], #8
    by_two_odd r4, r8
    by_two_odd r5, r9
    by_two_odd r6, r10
    by_two_odd r7, r11
    cmp input, input_end
    bne products2
    store_accumulators r4-r11
    scale_to FRAME_BLOCK_OUTPUT
    scale_to FRAME_BLOCK_OUTPUT2
    next_block 4
    bhi.w two
    next_two_pixels pixel
    b row_done
one:
    ldm stream!, {r4-r7}
    ldr input, [sp, #FRAME_LINE]
    ldr input_end, [sp, #FRAME_LINE_END]
products1:
    ldrd r3, r12, [input], #8
    by_one r4
    by_one r5
    by_one r6
    by_one r7
    cmp input, input_end
    bne products1
    mov r1, stream
    store_accumulators r4-r7
    ldr r3, [sp, #FRAME_BLOCK_OUTPUT]
    ldr r4, [sp, #FRAME_CHANNELS]
    at_most_four
    bl scale
    str r3, [sp, #FRAME_BLOCK_OUTPUT]
    next_block 4
    bhi one
    close_dense
