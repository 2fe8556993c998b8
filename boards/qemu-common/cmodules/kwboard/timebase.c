// Time since start, MicroPython's time hooks, and a Python callable called from the periodic interrupt.
//
// Time comes from a free-running counter, not from counting interrupts: an emulator that is held up merges interrupts.

#include "kwboard.h"

#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpstate.h"
#include "py/runtime.h"
#include "py/smallint.h"

#define IDLE_PERIOD_US 1000

static uint64_t last_ticks;

uint64_t kw_time_ticks(void) {
    uint32_t state = kw_irq_disable();
    last_ticks += (uint32_t)(kw_soc_counter() - (uint32_t)last_ticks);
    uint64_t ticks = last_ticks;
    kw_irq_restore(state);
    return ticks;
}

uint64_t kw_time_ns(void) {
    return kw_time_ticks() * (1000000000u / KW_COUNTER_HZ);
}

uint64_t mp_hal_time_ns(void) {
    return kw_time_ns(); // these boards have no calendar: since start, not since 1970
}

mp_uint_t mp_hal_ticks_ms(void) {
    return kw_time_ticks() / (KW_COUNTER_HZ / 1000);
}

mp_uint_t mp_hal_ticks_us(void) {
    return kw_time_ticks() / (KW_COUNTER_HZ / 1000000);
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return kw_soc_counter();
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = kw_time_ticks() + (uint64_t)us * (KW_COUNTER_HZ / 1000000);
    while (kw_time_ticks() < end) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = kw_time_ticks() + (uint64_t)ms * (KW_COUNTER_HZ / 1000);
    for (;;) {
        mp_handle_pending(true);
        uint64_t now = kw_time_ticks();
        if (now >= end) {
            return;
        }
        if (end - now >= 2 * (KW_COUNTER_HZ / 1000)) {
            kw_wait_interrupt();
        }
    }
}

void kw_time_from_irq(void) {
    kw_time_ticks(); // carries the counter's wrap into the upper half
    kw_rx_from_tick();
    mp_obj_t hook = MP_STATE_VM(kw_tick_hook);
    if (hook == MP_OBJ_NULL || hook == mp_const_none) {
        return;
    }
    mp_sched_lock();
    gc_lock();
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_call_function_1(hook, MP_OBJ_NEW_SMALL_INT(mp_hal_ticks_us() & (MICROPY_PY_TIME_TICKS_PERIOD - 1)));
        nlr_pop();
    } else {
        // Called again it would fail again, a thousand times a second.
        MP_STATE_VM(kw_tick_hook) = mp_const_none;
        mp_printf(&mp_plat_print, "tick hook removed, it raised:\n");
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    gc_unlock();
    mp_sched_unlock();
}

void kw_time_set_hook(mp_obj_t callback, uint32_t period_us) {
    MP_STATE_VM(kw_tick_hook) = mp_const_none;
    if (callback == mp_const_none) {
        period_us = IDLE_PERIOD_US;
    }
    if (!kw_soc_set_period_us(period_us)) {
        mp_raise_ValueError(MP_ERROR_TEXT("period out of range"));
    }
    MP_STATE_VM(kw_tick_hook) = callback;
}

MP_REGISTER_ROOT_POINTER(mp_obj_t kw_tick_hook);
