"""Count, extremes and exact sums in ARMv7-M assembler.

Must not know how long an interval is. Instructions as words: see thumb2_zscore. State layout: see the package's
docstring.

Loop registers: r1 next sample, r3 end, r4 sum, r5 least, r6 largest, r8:r7 sum of squares.
"""

import micropython


# As plain_summary.feed. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def feed(r0, r1):  # noqa: D103 - the assembler takes no docstring
    data(2, 0x6A02)  # ldr r2, [r0, #32]; START
    data(2, 0x6A43)  # ldr r3, [r0, #36]; STOP
    data(2, 0x6804)  # ldr r4, [r0, #0]
    data(2, 0x1A9D)  # subs r5, r3, r2
    data(2, 0x442C)  # add r4, r4, r5
    data(2, 0x6004)  # str r4, [r0, #0]; COUNT
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0xEB01, 0x0343)  # add r3, r1, r3, lsl #1; end
    data(2, 0xEB01, 0x0142)  # add r1, r1, r2, lsl #1; next sample
    data(2, 0x68C4)  # ldr r4, [r0, #12]; S0
    data(2, 0xEB04, 0x34C5)  # add r4, r4, r5, lsl #15; of u = x + 2^15: the offsets here, x in the loop
    data(2, 0x6845)  # ldr r5, [r0, #4]
    data(2, 0xF5A5, 0x4500)  # sub r5, r5, #0x8000; LOW as x
    data(2, 0x6886)  # ldr r6, [r0, #8]
    data(2, 0xF5A6, 0x4600)  # sub r6, r6, #0x8000; HIGH as x
    data(2, 0x6947)  # ldr r7, [r0, #20]; Q0
    data(2, 0xF8D0, 0x8018)  # ldr r8, [r0, #24]; Q1
    data(2, 0xF8D0, 0x901C)  # ldr r9, [r0, #28]; Q2
    data(2, 0xEA47, 0x37C8)  # orr r7, r7, r8, lsl #15
    data(2, 0xEA4F, 0x4858)  # lsr r8, r8, #17
    data(2, 0xEA48, 0x3849)  # orr r8, r8, r9, lsl #13; sum of squares = r8:r7
    movw(r2, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x4299)  # cmp r1, r3
    beq(done)
    label(loop)
    data(2, 0xF931, 0x2B02)  # ldrsh r2, [r1], #2
    data(2, 0x42AA)  # cmp r2, r5
    data(2, 0xBFB8)  # it lt
    data(2, 0x4615)  # movlt r5, r2
    data(2, 0x42B2)  # cmp r2, r6
    data(2, 0xBFC8)  # it gt
    data(2, 0x4616)  # movgt r6, r2
    data(2, 0x4414)  # add r4, r4, r2
    data(2, 0xFBC2, 0x7802)  # smlal r7, r8, r2, r2
    data(2, 0x4299)  # cmp r1, r3
    bne(loop)
    label(done)
    data(2, 0xF505, 0x4500)  # add r5, r5, #0x8000
    data(2, 0x6045)  # str r5, [r0, #4]
    data(2, 0xF506, 0x4600)  # add r6, r6, #0x8000
    data(2, 0x6086)  # str r6, [r0, #8]
    data(2, 0xF3C4, 0x021D)  # ubfx r2, r4, #0, #30
    data(2, 0x60C2)  # str r2, [r0, #12]
    data(2, 0x6902)  # ldr r2, [r0, #16]
    data(2, 0xEB02, 0x7294)  # add r2, r2, r4, lsr #30
    data(2, 0x6102)  # str r2, [r0, #16]; S1
    data(2, 0xF3C7, 0x020E)  # ubfx r2, r7, #0, #15
    data(2, 0x6142)  # str r2, [r0, #20]; Q0
    data(2, 0x0BFA)  # lsrs r2, r7, #15
    data(2, 0xEA42, 0x4248)  # orr r2, r2, r8, lsl #17
    data(2, 0xF3C2, 0x021D)  # ubfx r2, r2, #0, #30
    data(2, 0x6182)  # str r2, [r0, #24]; Q1
    data(2, 0xEA4F, 0x3258)  # lsr r2, r8, #13
    data(2, 0x61C2)  # str r2, [r0, #28]; Q2
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
    data(2, 0x2000)  # movs r0, #0; the result becomes an integer object: an address may need the heap


# As plain_summary.feed_wide. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def feed_wide(r0, r1):  # noqa: D103 - the assembler takes no docstring
    data(2, 0x6A02)  # ldr r2, [r0, #32]; START
    data(2, 0x6A43)  # ldr r3, [r0, #36]; STOP
    data(2, 0x6804)  # ldr r4, [r0, #0]
    data(2, 0x1A9D)  # subs r5, r3, r2
    data(2, 0x442C)  # add r4, r4, r5
    data(2, 0x6004)  # str r4, [r0, #0]; COUNT
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    data(2, 0xEB01, 0x0383)  # add r3, r1, r3, lsl #2; end
    data(2, 0xEB01, 0x0182)  # add r1, r1, r2, lsl #2; next sample
    data(2, 0x68C4)  # ldr r4, [r0, #12]; S0
    data(2, 0xF8D0, 0x9010)  # ldr r9, [r0, #16]; S1
    data(2, 0xEA44, 0x7489)  # orr r4, r4, r9, lsl #30
    data(2, 0xEA4F, 0x0999)  # lsr r9, r9, #2; sum of u = r9:r4
    data(2, 0x6845)  # ldr r5, [r0, #4]; LOW
    data(2, 0x6886)  # ldr r6, [r0, #8]; HIGH
    data(2, 0x2700)  # movs r7, #0
    data(2, 0xF04F, 0x0800)  # mov r8, #0; sum of squares of these samples = r8:r7, below 2^60
    movw(r2, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x4299)  # cmp r1, r3
    beq(done)
    label(loop)
    data(2, 0xF851, 0x2B04)  # ldr r2, [r1], #4
    data(2, 0xF502, 0x0200)  # add r2, r2, #0x800000
    data(2, 0xF022, 0x427F)  # bic r2, r2, #0xFF000000; u
    data(2, 0x42AA)  # cmp r2, r5
    data(2, 0xBF38)  # it lo
    data(2, 0x4615)  # movlo r5, r2
    data(2, 0x42B2)  # cmp r2, r6
    data(2, 0xBF88)  # it hi
    data(2, 0x4616)  # movhi r6, r2
    data(2, 0x18A4)  # adds r4, r4, r2
    data(2, 0xF149, 0x0900)  # adc r9, r9, #0
    data(2, 0xF5A2, 0x0200)  # sub r2, r2, #0x800000; x
    data(2, 0xFBC2, 0x7802)  # smlal r7, r8, r2, r2
    data(2, 0x4299)  # cmp r1, r3
    bne(loop)
    label(done)
    data(2, 0x6045)  # str r5, [r0, #4]
    data(2, 0x6086)  # str r6, [r0, #8]
    data(2, 0xF3C4, 0x021D)  # ubfx r2, r4, #0, #30
    data(2, 0x60C2)  # str r2, [r0, #12]; S0
    data(2, 0x0FA2)  # lsrs r2, r4, #30
    data(2, 0xEA42, 0x0289)  # orr r2, r2, r9, lsl #2
    data(2, 0x6102)  # str r2, [r0, #16]; S1
    data(2, 0x6942)  # ldr r2, [r0, #20]
    data(2, 0xF3C7, 0x0A0E)  # ubfx r10, r7, #0, #15
    data(2, 0x4452)  # add r2, r2, r10
    data(2, 0xF3C2, 0x0A0E)  # ubfx r10, r2, #0, #15
    data(2, 0xF8C0, 0xA014)  # str r10, [r0, #20]; Q0
    data(2, 0xEA4F, 0x3BD2)  # lsr r11, r2, #15
    data(2, 0xEA4F, 0x3AD7)  # lsr r10, r7, #15
    data(2, 0xEA4A, 0x4A48)  # orr r10, r10, r8, lsl #17
    data(2, 0xF3CA, 0x0A1D)  # ubfx r10, r10, #0, #30
    data(2, 0x44DA)  # add r10, r10, r11
    data(2, 0x6982)  # ldr r2, [r0, #24]
    data(2, 0x4492)  # add r10, r10, r2
    data(2, 0xF3CA, 0x021D)  # ubfx r2, r10, #0, #30
    data(2, 0x6182)  # str r2, [r0, #24]; Q1
    data(2, 0xEA4F, 0x7B9A)  # lsr r11, r10, #30
    data(2, 0xEB0B, 0x3B58)  # add r11, r11, r8, lsr #13
    data(2, 0x69C2)  # ldr r2, [r0, #28]
    data(2, 0x4493)  # add r11, r11, r2
    data(2, 0xF8C0, 0xB01C)  # str r11, [r0, #28]; Q2
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
    data(2, 0x2000)  # movs r0, #0; see feed
