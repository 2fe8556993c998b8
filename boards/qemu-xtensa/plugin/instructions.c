/* The core's instruction set, as binutils looks it up in a plugin: xtensa_modules, out of QEMU's source as it came. */

#include "core-de212/xtensa-modules.c.inc"
