// Depthwise int8 layers in ARMv7-M machine code: four channels at a time, tap after tap. Layout `quads`.

#include "network.h"

#define first_tap r1
#define next_offset r2
#define offsets_end r3

// Of the pixel, then of the block.
#define FRAME_PIXEL_INPUT 24
#define FRAME_PIXEL_OUTPUT 28
#define FRAME_CHANNELS 32
#define FRAME_BLOCK_INPUT 36
#define FRAME_BLOCK_OUTPUT 40
#define FRAME_ZERO 44
#define FRAME_OFFSETS 48
#define FRAME_OFFSETS_END 52
#define FRAME_ACCUMULATORS 56
#define FRAME_BYTES 72

.macro multiply_channel accumulator, at
    ldrsb r9, [r8, #\at]
    ldrsb r10, [stream], #1
    mla \accumulator, r9, r10, \accumulator
.endm

// As plain_depthwise.depthwise. Does not allocate.
kernel depthwise, arguments=4
    open_layer FRAME_BYTES
    store_from r1, DEPTHWISE_TAPS, FRAME_OFFSETS
    ldr r6, [descriptor, #DEPTHWISE_HEIGHT]
    ldr r7, [descriptor, #DEPTHWISE_WIDTH]
    mul r6, r6, r7
    add r5, r5, r6, lsl #2
    str r5, [sp, #FRAME_OFFSETS_END]
    store_zero DEPTHWISE_ZERO, FRAME_ZERO
    copy_word descriptor, LAYER_ROWS, FRAME_ROWS
row:
    start_row FRAME_PIXEL_INPUT, FRAME_PIXEL_OUTPUT
pixel:
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    ldr stream, [sp, #FRAME_STREAM]
    copy_word descriptor, LAYER_CHANNELS, FRAME_CHANNELS
    copy_word sp, FRAME_PIXEL_INPUT, FRAME_BLOCK_INPUT
    copy_word sp, FRAME_PIXEL_OUTPUT, FRAME_BLOCK_OUTPUT
block:
    ldm stream!, {r4-r7}                // the biases; accumulators from here
    ldr first_tap, [sp, #FRAME_BLOCK_INPUT]
    ldr next_offset, [sp, #FRAME_OFFSETS]
    ldr offsets_end, [sp, #FRAME_OFFSETS_END]
tap:
    ldr r8, [next_offset], #4
    add r8, r8, first_tap
    multiply_channel r4, 0
    multiply_channel r5, 1
    multiply_channel r6, 2
    multiply_channel r7, 3
    cmp next_offset, offsets_end
    bne tap
    adds first_tap, #4
    str first_tap, [sp, #FRAME_BLOCK_INPUT]
    mov r1, stream
    add r2, sp, #FRAME_ACCUMULATORS
    stm r2, {r4-r7}
    ldr r3, [sp, #FRAME_BLOCK_OUTPUT]
    ldr r4, [sp, #FRAME_CHANNELS]
    subs r5, r4, #4
    str r5, [sp, #FRAME_CHANNELS]
    it hi
    movhi r4, #4
    start_scaling FRAME_ZERO
    scale_channels
    str r3, [sp, #FRAME_BLOCK_OUTPUT]
    adds stream, #BLOCK_TAIL_BYTES
    ldr r4, [sp, #FRAME_CHANNELS]
    cmp r4, #0
    bgt.w block
    ldr descriptor, [sp, #FRAME_DESCRIPTOR]
    advance FRAME_PIXEL_INPUT, LAYER_IN_COL
    advance FRAME_PIXEL_OUTPUT, LAYER_OUT_COL
    count_down FRAME_COLS, 1, pixel
    next_row row
    close_layer FRAME_BYTES
