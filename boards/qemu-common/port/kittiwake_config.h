// MicroPython's configuration for Kittiwake's emulated boards: the QEMU port's own, then what it leaves out.
//
// The port sets several options to 0 without #ifndef, so -D cannot change them; this file is given as MP_CONFIGFILE,
// includes the port's file first and redefines them, which leaves MicroPython's tree as it came.

#include "mpconfigport.h"

#include <stddef.h>

#undef MICROPY_PY_TIME
#undef MICROPY_PY_SELECT
#undef MICROPY_PY_SYS_STDIO_BUFFER
#undef MICROPY_PY_MACHINE_INCLUDEFILE

// What every real board of the project's kind has, so that io/ needs no special case for emulated ones.
#define MICROPY_PY_TIME                         (1)
#define MICROPY_PY_SELECT                       (1)
#define MICROPY_PY_SYS_STDIO_BUFFER             (1)
#define MICROPY_PY_OS_URANDOM                   (1)
#define MICROPY_PY_OS_INCLUDEFILE               "kw_os.inc.c"
#define MICROPY_PY_MACHINE_INCLUDEFILE          "kw_machine.inc.c"
#define MICROPY_PY_MACHINE_MEMX                 (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC        (kw_random_u32())
#define MICROPY_REPL_INFO                       (0)
#define MICROPY_PY_MICROPYTHON_STACK_USE        (1)
#define MICROPY_ENABLE_SCHEDULER                (1)
#define MICROPY_KBD_EXCEPTION                   (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE    (256)

// The scheduler's queue and the garbage collector's locks are shared with interrupts.
#define MICROPY_BEGIN_ATOMIC_SECTION()          kw_irq_disable()
#define MICROPY_END_ATOMIC_SECTION(state)       kw_irq_restore(state)

// An idle board must not keep a core of the host busy: sleep until the next interrupt, a millisecond at most.
#define MICROPY_INTERNAL_WFE(timeout_ms)        kw_wait_interrupt()

uint32_t kw_irq_disable(void);
void kw_irq_restore(uint32_t state);
void kw_wait_interrupt(void);
uint32_t kw_random_u32(void);
