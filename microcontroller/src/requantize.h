/* From an accumulator to an output: the one place where kernels round.
 *
 *     y = clamp(zero_point + round((acc + bias) * multiplier * 2^-shift), min, max)
 *
 * The product takes 63 bits at most: |acc + bias| < 2^31 and |multiplier| < 2^31. Rounding half
 * up, floor(v / 2^shift + 1/2), is written as floor((floor(v / 2^(shift - 1)) + 1) / 2), which is
 * the same number and needs no 64-bit power of two: variable 64-bit shifts are calls on a core
 * without a barrel shifter for them.
 *
 * Shifting a negative number to the right is an arithmetic shift, as on every compiler that we
 * know of (C99 leaves it to the implementation).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_REQUANTIZE_H
#define KBC_REQUANTIZE_H

#include "kbc/kbc.h"

static inline int8_t kbc_requantize(int32_t acc, const kbc_channel *channel, const kbc_output *out)
{
    const int64_t product = (int64_t)(acc + channel->bias) * channel->multiplier;
    const int64_t y = out->zero_point + (((product >> (channel->shift - 1)) + 1) >> 1);

    if (y < out->min) {
        return (int8_t)out->min;
    }
    if (y > out->max) {
        return (int8_t)out->max;
    }
    return (int8_t)y;
}

#endif /* KBC_REQUANTIZE_H */
