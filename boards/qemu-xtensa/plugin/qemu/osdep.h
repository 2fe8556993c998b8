/* What the core's tables take from QEMU's header of this name, without the rest of QEMU. */
#ifndef KITTIWAKE_OSDEP_H
#define KITTIWAKE_OSDEP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ATTRIBUTE_UNUSED __attribute__((unused))

#endif
