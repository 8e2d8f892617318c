/* What start-up tells the program about its stack, and what is common to it on all cores.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_STARTUP_H
#define KBC_STARTUP_H

#include <stdint.h>

#include "semihosting.h"

extern uint32_t __stack_bottom[], __stack_top[]; /* from the linker script */

/* The most bytes of stack that were ever in use since reset. */
uint32_t startup_peak_stack(void);

/* Sets the variables to their initial values, runs `main` and ends with its exit code. */
SEMIHOSTING_NO_RETURN void startup_run(void);

/* Reports a fault of the instruction at `pc`, or that it came of a stack overflow, and ends. */
SEMIHOSTING_NO_RETURN void startup_fail(int overflow, uint32_t pc);

#endif /* KBC_STARTUP_H */
