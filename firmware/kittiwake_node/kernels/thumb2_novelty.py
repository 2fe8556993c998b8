"""The novelty detector in ARMv7-M assembler, by 64- and 96-bit products.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore. State layout: see the
package's docstring.

Loop registers: r1 next sample, r4 F, r5 M, r7:r6 V, r8 k, r9 32 - k, r10 state, r11 silent samples to come, r12 the
address at which k grows.
"""

import micropython


# As plain_novelty.find. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def find(r0, r1, r2, r3):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0xB086)  # sub sp, sp, #24
    # Frame: 0 buffer, 4 end, 8 how it ended (1 an alarm, 2 outside the bins), 12 z = where count 0 would be, 16 slow,
    # 20 fast - 1
    data(2, 0x9100)  # str r1, [sp]
    data(2, 0xEB01, 0x0343)  # add r3, r1, r3, lsl #1
    data(2, 0x9301)  # str r3, [sp, #4]
    data(2, 0xEB01, 0x0142)  # add r1, r1, r2, lsl #1; next sample
    data(2, 0x4682)  # mov r10, r0
    data(2, 0xF8DA, 0x2000)  # ldr r2, [r10, #0]; COUNT
    data(2, 0xEBA1, 0x0342)  # sub r3, r1, r2, lsl #1
    data(2, 0x9303)  # str r3, [sp, #12]
    data(2, 0xF8BA, 0xB03A)  # ldrh r11, [r10, #58]; WARMUP
    data(2, 0xEBBB, 0x0B02)  # subs r11, r11, r2
    data(2, 0xBFD8)  # it le
    data(2, 0xF8BA, 0xB00C)  # ldrhle r11, [r10, #12]; silent samples: of the warm-up, or HOLD
    data(2, 0xF042, 0x0201)  # orr r2, r2, #1
    data(2, 0xFAB2, 0xF282)  # clz r2, r2
    data(2, 0xF1C2, 0x081F)  # rsb r8, r2, #31; k = log2(COUNT), 0 at first
    data(2, 0xF8BA, 0x203C)  # ldrh r2, [r10, #60]; SHIFTS
    data(2, 0xB2D0)  # uxtb r0, r2
    data(2, 0x3801)  # subs r0, r0, #1
    data(2, 0x9005)  # str r0, [sp, #20]; fast - 1
    data(2, 0x0A12)  # lsrs r2, r2, #8
    data(2, 0x4590)  # cmp r8, r2
    data(2, 0xBF88)  # it hi
    data(2, 0x4690)  # movhi r8, r2
    data(2, 0x9204)  # str r2, [sp, #16]; slow
    data(2, 0xF04F, 0x0E04)  # mov r14, #4
    data(2, 0xFA0E, 0xFC08)  # lsl r12, r14, r8
    data(2, 0x449C)  # add r12, r12, r3; the address after the sample with which k grows
    data(2, 0x4590)  # cmp r8, r2
    data(2, 0xBF08)  # it eq
    data(2, 0xF04F, 0x0C00)  # moveq r12, #0; never
    data(2, 0xF8DA, 0x4004)  # ldr r4, [r10, #4]
    data(2, 0xF084, 0x4400)  # eor r4, r4, #0x80000000; F
    data(2, 0xF8DA, 0x5008)  # ldr r5, [r10, #8]
    data(2, 0xF085, 0x4500)  # eor r5, r5, #0x80000000; M
    data(2, 0xF8DA, 0x6014)  # ldr r6, [r10, #20]
    data(2, 0xF8DA, 0x2018)  # ldr r2, [r10, #24]
    data(2, 0xF8DA, 0x701C)  # ldr r7, [r10, #28]
    data(2, 0xEA46, 0x3682)  # orr r6, r6, r2, lsl #14
    data(2, 0x0C92)  # lsrs r2, r2, #18
    data(2, 0xEA42, 0x3707)  # orr r7, r2, r7, lsl #12; V = r7:r6
    movw(r0, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x9002)  # str r0, [sp, #8]
    b(check)
    label(loop)
    data(2, 0xF9B1, 0x0000)  # ldrsh r0, [r1]; x
    data(2, 0xF8DA, 0x2010)  # ldr r2, [r10, #16]; ORIGIN
    data(2, 0xF500, 0x2380)  # add r3, r0, #0x40000
    data(2, 0x1A9B)  # subs r3, r3, r2
    data(2, 0xF8BA, 0x200E)  # ldrh r2, [r10, #14]; SCALE
    data(2, 0x4113)  # asrs r3, r3, r2
    data(2, 0x2B0F)  # cmp r3, #15
    bhi_w(outside)
    data(2, 0x3102)  # adds r1, r1, #2
    data(2, 0xF104, 0x0201)  # add r2, r4, #1
    data(2, 0xEA4F, 0x0262)  # asr r2, r2, #1
    data(2, 0xEBC2, 0x32C0)  # rsb r2, r2, r0, lsl #15; (x·2^16 - F) >> 1
    data(2, 0xF8DD, 0xE014)  # ldr r14, [sp, #20]
    data(2, 0xFA42, 0xF20E)  # asr r2, r2, r14
    data(2, 0x4414)  # add r4, r4, r2; F
    # The last eight bins are one word, four bits each: the newest comes in below, the eighth leaves above.
    data(2, 0xF8DA, 0x2024)  # ldr r2, [r10, #36]; BINS4, BINS8
    data(2, 0xF3C2, 0x3E03)  # ubfx r14, r2, #12, #4
    data(2, 0xEB0A, 0x0E4E)  # add r14, r10, r14, lsl #1
    data(2, 0xEA43, 0x1002)  # orr r0, r3, r2, lsl #4
    data(2, 0xF8CA, 0x0024)  # str r0, [r10, #36]
    data(2, 0x0F12)  # lsrs r2, r2, #28
    data(2, 0xEB0A, 0x0242)  # add r2, r10, r2, lsl #1
    data(2, 0xF8BE, 0x0040)  # ldrh r0, [r14, #64]; row of AFTER4
    data(2, 0xF8B2, 0x9060)  # ldrh r9, [r2, #96]; row of AFTER8
    data(2, 0xEA00, 0x0009)  # and r0, r0, r9
    data(2, 0xF8BA, 0x9028)  # ldrh r9, [r10, #40]; SEEN
    data(2, 0xEA00, 0x0009)  # and r0, r0, r9
    data(2, 0x40D8)  # lsrs r0, r0, r3
    data(2, 0xF010, 0x0F01)  # tst r0, #1
    data(2, 0xF04F, 0x0000)  # mov r0, #0; nov
    beq_w(novel)
    label(known)
    data(2, 0xF8DA, 0x2020)  # ldr r2, [r10, #32]; BOOST
    data(2, 0xF8BA, 0x303E)  # ldrh r3, [r10, #62]; FADE
    data(2, 0xFA22, 0xF303)  # lsr r3, r2, r3
    data(2, 0x1AD2)  # subs r2, r2, r3
    data(2, 0xF8CA, 0x2020)  # str r2, [r10, #32]
    data(2, 0xF1BB, 0x0F00)  # cmp r11, #0
    bne(muted)
    data(2, 0xF8BA, 0x302A)  # ldrh r3, [r10, #42]; BASE
    data(2, 0xEB03, 0x2212)  # add r2, r3, r2, lsr #8
    data(2, 0x1A12)  # subs r2, r2, r0
    data(2, 0xF8BA, 0x302C)  # ldrh r3, [r10, #44]; LEAST
    data(2, 0x429A)  # cmp r2, r3
    data(2, 0xBFB8)  # it lt
    data(2, 0x461A)  # movlt r2, r3; T
    data(2, 0xFB02, 0xF202)  # mul r2, r2, r2
    data(2, 0xEA4F, 0x2016)  # lsr r0, r6, #8
    data(2, 0xEA40, 0x6007)  # orr r0, r0, r7, lsl #24
    data(2, 0x0A3B)  # lsrs r3, r7, #8; w = V >> 8 = r3:r0
    data(2, 0xF5B0, 0x7F80)  # cmp r0, #256
    data(2, 0xF173, 0x0E00)  # sbcs r14, r3, #0
    data(2, 0xBF38)  # it cc
    data(2, 0xF44F, 0x7080)  # movcc r0, #256; the floor: one LSB²
    data(2, 0xFBA0, 0x0E02)  # umull r0, r14, r0, r2
    data(2, 0xFBA3, 0x2302)  # umull r2, r3, r3, r2
    data(2, 0xEB1E, 0x0E02)  # adds r14, r14, r2
    data(2, 0xF143, 0x0300)  # adc r3, r3, #0; T²·w = r3:r14:r0
    data(2, 0x1B62)  # subs r2, r4, r5
    data(2, 0xEA4F, 0x2222)  # asr r2, r2, #8
    data(2, 0xBF68)  # it vs
    data(2, 0xF082, 0x427F)  # eorvs r2, r2, #0xFF000000; (F - M) >> 8, of 33 bits
    data(2, 0xFB82, 0x2B02)  # smull r2, r11, r2, r2
    data(2, 0xEA4F, 0x2B0B)  # lsl r11, r11, #8
    data(2, 0xEA4B, 0x6B12)  # orr r11, r11, r2, lsr #24
    data(2, 0x0212)  # lsls r2, r2, #8; 2^8·e² = r11:r2
    data(2, 0x4290)  # cmp r0, r2
    data(2, 0xEB7E, 0x0E0B)  # sbcs r14, r14, r11
    data(2, 0xF173, 0x0300)  # sbcs r3, r3, #0
    data(2, 0xF04F, 0x0B00)  # mov r11, #0
    bcc_w(alarm)
    label(follow)
    data(2, 0xF931, 0x0C02)  # ldrsh r0, [r1, #-2]
    data(2, 0x4561)  # cmp r1, r12
    beq_w(grow)
    label(grown)
    data(2, 0xF1C8, 0x0920)  # rsb r9, r8, #32
    data(2, 0xF105, 0x0201)  # add r2, r5, #1
    data(2, 0xEA4F, 0x0262)  # asr r2, r2, #1
    data(2, 0xEBC2, 0x32C0)  # rsb r2, r2, r0, lsl #15; (x·2^16 - M) >> 1
    data(2, 0xF1A8, 0x0301)  # sub r3, r8, #1
    data(2, 0xFA42, 0xF303)  # asr r3, r2, r3
    data(2, 0x441D)  # add r5, r5, r3; M
    data(2, 0xEA4F, 0x12E2)  # asr r2, r2, #7
    data(2, 0xFB82, 0x2302)  # smull r2, r3, r2, r2; square
    data(2, 0xFA22, 0xF008)  # lsr r0, r2, r8
    data(2, 0xFA03, 0xFE09)  # lsl r14, r3, r9
    data(2, 0xEA40, 0x000E)  # orr r0, r0, r14
    data(2, 0xFA23, 0xFE08)  # lsr r14, r3, r8; square >> k = r14:r0
    data(2, 0x1A12)  # subs r2, r2, r0
    data(2, 0xEB63, 0x030E)  # sbc r3, r3, r14
    data(2, 0x1B92)  # subs r2, r2, r6
    data(2, 0xEB63, 0x0307)  # sbc r3, r3, r7
    data(2, 0xFA22, 0xF208)  # lsr r2, r2, r8
    data(2, 0xFA03, 0xF009)  # lsl r0, r3, r9
    data(2, 0xEA42, 0x0200)  # orr r2, r2, r0
    data(2, 0xFA43, 0xF308)  # asr r3, r3, r8
    data(2, 0x18B6)  # adds r6, r6, r2
    data(2, 0xEB47, 0x0703)  # adc r7, r7, r3; V
    label(check)
    data(2, 0x9801)  # ldr r0, [sp, #4]
    data(2, 0x4281)  # cmp r1, r0
    bne_w(loop)
    b(done)
    label(muted)
    data(2, 0xF1BB, 0x0B01)  # subs r11, r11, #1
    b(follow)
    label(grow)  # the slow shift grows with the count
    data(2, 0xF108, 0x0801)  # add r8, r8, #1
    data(2, 0x9A04)  # ldr r2, [sp, #16]
    data(2, 0x9B03)  # ldr r3, [sp, #12]
    data(2, 0xF04F, 0x0E04)  # mov r14, #4
    data(2, 0xFA0E, 0xFE08)  # lsl r14, r14, r8
    data(2, 0xEB03, 0x0C0E)  # add r12, r3, r14
    data(2, 0x4590)  # cmp r8, r2
    data(2, 0xBF08)  # it eq
    data(2, 0xF04F, 0x0C00)  # moveq r12, #0
    b(grown)
    label(novel)  # r14 and r2 are the rows less the tables' places, r3 the bin, r0 gathers what is new
    data(2, 0xF04F, 0x0901)  # mov r9, #1
    data(2, 0xFA09, 0xF903)  # lsl r9, r9, r3
    data(2, 0xF8BA, 0x3028)  # ldrh r3, [r10, #40]; SEEN
    data(2, 0xEA13, 0x0F09)  # tst r3, r9
    bne(step4)
    data(2, 0xEA43, 0x0309)  # orr r3, r3, r9
    data(2, 0xF8AA, 0x3028)  # strh r3, [r10, #40]
    data(2, 0xF8BA, 0x3034)  # ldrh r3, [r10, #52]; NEW_LEVEL
    data(2, 0x18C0)  # adds r0, r0, r3
    label(step4)
    data(2, 0x9B03)  # ldr r3, [sp, #12]
    data(2, 0x1ACB)  # subs r3, r1, r3; twice the count, this sample included
    data(2, 0x2B0A)  # cmp r3, #10
    bcc(learn)
    data(2, 0xF8BE, 0x3040)  # ldrh r3, [r14, #64]
    data(2, 0xEA13, 0x0F09)  # tst r3, r9
    bne(step8)
    data(2, 0xEA43, 0x0309)  # orr r3, r3, r9
    data(2, 0xF8AE, 0x3040)  # strh r3, [r14, #64]
    data(2, 0xF8BA, 0x3036)  # ldrh r3, [r10, #54]; NEW_STEP
    data(2, 0x18C0)  # adds r0, r0, r3
    label(step8)
    data(2, 0x9B03)  # ldr r3, [sp, #12]
    data(2, 0x1ACB)  # subs r3, r1, r3
    data(2, 0x2B12)  # cmp r3, #18
    bcc(learn)
    data(2, 0xF8B2, 0x3060)  # ldrh r3, [r2, #96]
    data(2, 0xEA13, 0x0F09)  # tst r3, r9
    bne(learn)
    data(2, 0xEA43, 0x0309)  # orr r3, r3, r9
    data(2, 0xF8A2, 0x3060)  # strh r3, [r2, #96]
    data(2, 0xF8BA, 0x3036)  # ldrh r3, [r10, #54]
    data(2, 0x18C0)  # adds r0, r0, r3
    label(learn)  # learned, and not counted while there is much to learn
    data(2, 0x9B03)  # ldr r3, [sp, #12]
    data(2, 0x1ACB)  # subs r3, r1, r3
    data(2, 0x085B)  # lsrs r3, r3, #1
    data(2, 0xF8BA, 0x2038)  # ldrh r2, [r10, #56]; LEARNING
    data(2, 0x4293)  # cmp r3, r2
    data(2, 0xBF98)  # it ls
    data(2, 0x2000)  # movls r0, #0
    b(known)
    label(alarm)  # this sample is the last
    data(2, 0xF8BA, 0xB032)  # ldrh r11, [r10, #50]; HOLDOFF
    data(2, 0x9101)  # str r1, [sp, #4]
    data(2, 0x2201)  # movs r2, #1
    data(2, 0x9202)  # str r2, [sp, #8]
    data(2, 0xF8DA, 0x2020)  # ldr r2, [r10, #32]
    data(2, 0xF8BA, 0x302E)  # ldrh r3, [r10, #46]; STEP
    data(2, 0xEB02, 0x2203)  # add r2, r2, r3, lsl #8
    data(2, 0xF8BA, 0x3030)  # ldrh r3, [r10, #48]; MOST
    data(2, 0x021B)  # lsls r3, r3, #8
    data(2, 0x429A)  # cmp r2, r3
    data(2, 0xBF88)  # it hi
    data(2, 0x461A)  # movhi r2, r3
    data(2, 0xF8CA, 0x2020)  # str r2, [r10, #32]; BOOST
    b(follow)
    label(outside)  # not fed: the caller widens the bins
    data(2, 0x2202)  # movs r2, #2
    data(2, 0x9202)  # str r2, [sp, #8]
    label(done)
    data(2, 0x9A03)  # ldr r2, [sp, #12]
    data(2, 0x1A8A)  # subs r2, r1, r2
    data(2, 0x0852)  # lsrs r2, r2, #1
    data(2, 0xF1B2, 0x5F00)  # cmp r2, #0x20000000
    data(2, 0xBF88)  # it hi
    data(2, 0xF04F, 0x5200)  # movhi r2, #0x20000000
    data(2, 0xF8CA, 0x2000)  # str r2, [r10, #0]; COUNT
    data(2, 0xF8BA, 0x303A)  # ldrh r3, [r10, #58]
    data(2, 0x429A)  # cmp r2, r3
    data(2, 0xBF38)  # it lo
    data(2, 0xF04F, 0x0B00)  # movlo r11, #0
    data(2, 0xF8AA, 0xB00C)  # strh r11, [r10, #12]; HOLD
    data(2, 0xF084, 0x4400)  # eor r4, r4, #0x80000000
    data(2, 0xF8CA, 0x4004)  # str r4, [r10, #4]
    data(2, 0xF085, 0x4500)  # eor r5, r5, #0x80000000
    data(2, 0xF8CA, 0x5008)  # str r5, [r10, #8]
    data(2, 0xF3C6, 0x030D)  # ubfx r3, r6, #0, #14
    data(2, 0xF8CA, 0x3014)  # str r3, [r10, #20]
    data(2, 0x0BB3)  # lsrs r3, r6, #14
    data(2, 0xEA43, 0x4387)  # orr r3, r3, r7, lsl #18
    data(2, 0xF3C3, 0x031D)  # ubfx r3, r3, #0, #30
    data(2, 0xF8CA, 0x3018)  # str r3, [r10, #24]
    data(2, 0x0B3B)  # lsrs r3, r7, #12
    data(2, 0xF8CA, 0x301C)  # str r3, [r10, #28]
    data(2, 0x9A00)  # ldr r2, [sp]
    data(2, 0x1A88)  # subs r0, r1, r2
    data(2, 0x0840)  # lsrs r0, r0, #1
    data(2, 0x9A02)  # ldr r2, [sp, #8]
    data(2, 0x2A01)  # cmp r2, #1
    data(2, 0xBF08)  # it eq
    data(2, 0x3801)  # subeq r0, r0, #1
    data(2, 0xBF88)  # it hi
    data(2, 0x43C0)  # mvnhi r0, r0; -1 - index
    data(2, 0xB006)  # add sp, sp, #24
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
