// Dense int8 layers in Xtensa machine code: sums of products by MAC16, eight a turn, of unsigned bytes two to a word.
//
// Both factors have 128 added: the weights in the stream, the inputs while they are gathered into one line. What that
// adds is in the bias, and in 128·sum(u), taken once a pixel.

#include "network.h"

#define FRAME_LINE FRAME_OWN
#define FRAME_OFFSETS FRAME_OWN + 4
#define FRAME_BYTES 48

#define line a4
#define turns a5
#define lanes a6
#define inputs_sum a7

// Four products of the words in two registers, which pass, as do a9 and a11: even bytes, then odd ones.
.macro multiply_four at
    l32i a8, stream, \at
    l32i a10, line, \at
    and a9, a8, lanes
    and a11, a10, lanes
    mula.aa.ll a9, a11
    mula.aa.hh a9, a11
    srli a8, a8, 8
    srli a10, a10, 8
    and a8, a8, lanes
    and a10, a10, lanes
    mula.aa.ll a8, a10
    mula.aa.hh a8, a10
.endm

// As plain_conv.conv. Does not allocate.
kernel conv, arguments=4, frame=FRAME_BYTES
    open_layer CONV_ZERO
    l32i a8, descriptor, CONV_OFFSETS
    add a8, a8, a3
    s32i a8, a1, FRAME_OFFSETS
    l32i a8, descriptor, CONV_LINE
    add a8, a8, a4
    s32i a8, a1, FRAME_LINE
row:
    start_row
pixel:                                  // gather its inputs
    l32i a3, a1, FRAME_PIXEL_INPUT
    l32i line, a1, FRAME_LINE
    l32i a5, descriptor, CONV_SEGMENTS
    l32i a6, a1, FRAME_OFFSETS
    movi inputs_sum, 0
    movi a12, 128
    l32i a9, descriptor, CONV_LENGTH
segment:
    l32i a8, a6, 0
    addi a6, a6, 4
    add a8, a8, a3
    loopnez a9, gathered
    l8ui a10, a8, 0
    addi a8, a8, 1
    xor a10, a10, a12
    s8i a10, line, 0
    addi line, line, 1
    add inputs_sum, inputs_sum, a10
gathered:
    addi a5, a5, -1
    bnez a5, segment
    l32i a8, descriptor, CONV_FILLED
    l32i a9, descriptor, CONV_INPUTS
    sub a9, a8, a9
    movi a10, 0
    loopnez a9, filled
    s8i a10, line, 0
    addi line, line, 1
filled:
    srli turns, a8, 3
    slli inputs_sum, inputs_sum, 7
    movi a9, 1 << 29
    add inputs_sum, inputs_sum, a9
    movi lanes, 0x00FF00FF
    l32i channels_left, descriptor, LAYER_CHANNELS
    l32i stream, a1, FRAME_STREAM
    l32i output, a1, FRAME_PIXEL_OUTPUT
    l32i zero_point, a1, FRAME_ZERO_POINT
channel:
    l32i a8, stream, 0
    addi stream, stream, 4
    sub a8, a8, inputs_sum
    wsr a8, acclo                       // of 40 bits; 32 are read
    l32i line, a1, FRAME_LINE
    loop turns, summed
    multiply_four 0
    multiply_four 4
    addi stream, stream, 8
    addi line, line, 8
summed:
    rsr accumulator, acclo
    store_output channel
    next_pixel pixel
    next_row row
    close_layer
