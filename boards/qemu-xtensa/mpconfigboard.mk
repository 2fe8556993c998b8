# Xtensa LX6 with windowed registers, the ESP32's instruction set, on QEMU's virt.
#
# XTENSA_PLUGIN is the core's tables for Debian's assembler, XTENSA_TREE what of QEMU's source they and SoftFloat are
# from: tools/micropython makes both.
QEMU_ARCH = xtensa
QEMU_MACHINE = virt
CROSS_COMPILE = xtensa-lx106-elf-
export XTENSA_GNU_CONFIG = $(XTENSA_PLUGIN)
CFLAGS += -DQEMU_SOC_XTENSA -DMICROPY_HW_MCU_NAME='"Xtensa LX6"'
# Stands for flash that is read in place: RAM behind the stack.
CFLAGS += -DKW_ROMFS_ADDRESS=0x60800000 -DKW_ROMFS_BYTES=0x100000
CFLAGS += -mabi=windowed -mtext-section-literals
# As MicroPython's port for the ESP32 has them.
CFLAGS += -DMICROPY_EMIT_XTENSAWIN=1 -DMICROPY_NLR_SETJMP=1
MPY_CROSS_FLAGS += -march=xtensawin
# The compiler's libraries are made for its own core and its other calling convention: none of them may get in.
LDFLAGS += -mabi=windowed -nostdlib -nostartfiles
LIBS =
LDSCRIPT = $(BOARD_DIR)/board.ld
MICROPY_HEAP_SIZE = 196608
KW_SOC = xtensa
KW_UART = 16550
KW_COUNTER_HZ = 40000000
KW_STACK_BYTES = 32768
KW_CONSOLE_RING = 1024
KW_LINK_RING = 4096

include $(BOARD_DIR)/libgcc/libgcc.mk

OBJ += $(addprefix $(BUILD)/core/, start.o window.o exception.o frames.o)
$(BUILD)/core/%.o: $(BOARD_DIR)/core/%.S
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) -mabi=windowed -mtext-section-literals -c -o $@ $<

include $(BOARD_DIR)/../qemu-common/common.mk
