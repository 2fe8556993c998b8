"""The audio front end's transform in ARMv7-M assembler. Meaning and arguments: see plain_fft.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore.

Registers of a butterfly: r0 first leg, r10, r9, r8 the others, r11 bytes between legs, r12 a half in Q15; of the loops,
on the stack: 0 to 20 twiddles (cosine, sine) of the three legs, 24 z, 28 sine, 32 end of the pass, 36 bytes of k,
40 bytes of twiddles a step of k, 44 the same times k.
"""

import micropython


# As plain_fft.transform. Does not allocate.
@micropython.asm_thumb
def transform(r0, r1):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0xB08C)  # sub sp, #48
    movw(r12, 16384)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x9006)  # str r0, [sp, #24]
    data(2, 0x9107)  # str r1, [sp, #28]
    data(2, 0xF04F, 0x0B04)  # mov r11, #4
    data(2, 0xF44F, 0x7280)  # mov r2, #256
    data(2, 0x920A)  # str r2, [sp, #40]; 2 * 128 / size
    label(stage)
    data(2, 0x2200)  # movs r2, #0
    data(2, 0x9209)  # str r2, [sp, #36]
    data(2, 0x920B)  # str r2, [sp, #44]
    data(2, 0x9806)  # ldr r0, [sp, #24]
    data(2, 0xF500, 0x6280)  # add r2, r0, #1024
    data(2, 0x9208)  # str r2, [sp, #32]
    # Without twiddles: k = 0.
    label(plain)
    data(2, 0xEB00, 0x0A0B)  # add r10, r0, r11
    data(2, 0xEB00, 0x094B)  # add r9, r0, r11, lsl #1
    data(2, 0xEB0A, 0x084B)  # add r8, r10, r11, lsl #1
    data(2, 0xF9BA, 0x1000)  # ldrsh r1, [r10, #0]
    data(2, 0xF9BA, 0x2002)  # ldrsh r2, [r10, #2]
    data(2, 0xF9B8, 0x3000)  # ldrsh r3, [r8, #0]
    data(2, 0xF9B8, 0x4002)  # ldrsh r4, [r8, #2]
    data(2, 0xEBC1, 0x3141)  # rsb r1, r1, r1, lsl #13; 8191 x
    data(2, 0x4461)  # add r1, r1, r12
    data(2, 0x13C9)  # asrs r1, r1, #15
    data(2, 0xEBC2, 0x3242)  # rsb r2, r2, r2, lsl #13
    data(2, 0x4462)  # add r2, r2, r12
    data(2, 0x13D2)  # asrs r2, r2, #15
    data(2, 0xEBC3, 0x3343)  # rsb r3, r3, r3, lsl #13
    data(2, 0x4463)  # add r3, r3, r12
    data(2, 0x13DB)  # asrs r3, r3, #15
    data(2, 0xEBC4, 0x3444)  # rsb r4, r4, r4, lsl #13
    data(2, 0x4464)  # add r4, r4, r12
    data(2, 0x13E4)  # asrs r4, r4, #15
    data(2, 0x18CD)  # adds r5, r1, r3; both
    data(2, 0x1AC9)  # subs r1, r1, r3; apart
    data(2, 0x1913)  # adds r3, r2, r4
    data(2, 0x1B12)  # subs r2, r2, r4
    data(2, 0x462C)  # mov r4, r5
    data(2, 0xF9B9, 0x8000)  # ldrsh r8, [r9, #0]
    data(2, 0xF9B9, 0x6002)  # ldrsh r6, [r9, #2]
    data(2, 0xEBC8, 0x3848)  # rsb r8, r8, r8, lsl #13
    data(2, 0x44E0)  # add r8, r8, r12
    data(2, 0xEA4F, 0x38E8)  # asr r8, r8, #15
    data(2, 0xEBC6, 0x3646)  # rsb r6, r6, r6, lsl #13
    data(2, 0x4466)  # add r6, r6, r12
    data(2, 0x13F6)  # asrs r6, r6, #15
    data(2, 0xF9B0, 0x5000)  # ldrsh r5, [r0, #0]
    data(2, 0xF9B0, 0x7002)  # ldrsh r7, [r0, #2]
    data(2, 0xEBC5, 0x3545)  # rsb r5, r5, r5, lsl #13
    data(2, 0x4465)  # add r5, r5, r12
    data(2, 0x13ED)  # asrs r5, r5, #15
    data(2, 0xEBC7, 0x3747)  # rsb r7, r7, r7, lsl #13
    data(2, 0x4467)  # add r7, r7, r12
    data(2, 0x13FF)  # asrs r7, r7, #15
    data(2, 0xEB05, 0x0E08)  # add r14, r5, r8; even
    data(2, 0xEBA5, 0x0508)  # sub r5, r5, r8; odd
    data(2, 0xEB07, 0x0806)  # add r8, r7, r6
    data(2, 0x1BBF)  # subs r7, r7, r6
    data(2, 0xEB0E, 0x0604)  # add r6, r14, r4
    data(2, 0x8006)  # strh r6, [r0, #0]
    data(2, 0xEB08, 0x0603)  # add r6, r8, r3
    data(2, 0x8046)  # strh r6, [r0, #2]
    data(2, 0xEBAE, 0x0604)  # sub r6, r14, r4
    data(2, 0xF8A9, 0x6000)  # strh r6, [r9, #0]
    data(2, 0xEBA8, 0x0603)  # sub r6, r8, r3
    data(2, 0xF8A9, 0x6002)  # strh r6, [r9, #2]
    data(2, 0xEB0A, 0x084B)  # add r8, r10, r11, lsl #1
    data(2, 0x18AE)  # adds r6, r5, r2
    data(2, 0xF8AA, 0x6000)  # strh r6, [r10, #0]
    data(2, 0x1A7E)  # subs r6, r7, r1
    data(2, 0xF8AA, 0x6002)  # strh r6, [r10, #2]
    data(2, 0x1AAE)  # subs r6, r5, r2
    data(2, 0xF8A8, 0x6000)  # strh r6, [r8, #0]
    data(2, 0x187E)  # adds r6, r7, r1
    data(2, 0xF8A8, 0x6002)  # strh r6, [r8, #2]
    data(2, 0xEB00, 0x008B)  # add r0, r0, r11, lsl #2
    data(2, 0x9E08)  # ldr r6, [sp, #32]
    data(2, 0x42B0)  # cmp r0, r6
    bcc_w(plain)
    label(pass_done)
    data(2, 0x9A09)  # ldr r2, [sp, #36]
    data(2, 0x3204)  # adds r2, r2, #4
    data(2, 0x9209)  # str r2, [sp, #36]
    data(2, 0x455A)  # cmp r2, r11
    bcs_w(stage_done)
    data(2, 0x9B0B)  # ldr r3, [sp, #44]
    data(2, 0x9C0A)  # ldr r4, [sp, #40]
    data(2, 0x191B)  # adds r3, r3, r4
    data(2, 0x930B)  # str r3, [sp, #44]
    data(2, 0x9907)  # ldr r1, [sp, #28]
    data(2, 0x18CC)  # adds r4, r1, r3
    data(2, 0xF9B4, 0x5100)  # ldrsh r5, [r4, #256]
    data(2, 0xF9B4, 0x6000)  # ldrsh r6, [r4, #0]
    data(2, 0xE9CD, 0x5600)  # strd r5, r6, [sp, #0]
    data(2, 0x18E4)  # adds r4, r4, r3
    data(2, 0xF9B4, 0x5100)  # ldrsh r5, [r4, #256]
    data(2, 0xF9B4, 0x6000)  # ldrsh r6, [r4, #0]
    data(2, 0xE9CD, 0x5602)  # strd r5, r6, [sp, #8]
    data(2, 0x18E4)  # adds r4, r4, r3
    data(2, 0xF9B4, 0x5100)  # ldrsh r5, [r4, #256]
    data(2, 0xF9B4, 0x6000)  # ldrsh r6, [r4, #0]
    data(2, 0xE9CD, 0x5604)  # strd r5, r6, [sp, #16]
    data(2, 0x9806)  # ldr r0, [sp, #24]
    data(2, 0x4410)  # add r0, r0, r2
    label(turned)
    data(2, 0xEB00, 0x0A0B)  # add r10, r0, r11
    data(2, 0xEB00, 0x094B)  # add r9, r0, r11, lsl #1
    data(2, 0xEB0A, 0x084B)  # add r8, r10, r11, lsl #1
    data(2, 0xF9BA, 0x4000)  # ldrsh r4, [r10, #0]
    data(2, 0xF9BA, 0x5002)  # ldrsh r5, [r10, #2]
    data(2, 0xEBC4, 0x3444)  # rsb r4, r4, r4, lsl #13
    data(2, 0x4464)  # add r4, r4, r12
    data(2, 0x13E4)  # asrs r4, r4, #15
    data(2, 0xEBC5, 0x3545)  # rsb r5, r5, r5, lsl #13
    data(2, 0x4465)  # add r5, r5, r12
    data(2, 0x13ED)  # asrs r5, r5, #15
    data(2, 0xE9DD, 0x6700)  # ldrd r6, r7, [sp, #0]
    data(2, 0xFB04, 0xC106)  # mla r1, r4, r6, r12
    data(2, 0xFB05, 0x1107)  # mla r1, r5, r7, r1
    data(2, 0x13C9)  # asrs r1, r1, #15
    data(2, 0xFB05, 0xC206)  # mla r2, r5, r6, r12
    data(2, 0xFB04, 0x2217)  # mls r2, r4, r7, r2
    data(2, 0x13D2)  # asrs r2, r2, #15
    data(2, 0xF9B8, 0x4000)  # ldrsh r4, [r8, #0]
    data(2, 0xF9B8, 0x5002)  # ldrsh r5, [r8, #2]
    data(2, 0xEBC4, 0x3444)  # rsb r4, r4, r4, lsl #13
    data(2, 0x4464)  # add r4, r4, r12
    data(2, 0x13E4)  # asrs r4, r4, #15
    data(2, 0xEBC5, 0x3545)  # rsb r5, r5, r5, lsl #13
    data(2, 0x4465)  # add r5, r5, r12
    data(2, 0x13ED)  # asrs r5, r5, #15
    data(2, 0xE9DD, 0x6704)  # ldrd r6, r7, [sp, #16]
    data(2, 0xFB04, 0xC306)  # mla r3, r4, r6, r12
    data(2, 0xFB05, 0x3307)  # mla r3, r5, r7, r3
    data(2, 0x13DB)  # asrs r3, r3, #15
    data(2, 0xFB05, 0xC506)  # mla r5, r5, r6, r12
    data(2, 0xFB04, 0x5517)  # mls r5, r4, r7, r5
    data(2, 0x13ED)  # asrs r5, r5, #15
    data(2, 0x18CC)  # adds r4, r1, r3; both
    data(2, 0x1AC9)  # subs r1, r1, r3; apart
    data(2, 0x1953)  # adds r3, r2, r5
    data(2, 0x1B52)  # subs r2, r2, r5
    data(2, 0xF9B9, 0x5000)  # ldrsh r5, [r9, #0]
    data(2, 0xF9B9, 0x6002)  # ldrsh r6, [r9, #2]
    data(2, 0xEBC5, 0x3545)  # rsb r5, r5, r5, lsl #13
    data(2, 0x4465)  # add r5, r5, r12
    data(2, 0x13ED)  # asrs r5, r5, #15
    data(2, 0xEBC6, 0x3646)  # rsb r6, r6, r6, lsl #13
    data(2, 0x4466)  # add r6, r6, r12
    data(2, 0x13F6)  # asrs r6, r6, #15
    data(2, 0xE9DD, 0x7E02)  # ldrd r7, r14, [sp, #8]
    data(2, 0xFB05, 0xC807)  # mla r8, r5, r7, r12
    data(2, 0xFB06, 0x880E)  # mla r8, r6, r14, r8
    data(2, 0xEA4F, 0x38E8)  # asr r8, r8, #15
    data(2, 0xFB06, 0xC607)  # mla r6, r6, r7, r12
    data(2, 0xFB05, 0x661E)  # mls r6, r5, r14, r6
    data(2, 0x13F6)  # asrs r6, r6, #15
    data(2, 0xF9B0, 0x5000)  # ldrsh r5, [r0, #0]
    data(2, 0xF9B0, 0x7002)  # ldrsh r7, [r0, #2]
    data(2, 0xEBC5, 0x3545)  # rsb r5, r5, r5, lsl #13
    data(2, 0x4465)  # add r5, r5, r12
    data(2, 0x13ED)  # asrs r5, r5, #15
    data(2, 0xEBC7, 0x3747)  # rsb r7, r7, r7, lsl #13
    data(2, 0x4467)  # add r7, r7, r12
    data(2, 0x13FF)  # asrs r7, r7, #15
    data(2, 0xEB05, 0x0E08)  # add r14, r5, r8; even
    data(2, 0xEBA5, 0x0508)  # sub r5, r5, r8; odd
    data(2, 0xEB07, 0x0806)  # add r8, r7, r6
    data(2, 0x1BBF)  # subs r7, r7, r6
    data(2, 0xEB0E, 0x0604)  # add r6, r14, r4
    data(2, 0x8006)  # strh r6, [r0, #0]
    data(2, 0xEB08, 0x0603)  # add r6, r8, r3
    data(2, 0x8046)  # strh r6, [r0, #2]
    data(2, 0xEBAE, 0x0604)  # sub r6, r14, r4
    data(2, 0xF8A9, 0x6000)  # strh r6, [r9, #0]
    data(2, 0xEBA8, 0x0603)  # sub r6, r8, r3
    data(2, 0xF8A9, 0x6002)  # strh r6, [r9, #2]
    data(2, 0xEB0A, 0x084B)  # add r8, r10, r11, lsl #1
    data(2, 0x18AE)  # adds r6, r5, r2
    data(2, 0xF8AA, 0x6000)  # strh r6, [r10, #0]
    data(2, 0x1A7E)  # subs r6, r7, r1
    data(2, 0xF8AA, 0x6002)  # strh r6, [r10, #2]
    data(2, 0x1AAE)  # subs r6, r5, r2
    data(2, 0xF8A8, 0x6000)  # strh r6, [r8, #0]
    data(2, 0x187E)  # adds r6, r7, r1
    data(2, 0xF8A8, 0x6002)  # strh r6, [r8, #2]
    data(2, 0xEB00, 0x008B)  # add r0, r0, r11, lsl #2
    data(2, 0x9E08)  # ldr r6, [sp, #32]
    data(2, 0x42B0)  # cmp r0, r6
    bcc_w(turned)
    b(pass_done)
    label(stage_done)
    data(2, 0x9A0A)  # ldr r2, [sp, #40]
    data(2, 0x0892)  # lsrs r2, r2, #2
    data(2, 0x920A)  # str r2, [sp, #40]
    data(2, 0xEA4F, 0x0B8B)  # lsl r11, r11, #2
    data(2, 0xF5BB, 0x6F80)  # cmp r11, #1024
    bcc_w(stage)
    data(2, 0xB00C)  # add sp, #48
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
    data(2, 0x2000)  # movs r0, #0; the result becomes an integer object: an address may need the heap
