// The audio front end from channels to features, in ARMv7-M machine code, by 64-bit products.

#include "macros.h"
#include "layout/features.h"

#define signal r0
#define noise r1
#define tables r2
#define features r3
#define features_end r11
#define smoothing r10
#define gain r12
#define estimate r7
#define left r8

// register = (high, low), signed or not, without its lowest bits; low passes.
.macro without register, low, high, bits
    lsr \low, \low, #\bits
    orr \register, \low, \high, lsl #32 - \bits
.endm

// As plain_features.finish. Does not allocate.
kernel finish, arguments=4
    save_high_registers
    refuse_armv6m smoothing, EVEN_SMOOTHING
    add features_end, features, #2 * CHANNELS
next:
    ldr r5, [signal], #4
    ldr estimate, [noise, #0]
    lsls r6, r5, #10                    // the signal, scaled
    umull r8, r9, r6, smoothing
    rsb r12, smoothing, #1 << 14
    umlal r8, r9, estimate, r12
    without estimate, r8, r9, 14
    str estimate, [noise], #4
    movw r9, #EVEN_SMOOTHING ^ ODD_SMOOTHING
    eor smoothing, smoothing, r9
    movw left, #MIN_SIGNAL
    mul left, r5, left
    lsr left, left, #14
    subs r6, r6, estimate
    asrs r6, r6, #10
    cmp r6, left
    it gt
    movgt left, r6
    cmp estimate, #2                    // PCAN's gain for the noise
    bcs curved
    add r9, tables, estimate, lsl #1
    ldrsh gain, [r9, #GAIN_0]
    b gained
curved:
    clz r9, estimate
    rsb r5, r9, #30                     // bits less 2
    add r5, r5, r5, lsl #1
    add r5, tables, r5, lsl #1
    ldrsh gain, [r5, #GAIN_2]
    beq gained
    lsl r9, estimate, r9
    ubfx r9, r9, #21, #10               // the bits below the highest
    ldrsh r6, [r5, #GAIN_2 + 2]
    ldrsh r5, [r5, #GAIN_2 + 4]
    mul r5, r5, r9
    asrs r5, r5, #5
    add r5, r5, r6, lsl #5
    mul r5, r5, r9
    add r5, r5, #1 << 14
    add gain, gain, r5, asr #15
gained:
    smull r5, r6, left, gain
    without r5, r5, r6, 6
    cmp r5, #8192
    bge linear
    mul r5, r5, r5
    lsrs r5, r5, #20
    b shrunk
linear:
    asrs r5, r5, #6
    subs r5, r5, #64
shrunk:
    lsls r5, r5, #3
    movs r6, #0
    cmp r5, #2                          // 64 times the natural logarithm
    blt done
    clz r9, r5
    lsl r5, r5, r9
    ubfx r5, r5, #15, #16               // the part, of 16 bits
    rsb r9, r9, #31
    lsrs r6, r5, #9
    add r6, tables, r6, lsl #1
    ldrh r7, [r6, #0]
    ldrh r8, [r6, #2]
    subs r8, r8, r7
    add r7, r7, r5
    add r7, r7, r9, lsl #16
    ubfx r5, r5, #0, #9
    mul r8, r8, r5
    add r7, r7, r8, asr #16
    movw r5, #LOG_SCALE
    umull r5, r6, r7, r5
    adds r5, r5, #1 << 15
    adc r6, r6, #0
    without r6, r5, r6, 16
    lsls r6, r6, #6
    add r6, r6, #1 << 15
    lsrs r6, r6, #16
done:
    strh r6, [features], #2
    cmp features, features_end
    bne next
    restore_high_registers
    no_result
