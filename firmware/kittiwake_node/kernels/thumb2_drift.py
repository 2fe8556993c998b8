"""The drift detector in ARMv7-M assembler, by 64-bit products.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore. State layout: see the
package's docstring. A difference of 33 bits is either halved before it is taken, as in viper_drift, or mended by the
overflow flag.

Loop registers: r1 next sample, r4 F, r5 M, r7:r6 V, r8 k, r9 32 - k, r10 fast - 1, r11 silent samples to come, r12 the
address of the end, or of the sample with which k grows when that comes first.
"""

import micropython


# As plain_drift.find. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def find(r0, r1, r2, r3):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0xB08A)  # sub sp, sp, #40
    # Frame: 0 buffer, 4 end, 8 found, 12 z = where count 0 would be, 16 slow, 20 q², 24 p², 28 floor, 32 state
    data(2, 0x9008)  # str r0, [sp, #32]
    data(2, 0x9100)  # str r1, [sp]
    data(2, 0xEB01, 0x0343)  # add r3, r1, r3, lsl #1
    data(2, 0x9301)  # str r3, [sp, #4]
    data(2, 0xEB01, 0x0142)  # add r1, r1, r2, lsl #1; next sample
    data(2, 0x6802)  # ldr r2, [r0, #0]; COUNT
    data(2, 0xEBA1, 0x0342)  # sub r3, r1, r2, lsl #1
    data(2, 0x9303)  # str r3, [sp, #12]
    data(2, 0xF8D0, 0xB030)  # ldr r11, [r0, #48]; WARMUP
    data(2, 0xEBBB, 0x0B02)  # subs r11, r11, r2
    data(2, 0xBFD8)  # it le
    data(2, 0xF8D0, 0xB004)  # ldrle r11, [r0, #4]; silent samples: of the warm-up, or HOLD
    data(2, 0xF042, 0x0201)  # orr r2, r2, #1
    data(2, 0xFAB2, 0xF282)  # clz r2, r2
    data(2, 0xF1C2, 0x081F)  # rsb r8, r2, #31; k = log2(COUNT), 0 at first
    data(2, 0x6A42)  # ldr r2, [r0, #36]; SHIFTS
    data(2, 0xFA5F, 0xFA82)  # uxtb r10, r2
    data(2, 0xF1BA, 0x0A01)  # subs r10, r10, #1; fast - 1
    data(2, 0x0A12)  # lsrs r2, r2, #8
    data(2, 0x4590)  # cmp r8, r2
    data(2, 0xBF88)  # it hi
    data(2, 0x4690)  # movhi r8, r2
    data(2, 0x9204)  # str r2, [sp, #16]; slow
    data(2, 0xF04F, 0x0E04)  # mov r14, #4
    data(2, 0xFA0E, 0xFC08)  # lsl r12, r14, r8
    data(2, 0x449C)  # add r12, r12, r3
    data(2, 0xF1AC, 0x0C02)  # sub r12, r12, #2; the address of the sample with which k grows
    data(2, 0xF8DD, 0xE004)  # ldr r14, [sp, #4]
    data(2, 0x4590)  # cmp r8, r2
    data(2, 0xBF08)  # it eq
    data(2, 0x46F4)  # moveq r12, r14; never
    data(2, 0x45F4)  # cmp r12, r14
    data(2, 0xBF88)  # it hi
    data(2, 0x46F4)  # movhi r12, r14; r12 = that, or the end
    data(2, 0xF1C8, 0x0920)  # rsb r9, r8, #32
    data(2, 0x6A82)  # ldr r2, [r0, #40]; PQ
    data(2, 0xB2D3)  # uxtb r3, r2
    data(2, 0xFB03, 0xF303)  # mul r3, r3, r3
    data(2, 0x9306)  # str r3, [sp, #24]
    data(2, 0x0A12)  # lsrs r2, r2, #8
    data(2, 0xFB02, 0xF202)  # mul r2, r2, r2
    data(2, 0x9205)  # str r2, [sp, #20]
    data(2, 0x6B82)  # ldr r2, [r0, #56]; FLOOR
    data(2, 0x0412)  # lsls r2, r2, #16
    data(2, 0x9207)  # str r2, [sp, #28]
    data(2, 0x6884)  # ldr r4, [r0, #8]
    data(2, 0x68C2)  # ldr r2, [r0, #12]
    data(2, 0xEA42, 0x4404)  # orr r4, r2, r4, lsl #16
    data(2, 0xF084, 0x4400)  # eor r4, r4, #0x80000000; F
    data(2, 0x6905)  # ldr r5, [r0, #16]
    data(2, 0x6A02)  # ldr r2, [r0, #32]
    data(2, 0xEA42, 0x4505)  # orr r5, r2, r5, lsl #16
    data(2, 0xF085, 0x4500)  # eor r5, r5, #0x80000000; M
    data(2, 0x6946)  # ldr r6, [r0, #20]
    data(2, 0x6982)  # ldr r2, [r0, #24]
    data(2, 0x69C7)  # ldr r7, [r0, #28]
    data(2, 0xEA46, 0x3682)  # orr r6, r6, r2, lsl #14
    data(2, 0x0C92)  # lsrs r2, r2, #18
    data(2, 0xEA42, 0x3707)  # orr r7, r2, r7, lsl #12; V = r7:r6
    movw(r0, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x9002)  # str r0, [sp, #8]
    b(check)
    label(loop)
    data(2, 0xF931, 0x0B02)  # ldrsh r0, [r1], #2; x
    data(2, 0xF104, 0x0201)  # add r2, r4, #1
    data(2, 0xEA4F, 0x0262)  # asr r2, r2, #1
    data(2, 0xEBC2, 0x32C0)  # rsb r2, r2, r0, lsl #15; (x·2^16 - F) >> 1
    data(2, 0xFA42, 0xF20A)  # asr r2, r2, r10
    data(2, 0x4414)  # add r4, r4, r2; F
    data(2, 0xF1BB, 0x0F00)  # cmp r11, #0
    bne(muted)
    data(2, 0x1B62)  # subs r2, r4, r5
    data(2, 0xEA4F, 0x2222)  # asr r2, r2, #8
    data(2, 0xBF68)  # it vs
    data(2, 0xF082, 0x427F)  # eorvs r2, r2, #0xFF000000; (F - M) >> 8, of 33 bits
    data(2, 0xFB82, 0x2302)  # smull r2, r3, r2, r2
    data(2, 0xF8DD, 0xE014)  # ldr r14, [sp, #20]
    data(2, 0xFBA2, 0x200E)  # umull r2, r0, r2, r14
    data(2, 0xFB03, 0x030E)  # mla r3, r3, r14, r0; q²·d² = r3:r2
    data(2, 0xF8DD, 0xE018)  # ldr r14, [sp, #24]
    data(2, 0xFB07, 0xF00E)  # mul r0, r7, r14
    data(2, 0xFBA6, 0xBE0E)  # umull r11, r14, r6, r14
    data(2, 0x4470)  # add r0, r0, r14; p²·V = r0:r11
    data(2, 0x4593)  # cmp r11, r2
    data(2, 0xF04F, 0x0B00)  # mov.w r11, #0
    data(2, 0x4198)  # sbcs r0, r0, r3
    bcc(above)
    label(follow)
    data(2, 0xF931, 0x0C02)  # ldrsh r0, [r1, #-2]
    label(advance)
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
    data(2, 0x4561)  # cmp r1, r12
    bne(loop)
    data(2, 0x9801)  # ldr r0, [sp, #4]
    data(2, 0x4281)  # cmp r1, r0
    beq(done)
    data(2, 0xF108, 0x0801)  # add r8, r8, #1; the slow shift grows with the count
    data(2, 0xF1A9, 0x0901)  # sub r9, r9, #1
    data(2, 0x9A04)  # ldr r2, [sp, #16]
    data(2, 0x9B03)  # ldr r3, [sp, #12]
    data(2, 0xF04F, 0x0E04)  # mov r14, #4
    data(2, 0xFA0E, 0xFE08)  # lsl r14, r14, r8
    data(2, 0xEB03, 0x0C0E)  # add r12, r3, r14
    data(2, 0xF1AC, 0x0C02)  # sub r12, r12, #2
    data(2, 0x4590)  # cmp r8, r2
    data(2, 0xBF08)  # it eq
    data(2, 0x4684)  # moveq r12, r0
    data(2, 0x4584)  # cmp r12, r0
    data(2, 0xBF88)  # it hi
    data(2, 0x4684)  # movhi r12, r0
    b(loop)
    label(muted)
    data(2, 0xF1BB, 0x0B01)  # subs r11, r11, #1
    b(advance)
    label(above)  # beyond the threshold of V; what counts is its floor too
    data(2, 0xF8DD, 0xE01C)  # ldr r14, [sp, #28]
    data(2, 0x9806)  # ldr r0, [sp, #24]
    data(2, 0xFBAE, 0xE000)  # umull r14, r0, r14, r0; p²·floor = r0:r14
    data(2, 0x4596)  # cmp r14, r2
    data(2, 0x4198)  # sbcs r0, r0, r3
    bcs(follow)
    # This sample is the last
    data(2, 0x9A08)  # ldr r2, [sp, #32]
    data(2, 0xF8D2, 0xB034)  # ldr r11, [r2, #52]; HOLDOFF
    data(2, 0x9101)  # str r1, [sp, #4]
    data(2, 0x468C)  # mov r12, r1
    data(2, 0x2201)  # movs r2, #1
    data(2, 0x9202)  # str r2, [sp, #8]
    b(follow)
    label(done)
    data(2, 0x9808)  # ldr r0, [sp, #32]
    data(2, 0x9A03)  # ldr r2, [sp, #12]
    data(2, 0x1A8A)  # subs r2, r1, r2
    data(2, 0x0852)  # lsrs r2, r2, #1
    data(2, 0xF1B2, 0x5F00)  # cmp r2, #0x20000000
    data(2, 0xBF88)  # it hi
    data(2, 0xF04F, 0x5200)  # movhi r2, #0x20000000
    data(2, 0x6002)  # str r2, [r0, #0]; COUNT
    data(2, 0x6B03)  # ldr r3, [r0, #48]
    data(2, 0x429A)  # cmp r2, r3
    data(2, 0xBF38)  # it lo
    data(2, 0xF04F, 0x0B00)  # movlo r11, #0
    data(2, 0xF8C0, 0xB004)  # str r11, [r0, #4]; HOLD
    data(2, 0xF084, 0x4400)  # eor r4, r4, #0x80000000
    data(2, 0xB2A2)  # uxth r2, r4
    data(2, 0x60C2)  # str r2, [r0, #12]
    data(2, 0x0C22)  # lsrs r2, r4, #16
    data(2, 0x6082)  # str r2, [r0, #8]
    data(2, 0xF085, 0x4500)  # eor r5, r5, #0x80000000
    data(2, 0xB2AA)  # uxth r2, r5
    data(2, 0x6202)  # str r2, [r0, #32]
    data(2, 0x0C2A)  # lsrs r2, r5, #16
    data(2, 0x6102)  # str r2, [r0, #16]
    data(2, 0xF3C6, 0x030D)  # ubfx r3, r6, #0, #14
    data(2, 0x6143)  # str r3, [r0, #20]
    data(2, 0x0BB3)  # lsrs r3, r6, #14
    data(2, 0xEA43, 0x4387)  # orr r3, r3, r7, lsl #18
    data(2, 0xF3C3, 0x031D)  # ubfx r3, r3, #0, #30
    data(2, 0x6183)  # str r3, [r0, #24]
    data(2, 0x0B3B)  # lsrs r3, r7, #12
    data(2, 0x61C3)  # str r3, [r0, #28]
    data(2, 0x9A00)  # ldr r2, [sp]
    data(2, 0x1A88)  # subs r0, r1, r2
    data(2, 0x0840)  # lsrs r0, r0, #1
    data(2, 0x9A02)  # ldr r2, [sp, #8]
    data(2, 0x1A80)  # subs r0, r0, r2; index
    data(2, 0xB00A)  # add sp, sp, #40
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
