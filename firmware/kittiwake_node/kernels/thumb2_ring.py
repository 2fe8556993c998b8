"""Keep the newest samples, and count crossings of a level, in ARMv7-M assembler.

Must not know what the samples are kept for. Instructions as words: see thumb2_zscore. State layout: see the package's
docstring.
"""

import micropython


# As plain_ring.keep. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def keep(r0, r1, r2):  # noqa: D103 - the assembler takes no docstring
    data(2, 0x6803)  # ldr r3, [r0, #0]; LEN
    data(2, 0x6844)  # ldr r4, [r0, #4]; POS
    data(2, 0x6885)  # ldr r5, [r0, #8]; START
    data(2, 0x68C6)  # ldr r6, [r0, #12]; STOP
    data(2, 0xEB01, 0x0343)  # add r3, r1, r3, lsl #1; end of the ring
    data(2, 0xEB01, 0x0444)  # add r4, r1, r4, lsl #1; next slot
    data(2, 0xEB02, 0x0545)  # add r5, r2, r5, lsl #1; next sample
    data(2, 0xEB02, 0x0646)  # add r6, r2, r6, lsl #1; end
    movw(r7, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x42B5)  # cmp r5, r6
    beq(done)
    label(loop)
    data(2, 0xF835, 0x2B02)  # ldrh r2, [r5], #2
    data(2, 0xF824, 0x2B02)  # strh r2, [r4], #2
    data(2, 0x429C)  # cmp r4, r3
    data(2, 0xBF08)  # it eq
    data(2, 0x460C)  # moveq r4, r1
    data(2, 0x42B5)  # cmp r5, r6
    bne(loop)
    label(done)
    data(2, 0x1A64)  # subs r4, r4, r1
    data(2, 0x0864)  # lsrs r4, r4, #1
    data(2, 0x6044)  # str r4, [r0, #4]
    data(2, 0x2000)  # movs r0, #0; the result becomes an integer object: an address may need the heap


# As plain_ring.cross. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def cross(r0, r1):  # noqa: D103 - the assembler takes no docstring
    data(2, 0x6802)  # ldr r2, [r0, #0]; LEVEL
    data(2, 0xF5A2, 0x4200)  # sub r2, r2, #0x8000; as x
    data(2, 0x6843)  # ldr r3, [r0, #4]; SIDE
    data(2, 0x6884)  # ldr r4, [r0, #8]; START
    data(2, 0x68C5)  # ldr r5, [r0, #12]; STOP
    data(2, 0x6906)  # ldr r6, [r0, #16]; COUNT
    data(2, 0xEB01, 0x0444)  # add r4, r1, r4, lsl #1
    data(2, 0xEB01, 0x0545)  # add r5, r1, r5, lsl #1
    movw(r7, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x42AC)  # cmp r4, r5
    beq(done)
    label(loop)
    data(2, 0xF934, 0x1B02)  # ldrsh r1, [r4], #2
    data(2, 0x4291)  # cmp r1, r2
    data(2, 0xBFAC)  # ite ge
    data(2, 0x2101)  # movge r1, #1
    data(2, 0x2100)  # movlt r1, #0
    data(2, 0xEA81, 0x0703)  # eor r7, r1, r3
    data(2, 0x443E)  # add r6, r6, r7
    data(2, 0x460B)  # mov r3, r1
    data(2, 0x42AC)  # cmp r4, r5
    bne(loop)
    label(done)
    data(2, 0x6043)  # str r3, [r0, #4]
    data(2, 0x6106)  # str r6, [r0, #16]
    data(2, 0x2000)  # movs r0, #0; the result becomes an integer object: an address may need the heap
