# Cortex-M4 (DSP instructions, no floating point) on Arm's MPS2.
QEMU_MACHINE = mps2-an386
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M4"'
# Stands for flash that is read in place: the second SSRAM, which nothing else uses.
CFLAGS += -DKW_ROMFS_ADDRESS=0x20000000 -DKW_ROMFS_BYTES=0x100000
KW_CPU = cortex-m4
MPY_CROSS_FLAGS += -march=armv7em

include $(BOARD_DIR)/../qemu-common/cortex-m.mk
include $(BOARD_DIR)/../qemu-common/mps2.mk
include $(BOARD_DIR)/../qemu-common/common.mk
