// Dense int8 layers in RV32IMC machine code: four channels of two pixels, or of one, at a time. Layout `quads`.
//
// A filter whose bytes do not lie side by side is gathered into a line first.

#include "network.h"

#define input1 a1
#define input2 a2
#define input1_end a3
#define inputs_apart a5
#define output1 s9
#define output2 s10

// A weight by one byte of each pixel, t1 and t2.
.macro multiply_two at, first, second
    lb t0, \at(stream)
    mul t3, t0, t1
    add \first, \first, t3
    mul t3, t0, t2
    add \second, \second, t3
.endm

.macro multiply_one at, accumulator
    lb t0, \at(stream)
    mul t0, t0, t1
    add \accumulator, \accumulator, t0
.endm

.macro scale_to output, accumulators
    addi t2, sp, \accumulators
    mv a1, \output
    jal ra, scale
    mv \output, a1
.endm

// As plain_conv.conv. Does not allocate.
kernel conv, arguments=4
    open_layer
    store_from a1, CONV_OFFSETS, FRAME_OFFSETS
    store_from a2, CONV_LINE, FRAME_LINE
    load_zero_point CONV_ZERO
    lw rows_left, LAYER_ROWS(descriptor)
row:
    start_row
pixel:
    lw input1, FRAME_PIXEL_INPUT(sp)
    lw t0, LAYER_IN_COL(descriptor)
    add input2, input1, t0
    lw t2, CONV_SEGMENTS(descriptor)
    addi t1, zero, 1
    beq t2, t1, ready
    // Gather two pixels, or one, into the line.
    lw s0, FRAME_LINE(sp)
    lw s1, CONV_FILLED(descriptor)
    add s2, s0, s1
    mv t3, input1
    mv t4, s0
gather:
    lw t2, CONV_SEGMENTS(descriptor)
    lw t5, FRAME_OFFSETS(sp)
segment:
    lw t6, 0(t5)
    add t6, t6, t3
    lw s3, CONV_LENGTH(descriptor)
    add s3, s3, t6
byte:
    lb s4, 0(t6)
    sb s4, 0(t4)
    addi t6, t6, 1
    addi t4, t4, 1
    bne t6, s3, byte
    addi t5, t5, 4
    addi t2, t2, -1
    bne t2, zero, segment
    beq pixels_left, t1, gathered
    beq t3, input2, gathered
    mv t3, input2
    mv t4, s2
    j gather
gathered:
    mv input1, s0
    mv input2, s2
ready:
    lw t0, CONV_FILLED(descriptor)
    add input1_end, input1, t0
    sw input1, FRAME_LINE1(sp)
    lw stream, FRAME_STREAM(sp)
    lw channels_left, LAYER_CHANNELS(descriptor)
    lw output1, FRAME_PIXEL_OUTPUT(sp)
    lw t0, LAYER_OUT_COL(descriptor)
    add output2, output1, t0
    addi t1, zero, 1
    beq pixels_left, t1, one
    sub inputs_apart, input2, input1
two:
    lw s0, 0(stream)
    mv s4, s0
    lw s1, 4(stream)
    mv s5, s1
    lw s2, 8(stream)
    mv s6, s2
    lw s3, 12(stream)
    mv s7, s3
    addi stream, stream, BLOCK_BIASES_BYTES
    lw input1, FRAME_LINE1(sp)
    add input2, input1, inputs_apart
products2:
.irp at, 0, 1, 2, 3
    lb t1, \at(input1)
    lb t2, \at(input2)
    multiply_two 4 * \at, s0, s4
    multiply_two 4 * \at + 1, s1, s5
    multiply_two 4 * \at + 2, s2, s6
    multiply_two 4 * \at + 3, s3, s7
.endr
    addi input1, input1, 4
    addi input2, input2, 4
    addi stream, stream, 16
    bne input1, input1_end, products2
    store_accumulators
    sw s4, FRAME_ACCUMULATORS + 16(sp)
    sw s5, FRAME_ACCUMULATORS + 20(sp)
    sw s6, FRAME_ACCUMULATORS + 24(sp)
    sw s7, FRAME_ACCUMULATORS + 28(sp)
    scale_to output1, FRAME_ACCUMULATORS
    scale_to output2, FRAME_ACCUMULATORS + 16
    next_block two
    next_pixels 2, pixel
    j row_done
one:
    load_biases
    lw input1, FRAME_LINE1(sp)
products1:
.irp at, 0, 1, 2, 3
    lb t1, \at(input1)
    multiply_one 4 * \at, s0
    multiply_one 4 * \at + 1, s1
    multiply_one 4 * \at + 2, s2
    multiply_one 4 * \at + 3, s3
.endr
    addi input1, input1, 4
    addi stream, stream, 16
    bne input1, input1_end, products1
    store_accumulators
    scale_to output1, FRAME_ACCUMULATORS
    next_block one
row_done:
    next_row row
    j done
scale:
    scale_channels
    jr ra
done:
    close_layer
