// The audio front end's transform in Xtensa machine code: butterflies of four, turned by MAC16.

#include "macros.h"

#define FRAME_RETURN 0
#define FRAME_VALUES 4
#define FRAME_SINE 8
#define FRAME_SIZE 12
#define FRAME_STEP 16
#define FRAME_TURN 20
#define FRAME_END 24
#define FRAME_BYTES 32

#define first a3
#define stride a4
#define place a5
#define quarter a6
#define turn_1 a7
#define turn_2 a8
#define turn_3 a9
#define ar a10
#define ai a11
#define br a12
#define bi a13
#define cr a14
#define ci a15
#define dr a2
#define di a0
// While the places are not needed.
#define spare a5

// Two values of 16 bits, a quarter of what stands there: (x·8191 + 2^14) >> 15.
.macro load_quarter re, im
    l16si \re, place, 0
    l16si \im, place, 2
    mull \re, \re, quarter
    mull \im, \im, quarter
    addmi \re, \re, 1 << 14
    addmi \im, \im, 1 << 14
    srai \re, \re, 15
    srai \im, \im, 15
.endm

// (re, im) turned back by the angle whose cosine and sine are the lower and upper half of `turn`.
.macro rotate re, im, turn
    mul.aa.ll \re, \turn
    mula.aa.lh \im, \turn
    rsr spare, acclo
    mul.aa.ll \im, \turn
    muls.aa.lh \re, \turn
    addmi spare, spare, 1 << 14
    srai \re, spare, 15
    rsr \im, acclo
    addmi \im, \im, 1 << 14
    srai \im, \im, 15
.endm

// turn = cosine and sine, in halves, of the angle at `index`.
.macro load_turn turn, index
    l16ui \turn, \index, 0
    slli \turn, \turn, 16
    l16ui \index, \index, 256
    or \turn, \turn, \index
.endm

// One of a stage's turns through all values, each four a stride apart; the first turn needs no rotation.
.macro butterflies rotates
butterfly_\@:
    mov place, first
    load_quarter ar, ai
    add place, place, stride
    load_quarter br, bi
    add place, place, stride
    load_quarter cr, ci
    add place, place, stride
    load_quarter dr, di
.if \rotates
    rotate br, bi, turn_1
    rotate cr, ci, turn_2
    rotate dr, di, turn_3
.endif
    sub spare, br, dr
    add br, br, dr                      // both
    mov dr, spare                       // apart
    sub spare, bi, di
    add bi, bi, di
    mov di, spare
    sub spare, ar, cr
    add ar, ar, cr                      // even
    mov cr, spare                       // odd
    sub spare, ai, ci
    add ai, ai, ci
    mov ci, spare
    sub spare, ar, br
    add ar, ar, br
    s16i ar, first, 0
    sub ar, ai, bi
    add ai, ai, bi
    s16i ai, first, 2
    add br, first, stride
    add ai, cr, di
    s16i ai, br, 0
    sub ai, ci, dr
    s16i ai, br, 2
    add br, br, stride
    s16i spare, br, 0
    s16i ar, br, 2
    add br, br, stride
    sub cr, cr, di
    s16i cr, br, 0
    add ci, ci, dr
    s16i ci, br, 2
    add first, br, stride
    l32i ar, a1, FRAME_END
    bltu first, ar, butterfly_\@
.endm

// As plain_fft.transform. Does not allocate.
kernel transform, arguments=2, frame=FRAME_BYTES
    s32i a0, a1, FRAME_RETURN
    s32i a2, a1, FRAME_VALUES
    s32i a3, a1, FRAME_SINE
    addmi a2, a2, 1024
    s32i a2, a1, FRAME_END
    movi a10, 1
    s32i a10, a1, FRAME_SIZE
    movi a10, 128
    s32i a10, a1, FRAME_STEP
    movi quarter, 8191
stage:
    l32i a10, a1, FRAME_SIZE
    slli stride, a10, 2
    l32i first, a1, FRAME_VALUES
    movi a10, 0
    s32i a10, a1, FRAME_TURN
    butterflies rotates=0
next_turn:
    l32i a10, a1, FRAME_TURN
    addi a10, a10, 1
    s32i a10, a1, FRAME_TURN
    l32i a11, a1, FRAME_SIZE
    bgeu a10, a11, next_stage
    l32i first, a1, FRAME_VALUES
    addx4 first, a10, first
    l32i a11, a1, FRAME_STEP
    mull a10, a10, a11
    l32i a12, a1, FRAME_SINE
    addx2 a11, a10, a12
    load_turn turn_1, a11
    addx4 a11, a10, a12
    load_turn turn_2, a11
    addx2 a10, a10, a10
    addx2 a11, a10, a12
    load_turn turn_3, a11
    butterflies rotates=1
    j next_turn
next_stage:
    slli a11, a11, 2
    s32i a11, a1, FRAME_SIZE
    l32i a10, a1, FRAME_STEP
    srli a10, a10, 2
    s32i a10, a1, FRAME_STEP
    movi a10, 256
    bltu a11, a10, stage
    l32i a0, a1, FRAME_RETURN
    return_nothing
