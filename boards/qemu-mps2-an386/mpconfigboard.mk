# Cortex-M4 (DSP instructions, no floating point) on Arm's MPS2.
QEMU_MACHINE = mps2-an386
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M4"'
KW_CPU = cortex-m4
MPY_CROSS_FLAGS += -march=armv7em

include $(BOARD_DIR)/../qemu-common/cortex-m.mk
include $(BOARD_DIR)/../qemu-common/mps2.mk
include $(BOARD_DIR)/../qemu-common/common.mk
