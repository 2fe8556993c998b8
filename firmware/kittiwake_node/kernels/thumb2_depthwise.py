"""Depthwise int8 layers in ARMv7-M assembler: four channels at a time, tap after tap.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore. Descriptor: SPEC.md,
"Model plan"; layout `quads`. Scaling: see thumb2_conv.

Registers: r0 stream, r1 first tap of the block, r2 next tap's offset, r3 end of the offsets, r4 to r7 accumulators.
"""

import micropython


# As plain_depthwise.depthwise. Does not allocate.
@micropython.asm_thumb
def depthwise(r0, r1, r2, r3):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0xB092)  # sub sp, #72
    movw(r5, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0xEB01, 0x0400)  # add r4, r1, r0; r4 = descriptor
    data(2, 0x9400)  # str r4, [sp, #0]
    data(2, 0x6825)  # ldr r5, [r4, #0]; IN
    data(2, 0xEA4F, 0x7615)  # lsr r6, r5, #28
    data(2, 0xF3C5, 0x051B)  # ubfx r5, r5, #0, #28
    data(2, 0x2E01)  # cmp r6, #1
    data(2, 0xBF38)  # it lo
    data(2, 0x18AD)  # addlo r5, r5, r2
    data(2, 0xBF08)  # it eq
    data(2, 0x18ED)  # addeq r5, r5, r3
    data(2, 0xBF88)  # it hi
    data(2, 0x186D)  # addhi r5, r5, r1
    data(2, 0x9501)  # str r5, [sp, #4]
    data(2, 0x6865)  # ldr r5, [r4, #4]; OUT
    data(2, 0xEA4F, 0x7615)  # lsr r6, r5, #28
    data(2, 0xF3C5, 0x051B)  # ubfx r5, r5, #0, #28
    data(2, 0x2E01)  # cmp r6, #1
    data(2, 0xBF38)  # it lo
    data(2, 0x18AD)  # addlo r5, r5, r2
    data(2, 0xBF08)  # it eq
    data(2, 0x18ED)  # addeq r5, r5, r3
    data(2, 0xBF88)  # it hi
    data(2, 0x186D)  # addhi r5, r5, r1
    data(2, 0x9502)  # str r5, [sp, #8]
    data(2, 0x68A5)  # ldr r5, [r4, #8]; W
    data(2, 0x440D)  # add r5, r5, r1
    data(2, 0x9505)  # str r5, [sp, #20]
    data(2, 0x6C25)  # ldr r5, [r4, #64]; TAPS
    data(2, 0x440D)  # add r5, r5, r1
    data(2, 0x950C)  # str r5, [sp, #48]
    data(2, 0x6926)  # ldr r6, [r4, #16]; H
    data(2, 0x6967)  # ldr r7, [r4, #20]; W
    data(2, 0xFB06, 0xF607)  # mul r6, r6, r7
    data(2, 0xEB05, 0x0586)  # add r5, r5, r6, lsl #2
    data(2, 0x950D)  # str r5, [sp, #52]
    data(2, 0x6BA5)  # ldr r5, [r4, #56]; ZERO + 128
    data(2, 0x006D)  # lsls r5, r5, #1
    data(2, 0x3DFF)  # subs r5, #255; 1 + 2*zero
    data(2, 0x950B)  # str r5, [sp, #44]
    data(2, 0x69A5)  # ldr r5, [r4, #24]; ROWS
    data(2, 0x9503)  # str r5, [sp, #12]
    label(row)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
    data(2, 0x69E5)  # ldr r5, [r4, #28]; COLS
    data(2, 0x9504)  # str r5, [sp, #16]
    data(2, 0x9D01)  # ldr r5, [sp, #4]
    data(2, 0x9506)  # str r5, [sp, #24]
    data(2, 0x9D02)  # ldr r5, [sp, #8]
    data(2, 0x9507)  # str r5, [sp, #28]
    label(pixel)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
    data(2, 0x9805)  # ldr r0, [sp, #20]
    data(2, 0x68E5)  # ldr r5, [r4, #12]; CHANNELS
    data(2, 0x9508)  # str r5, [sp, #32]
    data(2, 0x9D06)  # ldr r5, [sp, #24]
    data(2, 0x9509)  # str r5, [sp, #36]
    data(2, 0x9D07)  # ldr r5, [sp, #28]
    data(2, 0x950A)  # str r5, [sp, #40]
    label(block)
    data(2, 0xC8F0)  # ldm r0!, {r4-r7}
    data(2, 0x9909)  # ldr r1, [sp, #36]; this block's first channel, first tap
    data(2, 0x9A0C)  # ldr r2, [sp, #48]
    data(2, 0x9B0D)  # ldr r3, [sp, #52]
    label(tap)
    data(2, 0xF852, 0x8B04)  # ldr r8, [r2], #4
    data(2, 0x4488)  # add r8, r8, r1
    data(2, 0xF998, 0x9000)  # ldrsb r9, [r8, #0]
    data(2, 0xF910, 0xAB01)  # ldrsb r10, [r0], #1
    data(2, 0xFB09, 0x440A)  # mla r4, r9, r10, r4
    data(2, 0xF998, 0x9001)  # ldrsb r9, [r8, #1]
    data(2, 0xF910, 0xAB01)  # ldrsb r10, [r0], #1
    data(2, 0xFB09, 0x550A)  # mla r5, r9, r10, r5
    data(2, 0xF998, 0x9002)  # ldrsb r9, [r8, #2]
    data(2, 0xF910, 0xAB01)  # ldrsb r10, [r0], #1
    data(2, 0xFB09, 0x660A)  # mla r6, r9, r10, r6
    data(2, 0xF998, 0x9003)  # ldrsb r9, [r8, #3]
    data(2, 0xF910, 0xAB01)  # ldrsb r10, [r0], #1
    data(2, 0xFB09, 0x770A)  # mla r7, r9, r10, r7
    data(2, 0x429A)  # cmp r2, r3
    bne(tap)
    data(2, 0x3104)  # adds r1, #4
    data(2, 0x9109)  # str r1, [sp, #36]
    data(2, 0x4601)  # mov r1, r0
    data(2, 0xAA0E)  # add r2, sp, #56
    data(2, 0xE882, 0x00F0)  # stm r2, {r4-r7}
    data(2, 0x9B0A)  # ldr r3, [sp, #40]
    data(2, 0x9C08)  # ldr r4, [sp, #32]
    data(2, 0x1F25)  # subs r5, r4, #4
    data(2, 0x9508)  # str r5, [sp, #32]
    data(2, 0xBF88)  # it hi
    data(2, 0x2404)  # movhi r4, #4
    # Scale: as in thumb2_conv.
    data(2, 0xF101, 0x0510)  # add r5, r1, #16
    data(2, 0xF8DD, 0xB02C)  # ldr r11, [sp, #44]
    label(scale_one)
    data(2, 0xF852, 0x8B04)  # ldr r8, [r2], #4
    data(2, 0xF815, 0x7B01)  # ldrb r7, [r5], #1; right shift
    data(2, 0xF895, 0x9003)  # ldrb r9, [r5, #3]; left shift, and 1
    data(2, 0xF851, 0x6B04)  # ldr r6, [r1], #4
    data(2, 0xFA08, 0xF809)  # lsl r8, r8, r9
    data(2, 0xFB88, 0x9A06)  # smull r9, r10, r8, r6
    data(2, 0xEB19, 0x0909)  # adds r9, r9, r9
    data(2, 0xF14A, 0x0A00)  # adc r10, r10, #0; q
    data(2, 0xEA4F, 0x094A)  # lsl r9, r10, #1
    data(2, 0xEB09, 0x7AEA)  # add r10, r9, r10, asr #31
    data(2, 0xFA4A, 0xFA07)  # asr r10, r10, r7
    data(2, 0x44DA)  # add r10, r10, r11
    data(2, 0xF32A, 0x0A47)  # ssat r10, #8, r10, asr #1
    data(2, 0xF803, 0xAB01)  # strb r10, [r3], #1
    data(2, 0x3C01)  # subs r4, #1
    bne(scale_one)
    data(2, 0x930A)  # str r3, [sp, #40]
    data(2, 0x3018)  # adds r0, #24
    data(2, 0x9C08)  # ldr r4, [sp, #32]
    data(2, 0x2C00)  # cmp r4, #0
    bgt_w(block)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
    data(2, 0x6A65)  # ldr r5, [r4, #36]; IN_COL
    data(2, 0x9E06)  # ldr r6, [sp, #24]
    data(2, 0x442E)  # add r6, r6, r5
    data(2, 0x9606)  # str r6, [sp, #24]
    data(2, 0x6AE5)  # ldr r5, [r4, #44]; OUT_COL
    data(2, 0x9E07)  # ldr r6, [sp, #28]
    data(2, 0x442E)  # add r6, r6, r5
    data(2, 0x9607)  # str r6, [sp, #28]
    data(2, 0x9D04)  # ldr r5, [sp, #16]
    data(2, 0x3D01)  # subs r5, #1
    data(2, 0x9504)  # str r5, [sp, #16]
    bne_w(pixel)
    data(2, 0x6A25)  # ldr r5, [r4, #32]; IN_ROW
    data(2, 0x9E01)  # ldr r6, [sp, #4]
    data(2, 0x442E)  # add r6, r6, r5
    data(2, 0x9601)  # str r6, [sp, #4]
    data(2, 0x6AA5)  # ldr r5, [r4, #40]; OUT_ROW
    data(2, 0x9E02)  # ldr r6, [sp, #8]
    data(2, 0x442E)  # add r6, r6, r5
    data(2, 0x9602)  # str r6, [sp, #8]
    data(2, 0x9D03)  # ldr r5, [sp, #12]
    data(2, 0x3D01)  # subs r5, #1
    data(2, 0x9503)  # str r5, [sp, #12]
    bne_w(row)
    data(2, 0xB012)  # add sp, #72
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
    data(2, 0x2000)  # movs r0, #0; the result becomes an integer object: an address may need the heap
