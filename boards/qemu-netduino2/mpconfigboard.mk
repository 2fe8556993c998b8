# STM32F205: 128 KiB of RAM, 1 MiB of flash, of which the upper 384 KiB are for a read-only file system.
QEMU_MACHINE = netduino2
CFLAGS += -DQEMU_SOC_STM32 -DMICROPY_HW_MCU_NAME='"STM32F205"'
CFLAGS += -DKW_ROMFS_ADDRESS=0x080A0000 -DKW_ROMFS_BYTES=0x60000
KW_CPU = cortex-m3
MPY_CROSS_FLAGS += -march=armv7m
LDSCRIPT = $(BOARD_DIR)/board.ld
MICROPY_HEAP_SIZE = 98304
KW_UART = stm32
KW_COUNTER_HZ = 1000000000
KW_STACK_BYTES = 10240
KW_CONSOLE_RING = 256
KW_LINK_RING = 1024

include $(BOARD_DIR)/../qemu-common/cortex-m.mk
include $(BOARD_DIR)/../qemu-common/common.mk
