// The module kwboard: what an emulated board has that MicroPython's QEMU port does not offer.
//
// Link()                      the second UART as a stream that never blocks (link.c)
// tick(callback, period_us)   call callback(ticks_us) from the timer's interrupt, heap locked; tick(None) ends it
// instructions()              instructions since start, 64 bits
// count(f, *args)             instructions of one call f(*args), the same figure every time
// ticks_ms() ticks_us()       as in `time`
// stdin_ready()               bytes waiting on the console
// storage()                   (address, bytes) of the memory that outlives a reset
// romfs()                     (address, bytes) where the host puts a read-only file system; None where there is none
// host_read(path, buf, offset) read a file of the machine that runs the emulator; returns the number of bytes
// FEED                        the byte after which the console reads that machine's file console.in before its UART
// cpuid()                     the Cortex-M's CPUID register; 0 on other cores
// stats()                     (console bytes dropped,)

#include "kwboard.h"

#include "extmod/modtime.h"
#include "py/mperrno.h"
#include "py/runtime.h"

static mp_obj_t kwboard_tick(size_t n_args, const mp_obj_t *args) {
    mp_int_t period_us = n_args > 1 ? mp_obj_get_int(args[1]) : 1000;
    if (args[0] != mp_const_none && !mp_obj_is_callable(args[0])) {
        mp_raise_TypeError(MP_ERROR_TEXT("callable or None"));
    }
    kw_time_set_hook(args[0], period_us < 0 ? 0 : period_us);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kwboard_tick_obj, 1, 2, kwboard_tick);

static mp_obj_t kwboard_instructions(void) {
    return mp_obj_new_int_from_ull(kw_soc_instructions());
}
static MP_DEFINE_CONST_FUN_OBJ_0(kwboard_instructions_obj, kwboard_instructions);

static mp_obj_t kwboard_count(size_t n_args, const mp_obj_t *args) {
    uint64_t count;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        kw_soc_count_begin();
        mp_call_function_n_kw(args[0], n_args - 1, 0, args + 1);
        count = kw_soc_count_end();
        nlr_pop();
    } else {
        kw_soc_count_end(); // the timer's interrupt has to come back
        nlr_jump(nlr.ret_val);
    }
    return mp_obj_new_int_from_ull(count);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(kwboard_count_obj, 1, kwboard_count);

static mp_obj_t kwboard_stdin_ready(void) {
    return MP_OBJ_NEW_SMALL_INT(kw_console_available());
}
static MP_DEFINE_CONST_FUN_OBJ_0(kwboard_stdin_ready_obj, kwboard_stdin_ready);

static mp_obj_t region(uintptr_t address, size_t bytes) {
    mp_obj_t pair[] = {mp_obj_new_int_from_uint(address), MP_OBJ_NEW_SMALL_INT(bytes)};
    return mp_obj_new_tuple(2, pair);
}

extern uint8_t _storage_start, _storage_end;

static mp_obj_t kwboard_storage(void) {
    return region((uintptr_t)&_storage_start, &_storage_end - &_storage_start);
}
static MP_DEFINE_CONST_FUN_OBJ_0(kwboard_storage_obj, kwboard_storage);

static mp_obj_t kwboard_romfs(void) {
    #ifdef KW_ROMFS_BYTES
    return region(KW_ROMFS_ADDRESS, KW_ROMFS_BYTES);
    #else
    return mp_const_none;
    #endif
}
static MP_DEFINE_CONST_FUN_OBJ_0(kwboard_romfs_obj, kwboard_romfs);

static mp_obj_t kwboard_host_read(size_t n_args, const mp_obj_t *args) {
    size_t path_len;
    const char *path = mp_obj_str_get_data(args[0], &path_len);
    mp_buffer_info_t to;
    mp_get_buffer_raise(args[1], &to, MP_BUFFER_WRITE);
    int n = kw_host_read(path, path_len, n_args > 2 ? mp_obj_get_int(args[2]) : 0, to.buf, to.len);
    if (n < 0) {
        mp_raise_OSError(MP_ENOENT);
    }
    return MP_OBJ_NEW_SMALL_INT(n);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(kwboard_host_read_obj, 2, 3, kwboard_host_read);

static mp_obj_t kwboard_cpuid(void) {
    #if defined(__arm__)
    return mp_obj_new_int_from_uint(*(volatile uint32_t *)0xE000ED00);
    #else
    return MP_OBJ_NEW_SMALL_INT(0);
    #endif
}
static MP_DEFINE_CONST_FUN_OBJ_0(kwboard_cpuid_obj, kwboard_cpuid);

static mp_obj_t kwboard_stats(void) {
    mp_obj_t items[] = {mp_obj_new_int_from_uint(kw_rx_dropped())};
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(kwboard_stats_obj, kwboard_stats);

extern const mp_obj_type_t kw_link_type;

static const mp_rom_map_elem_t kwboard_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_kwboard)},
    {MP_ROM_QSTR(MP_QSTR_Link), MP_ROM_PTR(&kw_link_type)},
    {MP_ROM_QSTR(MP_QSTR_tick), MP_ROM_PTR(&kwboard_tick_obj)},
    {MP_ROM_QSTR(MP_QSTR_instructions), MP_ROM_PTR(&kwboard_instructions_obj)},
    {MP_ROM_QSTR(MP_QSTR_count), MP_ROM_PTR(&kwboard_count_obj)},
    {MP_ROM_QSTR(MP_QSTR_ticks_ms), MP_ROM_PTR(&mp_time_ticks_ms_obj)},
    {MP_ROM_QSTR(MP_QSTR_ticks_us), MP_ROM_PTR(&mp_time_ticks_us_obj)},
    {MP_ROM_QSTR(MP_QSTR_stdin_ready), MP_ROM_PTR(&kwboard_stdin_ready_obj)},
    {MP_ROM_QSTR(MP_QSTR_storage), MP_ROM_PTR(&kwboard_storage_obj)},
    {MP_ROM_QSTR(MP_QSTR_romfs), MP_ROM_PTR(&kwboard_romfs_obj)},
    {MP_ROM_QSTR(MP_QSTR_host_read), MP_ROM_PTR(&kwboard_host_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_FEED), MP_ROM_INT(KW_FEED)},
    {MP_ROM_QSTR(MP_QSTR_cpuid), MP_ROM_PTR(&kwboard_cpuid_obj)},
    {MP_ROM_QSTR(MP_QSTR_stats), MP_ROM_PTR(&kwboard_stats_obj)},
};
static MP_DEFINE_CONST_DICT(kwboard_globals, kwboard_globals_table);

const mp_obj_module_t kwboard_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&kwboard_globals,
};
MP_REGISTER_MODULE(MP_QSTR_kwboard, kwboard_module);
