// The host's files and the emulator's command line by SIMCALL, Xtensa's simulator call, behind the Arm requests that
// host.c and boot.c make.
//
// Source: Xtensa ISA reference manual (SIMCALL); QEMU, Xtensa semihosting; Arm semihosting specification (2.0).

#include "kwboard.h"

#include <stdlib.h>
#include <string.h>

#define SIM_EXIT 1
#define SIM_READ 3
#define SIM_OPEN 5
#define SIM_CLOSE 6
#define SIM_SEEK 19
#define SIM_ARGUMENTS 1000
#define SIM_ARGUMENTS_SIZE 1001
#define SIM_ARGUMENTS_COPY 1002
#define READ_ONLY 0
#define FROM_START 0

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_READ 0x06
#define SYS_SEEK 0x0A
#define FAILED ((uintptr_t)-1)

#define PATH_MAX_BYTES 256
#define COMMAND_LINE_WORDS 128

static int simcall(int operation, uintptr_t first, uintptr_t second, uintptr_t third) {
    register int a2 __asm__ ("a2") = operation;
    register uintptr_t a3 __asm__ ("a3") = first;
    register uintptr_t a4 __asm__ ("a4") = second;
    register uintptr_t a5 __asm__ ("a5") = third;
    __asm volatile ("simcall" : "+r" (a2), "+r" (a3) : "r" (a4), "r" (a5) : "memory");
    return a2;
}

void exit(int status) {
    for (;;) {
        simcall(SIM_EXIT, status, 0, 0);
    }
}

static uintptr_t open(const char *path, size_t len) {
    char terminated[PATH_MAX_BYTES];
    if (len >= sizeof(terminated)) {
        return FAILED;
    }
    memcpy(terminated, path, len);
    terminated[len] = 0;
    return simcall(SIM_OPEN, (uintptr_t)terminated, READ_ONLY, 0);
}

// Arm's request gives what is missing, this one what was read.
static uintptr_t read(uintptr_t file, uintptr_t to, uintptr_t len) {
    int n = simcall(SIM_READ, file, to, len);
    return n < 0 ? FAILED : len - n;
}

// The words of the emulator's command line with blanks between. Returns 0, or FAILED when it is too long.
static uintptr_t command_line(char *to, size_t size) {
    static uint32_t words[COMMAND_LINE_WORDS]; // addresses, then what they point to
    if ((size_t)simcall(SIM_ARGUMENTS_SIZE, 0, 0, 0) > sizeof(words)) {
        return FAILED;
    }
    simcall(SIM_ARGUMENTS_COPY, (uintptr_t)words, 0, 0);
    size_t used = 0;
    for (int i = 0, n = simcall(SIM_ARGUMENTS, 0, 0, 0); i < n; i++) {
        const char *word = (const char *)words[i];
        size_t len = strlen(word);
        if (used + len + 1 > size) {
            return FAILED;
        }
        memcpy(to + used, word, len);
        used += len;
        to[used++] = ' ';
    }
    if (used == 0) {
        return FAILED;
    }
    to[used - 1] = 0;
    return 0;
}

uintptr_t kw_semihosting(uintptr_t operation, const void *request) {
    const uintptr_t *arguments = request;
    switch (operation) {
        case SYS_OPEN:
            return open((const char *)arguments[0], arguments[2]);
        case SYS_CLOSE:
            return simcall(SIM_CLOSE, arguments[0], 0, 0);
        case SYS_READ:
            return read(arguments[0], arguments[1], arguments[2]);
        case SYS_SEEK:
            return simcall(SIM_SEEK, arguments[0], arguments[1], FROM_START) < 0 ? FAILED : 0;
        case KW_SYS_GET_CMDLINE:
            return command_line((char *)arguments[0], arguments[1]);
        default:
            return FAILED;
    }
}
