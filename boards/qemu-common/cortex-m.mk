# The Cortex-M machines. KW_CPU is the core's name as the compiler knows it.
QEMU_ARCH = arm
CFLAGS += -mthumb -mcpu=$(KW_CPU) -mfloat-abi=soft
SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb2.o
KW_SOC = arm
