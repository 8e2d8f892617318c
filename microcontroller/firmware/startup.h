/* What start-up tells the program about its stack.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_STARTUP_H
#define KBC_STARTUP_H

#include <stdint.h>

/* The most bytes of stack that were ever in use since reset. */
uint32_t startup_peak_stack(void);

#endif /* KBC_STARTUP_H */
