/* Reading constants from a flash that no pointer reaches: AVR's, by LPM.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_LPM_H
#define KBC_LPM_H

#include "one_bit.h"

#if KBC_HAS_LPM

#include <avr/pgmspace.h>

/* Of a naked function the compiler sees no use of what it is given. */
#define KBC_UNUSED __attribute__((unused))

static inline uint8_t kbc_lpm_byte(const void *address)
{
    return pgm_read_byte(address);
}

#endif

#endif /* KBC_LPM_H */
