// Start and soft reset, as MicroPython's ports for real boards do it: _boot.py (frozen), boot.py, main.py, the prompt.
//
// Replaces the QEMU port's main() at link time (-Wl,--wrap=main), which goes straight to the prompt.

#include "kwboard.h"

#include <string.h>

#include "py/builtin.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stackctrl.h"
#include "shared/runtime/pyexec.h"

static uint32_t heap[MICROPY_HEAP_SIZE / sizeof(uint32_t)];

// Whether main.py is to run: not when the first letter of the strap file is 'h' (hold).
//
// The strap is what a boot pin is on a real board: a file of the host that the emulator's command line names
// ("kittiwake STRAP"), read at every start. Without one, main.py runs.
static bool main_is_wanted(void) {
    static const char name[] = "kittiwake ";
    char line[256];
    uint8_t letter;
    uintptr_t arguments[] = {(uintptr_t)line, sizeof(line)};
    if (kw_semihosting(KW_SYS_GET_CMDLINE, arguments) != 0 || strncmp(line, name, sizeof(name) - 1) != 0) {
        return true;
    }
    const char *strap = line + sizeof(name) - 1;
    return kw_host_read(strap, strlen(strap), 0, &letter, 1) != 1 || letter != 'h';
}

// Run main.py of the flash, or that of the read-only files when the flash has none. Returns as pyexec_file does.
static int run_main(void) {
    const char *path = mp_import_stat("main.py") == MP_IMPORT_STAT_FILE ? "main.py" : "/rom/main.py";
    return pyexec_file_if_exists(path);
}

// Run boot files, then the prompt, until a soft reset is asked for.
static void run_until_soft_reset(void) {
    pyexec_frozen_module("_boot.py", false);
    if (pyexec_file_if_exists("boot.py") & PYEXEC_FORCED_EXIT) {
        return;
    }
    // mpremote's soft reset comes from the raw prompt, and expects main.py not to run.
    if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && main_is_wanted() && (run_main() & PYEXEC_FORCED_EXIT)) {
        return;
    }
    for (;;) {
        int exit = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        if (exit != 0) {
            return;
        }
    }
}

int __wrap_main(void) {
    kw_soc_init();
    kw_uart_init();
    kw_soc_enable_uart_irqs();
    // The port's start code lets bytes in before it lets them interrupt: one that came then would wait for ever, and
    // keep all others out.
    for (int uart = 0; uart < KW_UARTS; uart++) {
        if (kw_uart_present(uart)) {
            uint32_t state = kw_irq_disable();
            kw_rx_from_irq(uart);
            kw_irq_restore(state);
        }
    }
    mp_stack_ctrl_init();
    mp_stack_set_limit(KW_STACK_BYTES);
    gc_init(heap, heap + MP_ARRAY_SIZE(heap));
    for (;;) {
        mp_init();
        kw_time_set_hook(mp_const_none, 0);
        run_until_soft_reset();
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        kw_time_set_hook(mp_const_none, 0); // the callable lives on the heap that goes now
        gc_sweep_all();
        mp_deinit();
    }
}
