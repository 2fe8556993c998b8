// kwboard.Link: the second UART as a stream that never blocks.
//
// There is one object, outside the heap; its ring (rx.c) outlives soft resets. read and readinto give what is there,
// or None; write takes what fits into the UART now and tells how much, or None. select.poll works on it.

#include "kwboard.h"

#include "py/runtime.h"
#include "py/stream.h"

static mp_uint_t link_read(mp_obj_t self, void *to, mp_uint_t len, int *error) {
    (void)self;
    size_t n = kw_rx_read(KW_LINK, to, len);
    if (n == 0 && len != 0) {
        *error = MP_EAGAIN;
        return MP_STREAM_ERROR;
    }
    return n;
}

static mp_uint_t link_write(mp_obj_t self, const void *from, mp_uint_t len, int *error) {
    (void)self;
    const uint8_t *bytes = from;
    mp_uint_t n = 0;
    while (n < len && kw_uart_give(KW_LINK, bytes[n])) {
        n++;
    }
    if (n == 0 && len != 0) {
        *error = MP_EAGAIN;
        return MP_STREAM_ERROR;
    }
    return n;
}

static mp_uint_t link_ioctl(mp_obj_t self, mp_uint_t request, uintptr_t arg, int *error) {
    (void)self;
    if (request == MP_STREAM_POLL) {
        uintptr_t ready = arg & MP_STREAM_POLL_WR;
        if ((arg & MP_STREAM_POLL_RD) && kw_rx_available(KW_LINK)) {
            ready |= MP_STREAM_POLL_RD;
        }
        return ready;
    }
    if (request == MP_STREAM_CLOSE || request == MP_STREAM_FLUSH) {
        return 0;
    }
    *error = MP_EINVAL;
    return MP_STREAM_ERROR;
}

static mp_obj_t link_any(mp_obj_t self) {
    (void)self;
    return MP_OBJ_NEW_SMALL_INT(kw_rx_available(KW_LINK));
}
static MP_DEFINE_CONST_FUN_OBJ_1(link_any_obj, link_any);

static mp_obj_t link_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    (void)args;
    if (!kw_uart_present(KW_LINK)) {
        mp_raise_OSError(MP_ENODEV);
    }
    return MP_OBJ_FROM_PTR(&kw_link_obj);
}

static const mp_rom_map_elem_t link_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_any), MP_ROM_PTR(&link_any_obj)},
    {MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read1_obj)},
    {MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj)},
    {MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mp_stream_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_stream_close_obj)},
};
static MP_DEFINE_CONST_DICT(link_locals, link_locals_table);

static const mp_stream_p_t link_stream = {
    .read = link_read,
    .write = link_write,
    .ioctl = link_ioctl,
};

MP_DEFINE_CONST_OBJ_TYPE(
    kw_link_type,
    MP_QSTR_Link,
    MP_TYPE_FLAG_NONE,
    make_new, link_make_new,
    protocol, &link_stream,
    locals_dict, &link_locals
    );

const mp_obj_base_t kw_link_obj = {&kw_link_type};
