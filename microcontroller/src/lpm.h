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

/* Of a number, its lowest. */
static inline uint8_t kbc_lpm_byte(const void *address)
{
    return pgm_read_byte(address);
}

static inline int32_t kbc_lpm_word(const int32_t *address)
{
    return (int32_t)pgm_read_dword(address);
}

/* Whether an accumulator misses its channel's threshold: the sign of the output. */
static inline uint8_t kbc_lpm_negative(int32_t acc, const kbc_threshold *address)
{
    const int32_t threshold = kbc_lpm_word(&address->threshold);

    if ((int8_t)pgm_read_byte(&address->direction) > 0) {
        return acc < threshold;
    }
    return acc > threshold;
}

#endif

#endif /* KBC_LPM_H */
