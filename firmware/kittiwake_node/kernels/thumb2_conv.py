"""Dense int8 layers in ARMv7-M assembler: four channels of two pixels at a time, or eight channels of one.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore. Descriptor: SPEC.md,
"Model plan"; layout `quads`. The stream is read from front to back by one pointer: biases, weights, multipliers,
shifts. A filter whose bytes do not lie side by side is gathered into a line first.

Scaling, of an accumulator a by a multiplier m: q = (a·m + 2^30) >> 31 is the upper word of 2·a·m, plus the lower one's
top bit; then 2·q, less 1 where negative, shifted right, plus 1 + 2·zero, halved and saturated by one `ssat`: both
roundings of the definition, for every right shift from 0 up. The stream's left shifts are 1 more, for the 2·a.

Two pixels: r0 stream, r1 and r2 inputs, r4 to r7 and r8 to r11 accumulators, r3, r12, r14 what is multiplied. One
pixel: r0 and r2 streams of two blocks, r1 input.
"""

import micropython


# As plain_conv.conv. Does not allocate.
@micropython.asm_thumb
def conv(r0, r1, r2, r3):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0xB099)  # sub sp, #100
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
    data(2, 0x6BA5)  # ldr r5, [r4, #56]; SEGS
    data(2, 0x440D)  # add r5, r5, r1
    data(2, 0x950F)  # str r5, [sp, #60]
    data(2, 0x6BE5)  # ldr r5, [r4, #60]; LINE
    data(2, 0x4415)  # add r5, r5, r2
    data(2, 0x9510)  # str r5, [sp, #64]
    data(2, 0x6C25)  # ldr r5, [r4, #64]; ZERO + 128
    data(2, 0x006D)  # lsls r5, r5, #1
    data(2, 0x3DFF)  # subs r5, #255; 1 + 2*zero
    data(2, 0x950E)  # str r5, [sp, #56]
    data(2, 0x69A5)  # ldr r5, [r4, #24]; ROWS
    data(2, 0x9503)  # str r5, [sp, #12]
    label(row)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
    data(2, 0x69E5)  # ldr r5, [r4, #28]; COLS
    data(2, 0x9504)  # str r5, [sp, #16]
    data(2, 0x9D01)  # ldr r5, [sp, #4]
    data(2, 0x950A)  # str r5, [sp, #40]
    data(2, 0x9D02)  # ldr r5, [sp, #8]
    data(2, 0x950B)  # str r5, [sp, #44]
    label(pixel)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
    data(2, 0x990A)  # ldr r1, [sp, #40]
    data(2, 0x6B23)  # ldr r3, [r4, #48]; SEGMENTS
    data(2, 0x2B01)  # cmp r3, #1
    beq(direct)
    # Gather two pixels, or one, into the line.
    data(2, 0x9A10)  # ldr r2, [sp, #64]
    data(2, 0x920C)  # str r2, [sp, #48]
    data(2, 0xF8D4, 0x9024)  # ldr r9, [r4, #36]; IN_COL
    data(2, 0xF8D4, 0x8014)  # ldr r8, [r4, #20]; KP
    data(2, 0xF8DD, 0xA010)  # ldr r10, [sp, #16]
    data(2, 0xF8DD, 0xB03C)  # ldr r11, [sp, #60]
    label(gather)
    data(2, 0x4696)  # mov r14, r2
    data(2, 0x46DC)  # mov r12, r11
    data(2, 0x6B23)  # ldr r3, [r4, #48]
    label(segment)
    data(2, 0xF85C, 0x6B04)  # ldr r6, [r12], #4
    data(2, 0x440E)  # add r6, r6, r1
    data(2, 0x6B67)  # ldr r7, [r4, #52]; LENGTH
    label(words)
    data(2, 0xF856, 0x5B04)  # ldr r5, [r6], #4; any address will do for a single load
    data(2, 0xF842, 0x5B04)  # str r5, [r2], #4
    data(2, 0x3F04)  # subs r7, #4
    bgt(words)
    data(2, 0x443A)  # add r2, r2, r7; back over what was too much
    data(2, 0x3B01)  # subs r3, #1
    bne(segment)
    data(2, 0xEB0E, 0x0208)  # add r2, r14, r8
    data(2, 0x920D)  # str r2, [sp, #52]
    data(2, 0x4449)  # add r1, r1, r9
    data(2, 0xF1BA, 0x0A01)  # subs r10, r10, #1
    beq(gathered)
    data(2, 0xF8DD, 0xE030)  # ldr r14, [sp, #48]
    data(2, 0xEBA2, 0x0E0E)  # sub r14, r2, r14
    data(2, 0x45C6)  # cmp r14, r8
    beq(gather)
    label(gathered)
    data(2, 0x990C)  # ldr r1, [sp, #48]
    data(2, 0xEB01, 0x0208)  # add r2, r1, r8
    data(2, 0x920D)  # str r2, [sp, #52]
    b(ready)
    label(direct)
    data(2, 0x910C)  # str r1, [sp, #48]
    data(2, 0x6A65)  # ldr r5, [r4, #36]
    data(2, 0xEB01, 0x0205)  # add r2, r1, r5
    data(2, 0x920D)  # str r2, [sp, #52]
    label(ready)
    data(2, 0x6965)  # ldr r5, [r4, #20]
    data(2, 0x440D)  # add r5, r5, r1
    data(2, 0x9506)  # str r5, [sp, #24]
    data(2, 0x9805)  # ldr r0, [sp, #20]
    data(2, 0x68E5)  # ldr r5, [r4, #12]; OUTPUTS
    data(2, 0x9507)  # str r5, [sp, #28]
    data(2, 0x9D0B)  # ldr r5, [sp, #44]
    data(2, 0x9508)  # str r5, [sp, #32]
    data(2, 0x6AE6)  # ldr r6, [r4, #44]; OUT_COL
    data(2, 0x4435)  # add r5, r5, r6
    data(2, 0x9509)  # str r5, [sp, #36]
    data(2, 0x9D04)  # ldr r5, [sp, #16]
    data(2, 0x2D01)  # cmp r5, #1
    beq_w(one)
    # Four channels of two pixels.
    label(two)
    data(2, 0xC8F0)  # ldm r0!, {r4-r7}
    data(2, 0x46A0)  # mov r8, r4
    data(2, 0x46A9)  # mov r9, r5
    data(2, 0x46B2)  # mov r10, r6
    data(2, 0x46BB)  # mov r11, r7
    data(2, 0x990C)  # ldr r1, [sp, #48]
    data(2, 0x9A0D)  # ldr r2, [sp, #52]
    label(products2)
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF912, 0xEB01)  # ldrsb r14, [r2], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xFB03, 0x880E)  # mla r8, r3, r14, r8
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xFB03, 0x990E)  # mla r9, r3, r14, r9
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xFB03, 0xAA0E)  # mla r10, r3, r14, r10
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xFB03, 0xBB0E)  # mla r11, r3, r14, r11
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF912, 0xEB01)  # ldrsb r14, [r2], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xFB03, 0x880E)  # mla r8, r3, r14, r8
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xFB03, 0x990E)  # mla r9, r3, r14, r9
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xFB03, 0xAA0E)  # mla r10, r3, r14, r10
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xFB03, 0xBB0E)  # mla r11, r3, r14, r11
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF912, 0xEB01)  # ldrsb r14, [r2], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xFB03, 0x880E)  # mla r8, r3, r14, r8
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xFB03, 0x990E)  # mla r9, r3, r14, r9
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xFB03, 0xAA0E)  # mla r10, r3, r14, r10
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xFB03, 0xBB0E)  # mla r11, r3, r14, r11
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF912, 0xEB01)  # ldrsb r14, [r2], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xFB03, 0x880E)  # mla r8, r3, r14, r8
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xFB03, 0x990E)  # mla r9, r3, r14, r9
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xFB03, 0xAA0E)  # mla r10, r3, r14, r10
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xFB03, 0xBB0E)  # mla r11, r3, r14, r11
    data(2, 0x9B06)  # ldr r3, [sp, #24]
    data(2, 0x4299)  # cmp r1, r3
    bne(products2)
    data(2, 0xAA11)  # add r2, sp, #68
    data(2, 0xE882, 0x0FF0)  # stm r2, {r4-r11}
    data(2, 0x4601)  # mov r1, r0
    data(2, 0x9B08)  # ldr r3, [sp, #32]
    data(2, 0x9C07)  # ldr r4, [sp, #28]
    data(2, 0x2C04)  # cmp r4, #4
    data(2, 0xBF88)  # it hi
    data(2, 0x2404)  # movhi r4, #4
    bl(scale)
    data(2, 0x9308)  # str r3, [sp, #32]
    data(2, 0x4601)  # mov r1, r0
    data(2, 0x9B09)  # ldr r3, [sp, #36]
    data(2, 0x9C07)  # ldr r4, [sp, #28]
    data(2, 0x2C04)  # cmp r4, #4
    data(2, 0xBF88)  # it hi
    data(2, 0x2404)  # movhi r4, #4
    bl(scale)  # r2 was left at the second half of the accumulators
    data(2, 0x9309)  # str r3, [sp, #36]
    data(2, 0x3018)  # adds r0, #24
    data(2, 0x9C07)  # ldr r4, [sp, #28]
    data(2, 0x3C04)  # subs r4, #4
    data(2, 0x9407)  # str r4, [sp, #28]
    bhi_w(two)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
    data(2, 0x6A65)  # ldr r5, [r4, #36]
    data(2, 0x9E0A)  # ldr r6, [sp, #40]
    data(2, 0xEB06, 0x0645)  # add r6, r6, r5, lsl #1
    data(2, 0x960A)  # str r6, [sp, #40]
    data(2, 0x6AE5)  # ldr r5, [r4, #44]
    data(2, 0x9E0B)  # ldr r6, [sp, #44]
    data(2, 0xEB06, 0x0645)  # add r6, r6, r5, lsl #1
    data(2, 0x960B)  # str r6, [sp, #44]
    data(2, 0x9D04)  # ldr r5, [sp, #16]
    data(2, 0x3D02)  # subs r5, #2
    data(2, 0x9504)  # str r5, [sp, #16]
    bne_w(pixel)
    b(next_row)
    # Eight channels of one pixel; r2 reads the second block.
    label(one)
    data(2, 0x9907)  # ldr r1, [sp, #28]
    data(2, 0x2904)  # cmp r1, #4
    bls_w(last)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
    data(2, 0x6962)  # ldr r2, [r4, #20]
    data(2, 0x0092)  # lsls r2, r2, #2
    data(2, 0x3228)  # adds r2, #40; bytes of a block
    data(2, 0x4402)  # add r2, r2, r0
    data(2, 0xC8F0)  # ldm r0!, {r4-r7}
    data(2, 0xE8B2, 0x0F00)  # ldm r2!, {r8-r11}
    data(2, 0x990C)  # ldr r1, [sp, #48]
    label(products8)
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x880C)  # mla r8, r3, r12, r8
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x990C)  # mla r9, r3, r12, r9
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xAA0C)  # mla r10, r3, r12, r10
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xBB0C)  # mla r11, r3, r12, r11
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x880C)  # mla r8, r3, r12, r8
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x990C)  # mla r9, r3, r12, r9
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xAA0C)  # mla r10, r3, r12, r10
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xBB0C)  # mla r11, r3, r12, r11
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x880C)  # mla r8, r3, r12, r8
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x990C)  # mla r9, r3, r12, r9
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xAA0C)  # mla r10, r3, r12, r10
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xBB0C)  # mla r11, r3, r12, r11
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x880C)  # mla r8, r3, r12, r8
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0x990C)  # mla r9, r3, r12, r9
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xAA0C)  # mla r10, r3, r12, r10
    data(2, 0xF912, 0x3B01)  # ldrsb r3, [r2], #1
    data(2, 0xFB03, 0xBB0C)  # mla r11, r3, r12, r11
    data(2, 0x9B06)  # ldr r3, [sp, #24]
    data(2, 0x4299)  # cmp r1, r3
    bne_w(products8)
    data(2, 0x4601)  # mov r1, r0
    data(2, 0x4610)  # mov r0, r2
    data(2, 0xAA11)  # add r2, sp, #68
    data(2, 0xE882, 0x0FF0)  # stm r2, {r4-r11}
    data(2, 0x9B08)  # ldr r3, [sp, #32]
    data(2, 0x2404)  # movs r4, #4
    bl(scale)
    data(2, 0x4601)  # mov r1, r0
    data(2, 0x9C07)  # ldr r4, [sp, #28]
    data(2, 0x3C04)  # subs r4, #4
    data(2, 0x2C04)  # cmp r4, #4
    data(2, 0xBF88)  # it hi
    data(2, 0x2404)  # movhi r4, #4
    bl(scale)
    data(2, 0x9308)  # str r3, [sp, #32]
    data(2, 0x3018)  # adds r0, #24
    data(2, 0x9C07)  # ldr r4, [sp, #28]
    data(2, 0x3C08)  # subs r4, #8
    data(2, 0x9407)  # str r4, [sp, #28]
    bhi_w(one)
    b(next_row)
    # Up to four channels of one pixel.
    label(last)
    data(2, 0xC8F0)  # ldm r0!, {r4-r7}
    data(2, 0x990C)  # ldr r1, [sp, #48]
    data(2, 0x9A06)  # ldr r2, [sp, #24]
    label(products4)
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0xF911, 0xCB01)  # ldrsb r12, [r1], #1
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x440C)  # mla r4, r3, r12, r4
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x550C)  # mla r5, r3, r12, r5
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x660C)  # mla r6, r3, r12, r6
    data(2, 0xF910, 0x3B01)  # ldrsb r3, [r0], #1
    data(2, 0xFB03, 0x770C)  # mla r7, r3, r12, r7
    data(2, 0x4291)  # cmp r1, r2
    bne(products4)
    data(2, 0x4601)  # mov r1, r0
    data(2, 0xAA11)  # add r2, sp, #68
    data(2, 0xE882, 0x00F0)  # stm r2, {r4-r7}
    data(2, 0x9B08)  # ldr r3, [sp, #32]
    data(2, 0x9C07)  # ldr r4, [sp, #28]
    bl(scale)
    label(next_row)
    data(2, 0x9C00)  # ldr r4, [sp, #0]
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
    b(done)
    # Scale r4 accumulators at r2 by the multipliers at r1, and store them at r3.
    label(scale)
    data(2, 0xF101, 0x0510)  # add r5, r1, #16
    data(2, 0xF8DD, 0xB038)  # ldr r11, [sp, #56]
    data(2, 0xF102, 0x0C10)  # add r12, r2, #16
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
    data(2, 0x4662)  # mov r2, r12
    data(2, 0x4770)  # bx lr
    label(done)
    data(2, 0xB019)  # add sp, #100
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
    data(2, 0x2000)  # movs r0, #0; the result becomes an integer object: an address may need the heap
