// Files of the machine that runs the emulator, by semihosting: bulk data in a blink, where the UART takes 8 KB/s.
// Source: Arm semihosting specification (2.0), SYS_OPEN, SYS_SEEK, SYS_READ, SYS_CLOSE.

#include "kwboard.h"

#include "py/mperrno.h"
#include "py/runtime.h"

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_READ 0x06
#define SYS_SEEK 0x0A
#define MODE_RB 1
#define FAILED ((uintptr_t)-1)

int kw_host_read(const char *path, size_t path_len, uint32_t offset, uint8_t *to, size_t len) {
    uintptr_t open[] = {(uintptr_t)path, MODE_RB, path_len};
    uintptr_t file = kw_semihosting(SYS_OPEN, open);
    if (file == FAILED) {
        return -1;
    }
    uintptr_t left = len;
    uintptr_t seek[] = {file, offset};
    if (offset == 0 || kw_semihosting(SYS_SEEK, seek) == 0) {
        uintptr_t read[] = {file, (uintptr_t)to, len};
        left = kw_semihosting(SYS_READ, read); // returns the bytes that are missing
    }
    kw_semihosting(SYS_CLOSE, &file);
    return left == FAILED ? -1 : (int)(len - left);
}

void kw_random_bytes(uint8_t *to, size_t len) {
    static const char path[] = "/dev/urandom";
    // The machines have no generator of their own.
    if (kw_host_read(path, sizeof(path) - 1, 0, to, len) != (int)len) {
        mp_raise_OSError(MP_EIO);
    }
}

uint32_t kw_random_u32(void) {
    uint32_t value;
    kw_random_bytes((uint8_t *)&value, sizeof(value));
    return value;
}
