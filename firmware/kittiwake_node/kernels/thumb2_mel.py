"""The audio front end's filters in ARMv7-M assembler, by 64-bit products. Meaning and arguments: see plain_mel.

Must not be loaded on an ARMv6-M, and is refused there. Instructions as words: see thumb2_zscore.

Registers: r10 next energy, r9 next width, r8 next weight, r5:r4 and r7:r6 what the falling and the rising halves
gather; of a root: r5:r4 the bits left, r0 the rest, r12 the root, r14 bits to go.
"""

import micropython


# As plain_mel.channels. Does not allocate.
@micropython.asm_thumb
def channels(r0, r1, r2, r3):  # noqa: D103 - the assembler takes no docstring
    data(2, 0xE92D, 0x0F00)  # push {r8-r11}
    movw(r6, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x2700)  # movs r7, #0
    data(2, 0x780C)  # ldrb r4, [r1, #0]
    data(2, 0xEB00, 0x0A84)  # add r10, r0, r4, lsl #2
    data(2, 0xF101, 0x0901)  # add r9, r1, #1
    data(2, 0x312A)  # adds r1, #42
    data(2, 0x4688)  # mov r8, r1
    data(2, 0x4693)  # mov r11, r2
    data(2, 0x3A04)  # subs r2, r2, #4
    label(channel)
    data(2, 0x4634)  # mov r4, r6
    data(2, 0x463D)  # mov r5, r7
    data(2, 0x2600)  # movs r6, #0
    data(2, 0x2700)  # movs r7, #0
    data(2, 0xF819, 0x0B01)  # ldrb r0, [r9], #1
    label(bin)
    data(2, 0xF85A, 0xCB04)  # ldr r12, [r10], #4
    data(2, 0xF838, 0xEB02)  # ldrh r14, [r8], #2
    data(2, 0xFBEC, 0x450E)  # umlal r4, r5, r12, r14
    data(2, 0xF5CE, 0x5E80)  # rsb r14, r14, #4096
    data(2, 0xFBEC, 0x670E)  # umlal r6, r7, r12, r14
    data(2, 0x3801)  # subs r0, r0, #1
    bne(bin)
    # 46 bits to the top of 64, then two at a time.
    data(2, 0x04AD)  # lsls r5, r5, #18
    data(2, 0xEA45, 0x3594)  # orr r5, r5, r4, lsr #14
    data(2, 0x04A4)  # lsls r4, r4, #18
    data(2, 0x2000)  # movs r0, #0
    data(2, 0xF04F, 0x0C00)  # mov r12, #0
    data(2, 0xF04F, 0x0E17)  # mov r14, #23
    label(bits)
    data(2, 0x0080)  # lsls r0, r0, #2
    data(2, 0xEA40, 0x7095)  # orr r0, r0, r5, lsr #30
    data(2, 0x00AD)  # lsls r5, r5, #2
    data(2, 0xEA45, 0x7594)  # orr r5, r5, r4, lsr #30
    data(2, 0x00A4)  # lsls r4, r4, #2
    data(2, 0xEA4F, 0x0C4C)  # lsl r12, r12, #1
    data(2, 0xEBB0, 0x0F4C)  # cmp r0, r12, lsl #1
    data(2, 0xBF82)  # ittt hi
    data(2, 0xEBA0, 0x004C)  # subhi r0, r0, r12, lsl #1
    data(2, 0x3801)  # subhi r0, r0, #1
    data(2, 0xF10C, 0x0C01)  # addhi r12, r12, #1
    data(2, 0xF1BE, 0x0E01)  # subs r14, r14, #1
    bne(bits)
    data(2, 0xF64F, 0x7EFF)  # movw r14, #65535
    data(2, 0x45F4)  # cmp r12, r14; below 2^32 it is not rounded up
    data(2, 0xBF08)  # it eq
    data(2, 0x2000)  # moveq r0, #0
    data(2, 0x4560)  # cmp r0, r12
    data(2, 0xBF88)  # it hi
    data(2, 0xF10C, 0x0C01)  # addhi r12, r12, #1
    data(2, 0xFA2C, 0xFC03)  # lsr r12, r12, r3
    data(2, 0x455A)  # cmp r2, r11
    data(2, 0xBF28)  # it cs
    data(2, 0xF8C2, 0xC000)  # strcs r12, [r2, #0]; the first half is no channel's
    data(2, 0x3204)  # adds r2, r2, #4
    data(2, 0x4589)  # cmp r9, r1
    bcc(channel)
    data(2, 0xE8BD, 0x0F00)  # pop {r8-r11}
    data(2, 0x2000)  # movs r0, #0; the result becomes an integer object: an address may need the heap
