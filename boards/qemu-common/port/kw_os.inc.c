// os.urandom for Kittiwake's emulated boards; included by MicroPython's extmod/modos.c.

#include "kwboard.h"

static mp_obj_t mp_os_urandom(mp_obj_t n_in) {
    vstr_t vstr;
    vstr_init_len(&vstr, mp_obj_get_int(n_in));
    kw_random_bytes((uint8_t *)vstr.buf, vstr.len);
    return mp_obj_new_bytes_from_vstr(&vstr);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
