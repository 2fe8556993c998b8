# kwboard: MicroPython user C module of Kittiwake's emulated boards. KW_SOC and KW_UART come from the board.
KWBOARD_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(addprefix $(KWBOARD_DIR)/, \
	kwboard.c boot.c console.c link.c host.c rx.c timebase.c uart_$(KW_UART).c)

# soc_ARM.c and what else one machine needs.
SRC_USERMOD_C += $(wildcard $(KWBOARD_DIR)/*_$(KW_SOC).c)

CFLAGS_USERMOD += -I$(KWBOARD_DIR)

# What these replace in the QEMU port, without touching its tree.
LDFLAGS_USERMOD += -Wl,--wrap=main,--wrap=mp_hal_stdin_rx_chr,--wrap=mp_hal_stdio_poll,--wrap=uart_tx_strn
