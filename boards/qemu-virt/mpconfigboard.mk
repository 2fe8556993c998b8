# RV32IMAC, the ESP32-C3's instruction set, on QEMU's virt.
QEMU_ARCH = riscv32
QEMU_MACHINE = virt
CFLAGS += -DQEMU_SOC_VIRT -DMICROPY_HW_MCU_NAME='"RV32IMAC"'
# Stands for flash that is read in place: RAM behind the stack.
CFLAGS += -DKW_ROMFS_ADDRESS=0x80800000 -DKW_ROMFS_BYTES=0x100000
# Without the older naming of extensions, Debian's multilib falls back to 64 bits and the link fails.
RV32_ARCH = rv32imac
AFLAGS += -misa-spec=2.2
MPY_CROSS_FLAGS += -march=rv32imc
LDSCRIPT = $(BOARD_DIR)/board.ld
SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_rv32i.o
MICROPY_HEAP_SIZE = 196608
KW_SOC = rv32
KW_UART = 16550
KW_COUNTER_HZ = 10000000
KW_STACK_BYTES = 32768
KW_CONSOLE_RING = 1024
KW_LINK_RING = 4096

include $(BOARD_DIR)/../qemu-common/common.mk
