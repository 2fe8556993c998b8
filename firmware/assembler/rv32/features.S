// The audio front end from channels to features, in RV32IMC machine code.

#include "macros.h"
#include "layout/features.h"

#define signal a0
#define noise a1
#define tables a2
#define features a3
#define features_end a4
#define smoothing a5
#define gain a6
#define left a7
#define estimate t0

// register = (high, low), signed or not, without its lowest bits; both pass.
.macro without register, low, high, bits
    srli \low, \low, \bits
    slli \high, \high, 32 - \bits
    or \register, \high, \low
.endm

// value = it moved up by so many bits, when those are 0 at its top; zeros counts them.
.macro move_up value, zeros, spare, bits
    srli \spare, \value, 32 - \bits
    bne \spare, zero, stay_\@
    slli \value, \value, \bits
    addi \zeros, \zeros, \bits
stay_\@:
.endm

// value = it, not 0, moved up until its highest bit is set; zeros = by how many.
.macro normalise value, zeros, spare
    li \zeros, 0
.irp bits, 16, 8, 4, 2, 1
    move_up \value, \zeros, \spare, \bits
.endr
.endm

// As plain_features.finish. Does not allocate.
kernel finish, arguments=4
    addi features_end, features, 2 * CHANNELS
    addi smoothing, zero, EVEN_SMOOTHING
next:
    lw left, 0(signal)
    addi signal, signal, 4
    lw estimate, 0(noise)
    slli t1, left, 10                   // the signal, scaled
    mul t2, t1, smoothing
    mulhu t3, t1, smoothing
    lui t4, 1 << 14 >> 12
    sub t4, t4, smoothing
    mul t5, estimate, t4
    mulhu t4, estimate, t4
    add_double t3, t2, t4, t5, t6
    without estimate, t2, t3, 14
    sw estimate, 0(noise)
    addi noise, noise, 4
    xori smoothing, smoothing, EVEN_SMOOTHING ^ ODD_SMOOTHING
    addi t2, zero, MIN_SIGNAL
    mul left, left, t2
    srli left, left, 14
    sub t1, t1, estimate
    srai t1, t1, 10
    bge left, t1, loud
    mv left, t1
loud:
    li t1, 2                            // PCAN's gain for the noise
    bgeu estimate, t1, curved
    slli t1, estimate, 1
    add t1, t1, tables
    lh gain, GAIN_0(t1)
    j gained
curved:
    mv t2, estimate
    normalise t2, t3, t4
    addi t4, zero, 30
    sub t4, t4, t3                      // bits less 2
    slli t3, t4, 1
    add t3, t3, t4
    slli t3, t3, 1
    add t3, t3, tables
    lh gain, GAIN_2(t3)
    beq estimate, t1, gained
    slli t2, t2, 1                      // the bits below the highest
    srli t2, t2, 22
    lh t4, GAIN_2 + 2(t3)
    lh t3, GAIN_2 + 4(t3)
    mul t3, t3, t2
    srai t3, t3, 5
    slli t4, t4, 5
    add t3, t3, t4
    mul t3, t3, t2
    lui t4, 1 << 14 >> 12
    add t3, t3, t4
    srai t3, t3, 15
    add gain, gain, t3
gained:
    mul t1, left, gain
    mulh t2, left, gain
    without t1, t1, t2, 6
    lui t2, 8192 >> 12
    bge t1, t2, linear
    mul t1, t1, t1
    srli t1, t1, 20
    j shrunk
linear:
    srai t1, t1, 6
    addi t1, t1, -64
shrunk:
    slli t1, t1, 3
    li t2, 2
    li t3, 0
    blt t1, t2, done                    // 64 times the natural logarithm
    normalise t1, t2, t3
    addi t3, zero, 31
    sub t2, t3, t2
    slli t1, t1, 1
    srli t1, t1, 16                     // the part, of 16 bits
    srli t3, t1, 9
    slli t3, t3, 1
    add t3, t3, tables
    lhu t4, 0(t3)
    lhu t5, 2(t3)
    sub t5, t5, t4
    add t4, t4, t1
    slli t2, t2, 16
    add t4, t4, t2
    low_bits t1, t1, 9
    mul t5, t5, t1
    srai t5, t5, 16
    add t4, t4, t5
    lui t5, LOG_SCALE >> 12
    addi t5, t5, LOG_SCALE & 0xFFF
    mul t1, t4, t5
    mulhu t2, t4, t5
    lui t5, 1 << 15 >> 12
    li t3, 0
    add_double t2, t1, t3, t5, t4
    without t3, t1, t2, 16
    slli t3, t3, 6
    add t3, t3, t5
    srli t3, t3, 16
done:
    sh t3, 0(features)
    addi features, features, 2
    bne features, features_end, next
    no_result
