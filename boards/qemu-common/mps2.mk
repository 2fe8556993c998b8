# Arm MPS2: 4 MiB of SSRAM for code, data and heap, 16 MiB of PSRAM that outlives a reset.
CFLAGS += -DQEMU_SOC_MPS2
LDSCRIPT = $(abspath $(BOARD_DIR)/../qemu-common/ld/mps2.ld)
MICROPY_HEAP_SIZE = 262144
KW_UART = cmsdk
KW_COUNTER_HZ = 25000000
KW_STACK_BYTES = 32768
KW_CONSOLE_RING = 1024
KW_LINK_RING = 4096
