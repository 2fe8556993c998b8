// What `machine` does on Kittiwake's emulated boards; included by MicroPython's extmod/modmachine.c.
//
// The QEMU port's own file makes reset() leave the emulator; a board that resets must come back, as real ones do.

#include "kwboard.h"

static void mp_machine_idle(void) {
    kw_wait_interrupt();
}

NORETURN static void mp_machine_reset(void) {
    kw_soc_reset();
}

static mp_int_t mp_machine_reset_cause(void) {
    return 0; // these machines do not record one
}
