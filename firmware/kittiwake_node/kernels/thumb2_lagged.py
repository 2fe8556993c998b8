"""The lagged rolling z-score in ARMv7-M assembler: each sample in full against the window before it.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore, whose registers these
are. State layout: see the package's docstring; n <= 1024.
"""

import micropython


# As plain_lagged.find. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def find(r0, r1, r2):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    # r2 = address of the next sample, r10 = of the end, r11 = of the sample after the first whose window is full.
    data(2, 0x6B44)  # ldr r4, [r0, #52]; START
    data(2, 0x6B85)  # ldr r5, [r0, #56]; STOP
    data(2, 0x6807)  # ldr r7, [r0, #0]; N
    data(2, 0x6886)  # ldr r6, [r0, #8]; COUNT
    data(2, 0xEB02, 0x0A45)  # add r10, r2, r5, lsl #1
    data(2, 0x1BBE)  # subs r6, r7, r6; r11: buf + 2·(START + N - COUNT)
    data(2, 0x4426)  # add r6, r6, r4
    data(2, 0xEB02, 0x0B46)  # add r11, r2, r6, lsl #1
    data(2, 0xF10B, 0x0B02)  # add r11, r11, #2; one more: the window must be full before the sample
    data(2, 0xE92D, 0x0C05)  # push {r0, r2, r10, r11}
    data(2, 0x6AC5)  # ldr r5, [r0, #44]; F0
    data(2, 0x6B06)  # ldr r6, [r0, #48]; F1
    data(2, 0xEA45, 0x3586)  # orr r5, r5, r6, lsl #14
    data(2, 0x0CB6)  # lsrs r6, r6, #18
    data(2, 0xB082)  # sub sp, sp, #8
    data(2, 0xB460)  # push {r5, r6}
    # Frame: 0 floor of V (2), 8 found, 12 displaced, 16 state, 20 buffer, 24 end, 28 full from
    data(2, 0xEB02, 0x0244)  # add r2, r2, r4, lsl #1
    data(2, 0xF8D0, 0x8020)  # ldr r8, [r0, #32]; A
    data(2, 0xF8D0, 0x9024)  # ldr r9, [r0, #36]; B
    data(2, 0x68C4)  # ldr r4, [r0, #12]; S
    data(2, 0xEB01, 0x0347)  # add r3, r1, r7, lsl #1; r3 = end of the ring
    data(2, 0x6845)  # ldr r5, [r0, #4]; POS
    data(2, 0xEB01, 0x0145)  # add r1, r1, r5, lsl #1; r1 = oldest sample's slot
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
    data(2, 0xF832, 0x0B02)  # ldrh r0, [r2], #2
    data(2, 0xF480, 0x4000)  # eor r0, r0, #0x8000; u
    data(2, 0xFB00, 0xF007)  # mul r0, r0, r7
    data(2, 0x1B00)  # subs r0, r0, r4; D before the change
    data(2, 0xFB80, 0x0A00)  # smull r0, r10, r0, r0
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
    data(2, 0xF832, 0x0C02)  # ldrh r0, [r2, #-2]
    data(2, 0xF8B1, 0xA000)  # ldrh r10, [r1]
    data(2, 0xF480, 0x4000)  # eor r0, r0, #0x8000
    data(2, 0xF821, 0x0B02)  # strh r0, [r1], #2
    data(2, 0x4299)  # cmp r1, r3
    data(2, 0xBF08)  # it eq
    data(2, 0xEBA3, 0x0147)  # subeq r1, r3, r7, lsl #1
    data(2, 0xEBA0, 0x0A0A)  # sub r10, r0, r10; o = u - oldest
    data(2, 0x4454)  # add r4, r4, r10; S
    data(2, 0xFB00, 0xF007)  # mul r0, r0, r7
    data(2, 0x1B00)  # subs r0, r0, r4; D after it
    data(2, 0xEB0A, 0x0B40)  # add r11, r10, r0, lsl #1
    data(2, 0xFB0A, 0xBB17)  # mls r11, r10, r7, r11; D + D_oldest = 2·D - (n - 1)·o
    data(2, 0xFBCA, 0x560B)  # smlal r5, r6, r10, r11; V
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
    data(2, 0xF8DD, 0xA004)  # ldr r10, [sp, #4]
    data(2, 0xFB0A, 0xEE09)  # mla r14, r10, r9, r14; no carry: both parts are below 2^26
    data(2, 0xF04F, 0x0A00)  # mov.w r10, #0
    data(2, 0xEB7E, 0x0E0B)  # sbcs r14, r14, r11
    data(2, 0xEB7A, 0x0A0C)  # sbcs r10, r10, r12
    bcs(feed)
    data(2, 0x9206)  # str r2, [sp, #24]; this sample is the last
    data(2, 0x2001)  # movs r0, #1
    data(2, 0x9002)  # str r0, [sp, #8]
    data(2, 0x8808)  # ldrh r0, [r1]
    data(2, 0x9003)  # str r0, [sp, #12]
    b(feed)
    label(done)
    data(2, 0xF8DD, 0xC008)  # ldr r12, [sp, #8]
    data(2, 0xF8DD, 0x8014)  # ldr r8, [sp, #20]
    data(2, 0x9804)  # ldr r0, [sp, #16]
    data(2, 0xF8DD, 0xB00C)  # ldr r11, [sp, #12]
    data(2, 0xB008)  # add sp, sp, #32
    data(2, 0xEBB2, 0x0208)  # subs r2, r2, r8
    data(2, 0x0852)  # lsrs r2, r2, #1; index after the last sample fed
    data(2, 0xEBA2, 0x0A0C)  # sub r10, r2, r12; index to return
    data(2, 0x1A5B)  # subs r3, r3, r1
    data(2, 0x085B)  # lsrs r3, r3, #1
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
    data(2, 0x60C4)  # str r4, [r0, #12]; S
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
