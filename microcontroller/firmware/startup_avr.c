/* Start-up for AVRs with 64 KB of RAM at most.
 *
 * At reset interrupts are off and the stack pointer stands somewhere. An overflow of the stack runs
 * into the I/O registers: nothing faults, but all of the stack counts as used then.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "startup.h"

#if defined(__AVR__)

void reset(void);

/* The compiler keeps 0 in r1. */
__attribute__((naked, used, section(".vectors"))) void reset(void)
{
    __asm volatile("cli\n\t"
                   "clr r1\n\t"
                   "ldi r24, lo8(__stack_top - 1)\n\t"
                   "out __SP_L__, r24\n\t"
                   "ldi r24, hi8(__stack_top - 1)\n\t"
                   "out __SP_H__, r24\n\t"
                   "jmp startup_run");
}

#endif /* __AVR__ */
