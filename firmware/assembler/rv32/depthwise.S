// Depthwise int8 layers in RV32IMC machine code: four channels at a time, tap after tap. Layout `quads`.

#include "network.h"

#define output a1
#define offsets a2
#define offsets_end a3
#define first_tap s9
#define next_offset s10

.macro multiply_channel accumulator, at
    lb t0, \at(t6)
    lb t1, \at(stream)
    mul t0, t0, t1
    add \accumulator, \accumulator, t0
.endm

// As plain_depthwise.depthwise. Does not allocate.
kernel depthwise, arguments=4
    open_layer
    lw t1, DEPTHWISE_TAPS(descriptor)
    add offsets, t1, a1
    lw t1, DEPTHWISE_HEIGHT(descriptor)
    lw t2, DEPTHWISE_WIDTH(descriptor)
    mul t1, t1, t2
    slli t1, t1, 2
    add offsets_end, t1, offsets
    load_zero_point DEPTHWISE_ZERO
    lw rows_left, LAYER_ROWS(descriptor)
row:
    start_row
pixel:
    lw stream, FRAME_STREAM(sp)
    lw channels_left, LAYER_CHANNELS(descriptor)
    lw first_tap, FRAME_PIXEL_INPUT(sp)
    lw output, FRAME_PIXEL_OUTPUT(sp)
block:
    load_biases
    mv next_offset, offsets
tap:
    lw t6, 0(next_offset)
    add t6, t6, first_tap
    multiply_channel s0, 0
    multiply_channel s1, 1
    multiply_channel s2, 2
    multiply_channel s3, 3
    addi next_offset, next_offset, 4
    addi stream, stream, 4
    bne next_offset, offsets_end, tap
    addi first_tap, first_tap, 4
    store_accumulators
    addi t2, sp, FRAME_ACCUMULATORS
    scale_channels
    next_block block
    next_pixels 1, pixel
    next_row row
    close_layer
