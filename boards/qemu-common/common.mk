# What the emulated boards' firmwares have in common; included by each board's mpconfigboard.mk.
KW_COMMON := $(abspath $(BOARD_DIR)/../qemu-common)

FROZEN_MANIFEST ?= $(KW_COMMON)/manifest.py
USER_C_MODULES ?= $(KW_COMMON)/cmodules
MICROPY_VFS_LFS2 = 1

CFLAGS += -DMP_CONFIGFILE='"kittiwake_config.h"' -I$(KW_COMMON)/port -I$(KW_COMMON)/cmodules/kwboard
CFLAGS += -DKW_COUNTER_HZ=$(KW_COUNTER_HZ) -DKW_STACK_BYTES=$(KW_STACK_BYTES)
CFLAGS += -DKW_CONSOLE_RING=$(KW_CONSOLE_RING) -DKW_LINK_RING=$(KW_LINK_RING)
