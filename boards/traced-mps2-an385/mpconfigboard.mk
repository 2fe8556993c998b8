# qemu-mps2-an385 once more, with an interpreter that can tell each line that it runs. It is slower.
QEMU_MACHINE = mps2-an385
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M3"'
CFLAGS += -DKW_ROMFS_ADDRESS=0x20000000 -DKW_ROMFS_BYTES=0x100000
CFLAGS += -DMICROPY_PY_SYS_SETTRACE=1
KW_CPU = cortex-m3
MPY_CROSS_FLAGS += -march=armv7m

include $(BOARD_DIR)/../qemu-common/cortex-m.mk
include $(BOARD_DIR)/../qemu-common/mps2.mk
include $(BOARD_DIR)/../qemu-common/common.mk
