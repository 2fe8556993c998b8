/* What the assembler files of this core have in common: fields of PS, causes, and how a fault is told. */
#ifndef KITTIWAKE_REGISTERS_H
#define KITTIWAKE_REGISTERS_H

#define PS_WINDOWS 0x40000      /* WOE: window exceptions are taken */
#define PS_NO_INTERRUPTS 15     /* INTLEVEL: above every interrupt's */
#define PS_OLD_WINDOW_SHIFT 8   /* OWB: 4 bits */
#define PS_OLD_WINDOW_BITS 4

#define CAUSE_INTERRUPT 4       /* of level 1 */
#define CAUSE_ALLOCA 5          /* MOVSP while the caller's frame is in memory */

/* What kw_fatal is told where there is no EXCCAUSE. */
#define KW_FAULT_DOUBLE 64
#define KW_FAULT_LEVEL 64       /* and the level of the interrupt */

#endif
