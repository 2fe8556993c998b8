// Dense int8 layers in ARMv7-M machine code: four channels of two pixels at a time, or eight channels of one.
//
// Layout `quads`: the stream is read from front to back by one pointer.

#include "dense.h"

// Two inputs; of the last pixel one, and the stream of a second block.
#define input1 r1
#define input2 r2
#define stream2 r2

// One byte of each pixel by four weights.
.macro multiply_two_pixels
    ldrsb r12, [input1], #1
    ldrsb r14, [input2], #1
    multiply_two r4, r8
    multiply_two r5, r9
    multiply_two r6, r10
    multiply_two r7, r11
.endm

.macro multiply_two first, second
    ldrsb r3, [stream], #1
    mla \first, r3, r12, \first
    mla \second, r3, r14, \second
.endm

// A byte in r12 by a block's next four weights.
.macro multiply_four weights, accumulators:vararg
.irp accumulator, \accumulators
    ldrsb r3, [\weights], #1
    mla \accumulator, r3, r12, \accumulator
.endr
.endm

// As plain_conv.conv. Does not allocate.
kernel conv, arguments=4
    open_dense
row:
    start_row FRAME_PIXEL_INPUT, FRAME_PIXEL_OUTPUT
pixel:
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    ldr r1, [sp, #FRAME_PIXEL_INPUT]
    ldr r3, [descriptor, #CONV_SEGMENTS]
    cmp r3, #1
    beq direct
    // Gather two pixels, or one, into the line.
    ldr r2, [sp, #FRAME_LINE]
    str r2, [sp, #FRAME_LINE1]
    ldr r9, [descriptor, #LAYER_IN_COL]
    ldr r8, [descriptor, #CONV_FILLED]
    ldr r10, [sp, #FRAME_COLS]
    ldr r11, [sp, #FRAME_OFFSETS]
gather:
    mov r14, r2
    mov r12, r11
    ldr r3, [descriptor, #CONV_SEGMENTS]
    gather_segments
    add r2, r14, r8
    str r2, [sp, #FRAME_LINE2]
    add r1, r1, r9
    subs r10, r10, #1
    beq gathered
    ldr r14, [sp, #FRAME_LINE1]
    sub r14, r2, r14
    cmp r14, r8
    beq gather
gathered:
    ldr r1, [sp, #FRAME_LINE1]
    add r2, r1, r8
    str r2, [sp, #FRAME_LINE2]
    b ready
direct:
    str r1, [sp, #FRAME_LINE1]
    ldr r5, [descriptor, #LAYER_IN_COL]
    add r2, r1, r5
    str r2, [sp, #FRAME_LINE2]
ready:
    ldr r5, [descriptor, #CONV_FILLED]
    add r5, r5, r1
    str r5, [sp, #FRAME_LINE_END]
    start_channels
    ldr r5, [sp, #FRAME_COLS]
    cmp r5, #1
    beq.w one
two:
    load_two_pixels
    ldr input1, [sp, #FRAME_LINE1]
    ldr input2, [sp, #FRAME_LINE2]
products2:
.rept 4
    multiply_two_pixels
.endr
    ldr r3, [sp, #FRAME_LINE_END]
    cmp input1, r3
    bne products2
    store_accumulators r4-r11
    scale_to FRAME_BLOCK_OUTPUT
    scale_to FRAME_BLOCK_OUTPUT2
    next_block 4
    bhi.w two
    next_two_pixels pixel
    b row_done
one:                                    // eight channels, while there are more than four
    ldr r1, [sp, #FRAME_CHANNELS]
    cmp r1, #4
    bls.w last
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    ldr r2, [descriptor, #CONV_FILLED]
    lsls r2, r2, #2
    adds r2, #BLOCK_BIASES_BYTES + BLOCK_TAIL_BYTES  // bytes of a block
    add stream2, r2, stream
    ldm stream!, {r4-r7}
    ldm stream2!, {r8-r11}
    ldr input1, [sp, #FRAME_LINE1]
products8:
.rept 4
    ldrsb r12, [input1], #1
    multiply_four stream, r4, r5, r6, r7
    multiply_four stream2, r8, r9, r10, r11
.endr
    ldr r3, [sp, #FRAME_LINE_END]
    cmp input1, r3
    bne.w products8
    mov r1, stream
    mov stream, stream2
    store_accumulators r4-r11
    ldr r3, [sp, #FRAME_BLOCK_OUTPUT]
    movs r4, #4
    bl scale
    mov r1, stream
    ldr r4, [sp, #FRAME_CHANNELS]
    subs r4, #4
    at_most_four
    bl scale
    str r3, [sp, #FRAME_BLOCK_OUTPUT]
    next_block 8
    bhi.w one
    b row_done
last:                                   // up to four channels
    ldm stream!, {r4-r7}
    ldr input1, [sp, #FRAME_LINE1]
    ldr r2, [sp, #FRAME_LINE_END]
products4:
.rept 4
    ldrsb r12, [input1], #1
    multiply_four stream, r4, r5, r6, r7
.endr
    cmp input1, r2
    bne products4
    mov r1, stream
    store_accumulators r4-r7
    ldr r3, [sp, #FRAME_BLOCK_OUTPUT]
    ldr r4, [sp, #FRAME_CHANNELS]
    bl scale
    close_dense
