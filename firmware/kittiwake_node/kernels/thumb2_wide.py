"""The rolling z-score in ARMv7-M assembler for samples of 17 to 24 bits, both forms: the full test at every sample.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore, whose registers these
are. State layout: see the package's docstring; n <= 256, u = x + 2^23, so that n·u and S take one word without sign and
D = n·u - S takes one and a sign.
"""

import micropython


# As plain_wide.find. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def find(r0, r1, r2):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    # r2 = address of the next sample, r10 = of the end, r11 = of the sample after the first whose window is full.
    data(2, 0x6B44)  # ldr r4, [r0, #52]; START
    data(2, 0x6B85)  # ldr r5, [r0, #56]; STOP
    data(2, 0x6807)  # ldr r7, [r0, #0]; N
    data(2, 0x6886)  # ldr r6, [r0, #8]; COUNT
    data(2, 0xEB02, 0x0A85)  # add r10, r2, r5, lsl #2
    data(2, 0x1BBE)  # subs r6, r7, r6; r11: buf + 4·(START + N - COUNT)
    data(2, 0x4426)  # add r6, r6, r4
    data(2, 0xEB02, 0x0B86)  # add r11, r2, r6, lsl #2
    data(2, 0xE92D, 0x0C05)  # push {r0, r2, r10, r11}; [sp] state, [sp, 4] buffer, [sp, 8] end, [sp, 12] full from
    data(2, 0xEB02, 0x0284)  # add r2, r2, r4, lsl #2
    data(2, 0xF8D0, 0x8020)  # ldr r8, [r0, #32]; A
    data(2, 0xF8D0, 0x9024)  # ldr r9, [r0, #36]; B
    data(2, 0x68C4)  # ldr r4, [r0, #12]; S0
    data(2, 0x6905)  # ldr r5, [r0, #16]; S1
    data(2, 0xEA44, 0x6485)  # orr r4, r4, r5, lsl #26; S
    data(2, 0xEB01, 0x0387)  # add r3, r1, r7, lsl #2; r3 = end of the ring
    data(2, 0x6845)  # ldr r5, [r0, #4]; POS
    data(2, 0xEB01, 0x0185)  # add r1, r1, r5, lsl #2; r1 = oldest sample's slot
    data(2, 0x6945)  # ldr r5, [r0, #20]; V0
    data(2, 0x6986)  # ldr r6, [r0, #24]; V1
    data(2, 0x69C0)  # ldr r0, [r0, #28]; V2
    data(2, 0xEA45, 0x3586)  # orr r5, r5, r6, lsl #14
    data(2, 0x0CB6)  # lsrs r6, r6, #18
    data(2, 0xEA46, 0x3600)  # orr r6, r6, r0, lsl #12; V = r6:r5
    movw(r0, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x4552)  # cmp r2, r10
    beq(done)
    label(loop)
    data(2, 0xF852, 0x0B04)  # ldr r0, [r2], #4
    data(2, 0xF8D1, 0xA000)  # ldr r10, [r1]
    data(2, 0xF500, 0x0000)  # add r0, r0, #0x800000
    data(2, 0xF020, 0x407F)  # bic r0, r0, #0xFF000000; u
    data(2, 0xF841, 0x0B04)  # str r0, [r1], #4
    data(2, 0x4299)  # cmp r1, r3
    data(2, 0xBF08)  # it eq
    data(2, 0xEBA3, 0x0187)  # subeq r1, r3, r7, lsl #2
    data(2, 0xEBA0, 0x0A0A)  # sub r10, r0, r10; o = u - oldest
    data(2, 0x4454)  # add r4, r4, r10; S
    data(2, 0xFB00, 0xF007)  # mul r0, r0, r7
    data(2, 0x1B00)  # subs r0, r0, r4; low word of D
    data(2, 0xEB6B, 0x0B0B)  # sbc r11, r11, r11; its sign: 0 or -1
    data(2, 0xEB0B, 0x7CD0)  # add r12, r11, r0, lsr #31; D = r0 taken as signed + r12·2^32
    data(2, 0xFB0C, 0xFC0A)  # mul r12, r12, r10
    data(2, 0xFBC0, 0x560A)  # smlal r5, r6, r0, r10
    data(2, 0xFBC0, 0x560A)  # smlal r5, r6, r0, r10
    data(2, 0xEB06, 0x064C)  # add r6, r6, r12, lsl #1; V + 2·o·D
    data(2, 0xFB8A, 0xCE0A)  # smull r12, r14, r10, r10
    data(2, 0xEB15, 0x050C)  # adds r5, r5, r12
    data(2, 0xEB46, 0x060E)  # adc r6, r6, r14
    data(2, 0xFBAC, 0xCA07)  # umull r12, r10, r12, r7
    data(2, 0xFB0E, 0xAE07)  # mla r14, r14, r7, r10
    data(2, 0xEBB5, 0x050C)  # subs r5, r5, r12
    data(2, 0xEB66, 0x060E)  # sbc r6, r6, r14; V + 2·o·D - (n - 1)·o²
    data(2, 0xEA80, 0x000B)  # eor r0, r0, r11
    data(2, 0xEBA0, 0x000B)  # sub r0, r0, r11; the size of D
    data(2, 0xFBA0, 0x0A00)  # umull r0, r10, r0, r0
    data(2, 0xFBA0, 0x0B08)  # umull r0, r11, r0, r8
    data(2, 0xF04F, 0x0C00)  # mov.w r12, #0
    data(2, 0xFBEA, 0xBC08)  # umlal r11, r12, r10, r8; A·D² = r12:r11:r0
    data(2, 0xFBA5, 0xAE09)  # umull r10, r14, r5, r9
    data(2, 0x4582)  # cmp r10, r0
    data(2, 0xF04F, 0x0A00)  # mov.w r10, #0
    data(2, 0xFBE6, 0xEA09)  # umlal r14, r10, r6, r9; B·V = r10:r14:(gone)
    data(2, 0xEB7E, 0x0E0B)  # sbcs r14, r14, r11
    data(2, 0xEB7A, 0x0A0C)  # sbcs r10, r10, r12
    bcc(above)
    label(next)
    data(2, 0x9802)  # ldr r0, [sp, #8]
    data(2, 0x4282)  # cmp r2, r0
    bne(loop)
    data(2, 0x2000)  # movs r0, #0
    b(done)
    label(above)  # beyond the threshold, which counts once the window is full
    data(2, 0x9803)  # ldr r0, [sp, #12]
    data(2, 0x4282)  # cmp r2, r0
    bcc(next)
    data(2, 0x2001)  # movs r0, #1
    label(done)  # r0 = 1 when the last sample is anomalous
    data(2, 0x4684)  # mov r12, r0
    data(2, 0xE8BD, 0x0D01)  # pop {r0, r8, r10, r11}
    data(2, 0xEBB2, 0x0208)  # subs r2, r2, r8
    data(2, 0x0892)  # lsrs r2, r2, #2; index after the last sample fed
    data(2, 0xEBA2, 0x0C0C)  # sub r12, r2, r12
    data(2, 0x1A5B)  # subs r3, r3, r1
    data(2, 0x089B)  # lsrs r3, r3, #2
    data(2, 0x1AFB)  # subs r3, r7, r3
    data(2, 0x6043)  # str r3, [r0, #4]; POS
    data(2, 0x6B43)  # ldr r3, [r0, #52]
    data(2, 0x1AD3)  # subs r3, r2, r3
    data(2, 0x6882)  # ldr r2, [r0, #8]
    data(2, 0x4413)  # add r3, r3, r2
    data(2, 0x42BB)  # cmp r3, r7
    data(2, 0xBF88)  # it hi
    data(2, 0x463B)  # movhi r3, r7
    data(2, 0x6083)  # str r3, [r0, #8]; COUNT
    data(2, 0xF3C4, 0x0319)  # ubfx r3, r4, #0, #26
    data(2, 0x60C3)  # str r3, [r0, #12]; S0
    data(2, 0x0EA3)  # lsrs r3, r4, #26
    data(2, 0x6103)  # str r3, [r0, #16]; S1
    data(2, 0xF3C5, 0x030D)  # ubfx r3, r5, #0, #14
    data(2, 0x6143)  # str r3, [r0, #20]
    data(2, 0x0BAB)  # lsrs r3, r5, #14
    data(2, 0xEA43, 0x4386)  # orr r3, r3, r6, lsl #18
    data(2, 0xF3C3, 0x031D)  # ubfx r3, r3, #0, #30
    data(2, 0x6183)  # str r3, [r0, #24]
    data(2, 0x0B33)  # lsrs r3, r6, #12
    data(2, 0x61C3)  # str r3, [r0, #28]
    data(2, 0x4660)  # mov r0, r12
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}


# As plain_wide.find_lagged. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def find_lagged(r0, r1, r2):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0x6B44)  # ldr r4, [r0, #52]; START
    data(2, 0x6B85)  # ldr r5, [r0, #56]; STOP
    data(2, 0x6807)  # ldr r7, [r0, #0]; N
    data(2, 0x6886)  # ldr r6, [r0, #8]; COUNT
    data(2, 0xEB02, 0x0A85)  # add r10, r2, r5, lsl #2
    data(2, 0x1BBE)  # subs r6, r7, r6; r11: buf + 4·(START + N - COUNT)
    data(2, 0x4426)  # add r6, r6, r4
    data(2, 0xEB02, 0x0B86)  # add r11, r2, r6, lsl #2
    data(2, 0xF10B, 0x0B04)  # add r11, r11, #4; one more: the window must be full before the sample
    data(2, 0xE92D, 0x0C05)  # push {r0, r2, r10, r11}
    data(2, 0x6AC5)  # ldr r5, [r0, #44]; F0
    data(2, 0x6B06)  # ldr r6, [r0, #48]; F1
    data(2, 0xEA45, 0x3586)  # orr r5, r5, r6, lsl #14; below 2^28
    data(2, 0xB083)  # sub sp, sp, #12
    data(2, 0xB420)  # push {r5}
    # Frame: 0 floor of V, 8 found, 12 displaced, 16 state, 20 buffer, 24 end, 28 full from
    data(2, 0xEB02, 0x0284)  # add r2, r2, r4, lsl #2
    data(2, 0xF8D0, 0x8020)  # ldr r8, [r0, #32]; A
    data(2, 0xF8D0, 0x9024)  # ldr r9, [r0, #36]; B
    data(2, 0x68C4)  # ldr r4, [r0, #12]; S0
    data(2, 0x6905)  # ldr r5, [r0, #16]; S1
    data(2, 0xEA44, 0x6485)  # orr r4, r4, r5, lsl #26; S
    data(2, 0xEB01, 0x0387)  # add r3, r1, r7, lsl #2; r3 = end of the ring
    data(2, 0x6845)  # ldr r5, [r0, #4]; POS
    data(2, 0xEB01, 0x0185)  # add r1, r1, r5, lsl #2; r1 = oldest sample's slot
    data(2, 0x6945)  # ldr r5, [r0, #20]; V0
    data(2, 0x6986)  # ldr r6, [r0, #24]; V1
    data(2, 0x69C0)  # ldr r0, [r0, #28]; V2
    data(2, 0xEA45, 0x3586)  # orr r5, r5, r6, lsl #14
    data(2, 0x0CB6)  # lsrs r6, r6, #18
    data(2, 0xEA46, 0x3600)  # orr r6, r6, r0, lsl #12; V = r6:r5
    movw(r0, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x9002)  # str r0, [sp, #8]
    data(2, 0x4552)  # cmp r2, r10
    beq(done)
    label(loop)
    data(2, 0xF852, 0x0B04)  # ldr r0, [r2], #4
    data(2, 0xF500, 0x0000)  # add r0, r0, #0x800000
    data(2, 0xF020, 0x407F)  # bic r0, r0, #0xFF000000; u
    data(2, 0xFB00, 0xF007)  # mul r0, r0, r7
    data(2, 0x1B00)  # subs r0, r0, r4; D before the change
    data(2, 0xEB6A, 0x0A0A)  # sbc r10, r10, r10
    data(2, 0xEA80, 0x000A)  # eor r0, r0, r10
    data(2, 0xEBA0, 0x000A)  # sub r0, r0, r10; its size
    data(2, 0xFBA0, 0x0A00)  # umull r0, r10, r0, r0
    data(2, 0xFBA0, 0x0B08)  # umull r0, r11, r0, r8
    data(2, 0xF04F, 0x0C00)  # mov.w r12, #0
    data(2, 0xFBEA, 0xBC08)  # umlal r11, r12, r10, r8; A·D² = r12:r11:r0
    data(2, 0xFBA5, 0xAE09)  # umull r10, r14, r5, r9
    data(2, 0x4582)  # cmp r10, r0
    data(2, 0xF04F, 0x0A00)  # mov.w r10, #0
    data(2, 0xFBE6, 0xEA09)  # umlal r14, r10, r6, r9; B·V = r10:r14:(gone)
    data(2, 0xEB7E, 0x0E0B)  # sbcs r14, r14, r11
    data(2, 0xEB7A, 0x0A0C)  # sbcs r10, r10, r12
    bcc(above)
    label(feed)
    data(2, 0xF852, 0x0C04)  # ldr r0, [r2, #-4]
    data(2, 0xF8D1, 0xA000)  # ldr r10, [r1]
    data(2, 0xF500, 0x0000)  # add r0, r0, #0x800000
    data(2, 0xF020, 0x407F)  # bic r0, r0, #0xFF000000
    data(2, 0xF841, 0x0B04)  # str r0, [r1], #4
    data(2, 0x4299)  # cmp r1, r3
    data(2, 0xBF08)  # it eq
    data(2, 0xEBA3, 0x0187)  # subeq r1, r3, r7, lsl #2
    data(2, 0xEBA0, 0x0A0A)  # sub r10, r0, r10; o = u - oldest
    data(2, 0x4454)  # add r4, r4, r10; S
    data(2, 0xFB00, 0xF007)  # mul r0, r0, r7
    data(2, 0x1B00)  # subs r0, r0, r4; low word of D
    data(2, 0xEB6B, 0x0B0B)  # sbc r11, r11, r11; its sign: 0 or -1
    data(2, 0xEB0B, 0x7CD0)  # add r12, r11, r0, lsr #31; D = r0 taken as signed + r12·2^32
    data(2, 0xFB0C, 0xFC0A)  # mul r12, r12, r10
    data(2, 0xFBC0, 0x560A)  # smlal r5, r6, r0, r10
    data(2, 0xFBC0, 0x560A)  # smlal r5, r6, r0, r10
    data(2, 0xEB06, 0x064C)  # add r6, r6, r12, lsl #1; V + 2·o·D
    data(2, 0xFB8A, 0xCE0A)  # smull r12, r14, r10, r10
    data(2, 0xEB15, 0x050C)  # adds r5, r5, r12
    data(2, 0xEB46, 0x060E)  # adc r6, r6, r14
    data(2, 0xFBAC, 0xCA07)  # umull r12, r10, r12, r7
    data(2, 0xFB0E, 0xAE07)  # mla r14, r14, r7, r10
    data(2, 0xEBB5, 0x050C)  # subs r5, r5, r12
    data(2, 0xEB66, 0x060E)  # sbc r6, r6, r14; V + 2·o·D - (n - 1)·o²
    data(2, 0x9806)  # ldr r0, [sp, #24]
    data(2, 0x4282)  # cmp r2, r0
    bne(loop)
    b(done)
    label(above)  # beyond the threshold of V; what counts is a full window and V's floor
    data(2, 0xF8DD, 0xA01C)  # ldr r10, [sp, #28]
    data(2, 0x4552)  # cmp r2, r10
    bcc(feed)
    data(2, 0xF8DD, 0xA000)  # ldr r10, [sp]
    data(2, 0xFBAA, 0xAE09)  # umull r10, r14, r10, r9
    data(2, 0x4582)  # cmp r10, r0
    data(2, 0xF04F, 0x0A00)  # mov.w r10, #0
    data(2, 0xEB7E, 0x0E0B)  # sbcs r14, r14, r11
    data(2, 0xEB7A, 0x0A0C)  # sbcs r10, r10, r12
    bcs(feed)
    data(2, 0x9206)  # str r2, [sp, #24]; this sample is the last
    data(2, 0x2001)  # movs r0, #1
    data(2, 0x9002)  # str r0, [sp, #8]
    data(2, 0x6808)  # ldr r0, [r1]
    data(2, 0x9003)  # str r0, [sp, #12]
    b(feed)
    label(done)
    data(2, 0xF8DD, 0xC008)  # ldr r12, [sp, #8]
    data(2, 0xF8DD, 0x8014)  # ldr r8, [sp, #20]
    data(2, 0x9804)  # ldr r0, [sp, #16]
    data(2, 0xF8DD, 0xB00C)  # ldr r11, [sp, #12]
    data(2, 0xB008)  # add sp, sp, #32
    data(2, 0xEBB2, 0x0208)  # subs r2, r2, r8
    data(2, 0x0892)  # lsrs r2, r2, #2; index after the last sample fed
    data(2, 0xEBA2, 0x0A0C)  # sub r10, r2, r12; index to return
    data(2, 0x1A5B)  # subs r3, r3, r1
    data(2, 0x089B)  # lsrs r3, r3, #2
    data(2, 0x1AFB)  # subs r3, r7, r3
    data(2, 0x6043)  # str r3, [r0, #4]; POS
    data(2, 0x6B43)  # ldr r3, [r0, #52]
    data(2, 0xF1BC, 0x0F00)  # cmp r12, #0
    data(2, 0xBF18)  # it ne
    data(2, 0xF8C0, 0xB034)  # strne r11, [r0, #52]; START: what the anomalous sample displaced
    data(2, 0x1AD3)  # subs r3, r2, r3
    data(2, 0x6882)  # ldr r2, [r0, #8]
    data(2, 0x4413)  # add r3, r3, r2
    data(2, 0x42BB)  # cmp r3, r7
    data(2, 0xBF88)  # it hi
    data(2, 0x463B)  # movhi r3, r7
    data(2, 0x6083)  # str r3, [r0, #8]; COUNT
    data(2, 0xF3C4, 0x0319)  # ubfx r3, r4, #0, #26
    data(2, 0x60C3)  # str r3, [r0, #12]; S0
    data(2, 0x0EA3)  # lsrs r3, r4, #26
    data(2, 0x6103)  # str r3, [r0, #16]; S1
    data(2, 0xF3C5, 0x030D)  # ubfx r3, r5, #0, #14
    data(2, 0x6143)  # str r3, [r0, #20]
    data(2, 0x0BAB)  # lsrs r3, r5, #14
    data(2, 0xEA43, 0x4386)  # orr r3, r3, r6, lsl #18
    data(2, 0xF3C3, 0x031D)  # ubfx r3, r3, #0, #30
    data(2, 0x6183)  # str r3, [r0, #24]
    data(2, 0x0B33)  # lsrs r3, r6, #12
    data(2, 0x61C3)  # str r3, [r0, #28]
    data(2, 0x4650)  # mov r0, r10
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
