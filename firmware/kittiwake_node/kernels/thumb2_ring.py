"""Keep the newest samples, and count crossings of a level, in ARMv7-M machine code.

Generated from firmware/assembler/thumb2/ring.S by `make kernels`: change that, not this.
SHA-256 of the source with what it includes, and of this module without its own:

Source: 38be78ec9a13ba2136690d643b5183fcbc792a063ea5cc85ad4b80c7d987539b
Module: 496c8ca02baf5d199be58934325c87d9962bd69fcdbb7afc1f1d86f37b1ede8c
"""

import micropython


# As plain_ring.keep. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def keep(r0, r1, r2):  # noqa: D103 - the assembler takes no docstring
    data(2, 0x6803, 0x6844, 0x6885, 0x68C6, 0xEB01, 0x0343, 0xEB01, 0x0444, 0xEB02, 0x0545, 0xEB02, 0x0646)
    movw(r7, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x42B5, 0xD008, 0xF835, 0x2B02, 0xF824, 0x2B02, 0x429C, 0xBF08, 0x460C, 0x42B5, 0xD1F6, 0x1A64)
    data(2, 0x0864, 0x6044, 0x2000)


# As plain_ring.cross. Does not allocate; may run in an interrupt that does not share the state.
@micropython.asm_thumb
def cross(r0, r1):  # noqa: D103 - the assembler takes no docstring
    data(2, 0x6802, 0xF5A2, 0x4200, 0x6843, 0x6884, 0x68C5, 0x6906, 0xEB01, 0x0444, 0xEB01, 0x0545)
    movw(r7, 0)  # an ARMv7-M mnemonic, so that the assembler refuses an ARMv6-M here
    data(2, 0x42AC, 0xD00B, 0xF934, 0x1B02, 0x4291, 0xBFAC, 0x2101, 0x2100, 0xEA81, 0x0703, 0x443E, 0x460B)
    data(2, 0x42AC, 0xD1F3, 0x6043, 0x6106, 0x2000)
