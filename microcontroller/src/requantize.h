/* From an accumulator to an output: the one place where kernels round.
 *
 *     y = clamp(zero_point + round((acc + bias) * multiplier * 2^-shift), min, max)
 *
 * The product takes 63 bits at most: |acc + bias| and |multiplier| are below 2^31. Shifting a
 * negative number to the right is an arithmetic shift, as on every compiler that we know of (C99
 * leaves it to the implementation); so it rounds down, and half up after adding a half.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_REQUANTIZE_H
#define KBC_REQUANTIZE_H

#include "saturate.h"

/* Rounded once, half up: the rule of our own ops.
 *
 * floor(v / 2^shift + 1/2) is written as floor((floor(v / 2^(shift - 1)) + 1) / 2), the same
 * number, which needs no 64-bit power of two. */
static inline int64_t kbc_scale(int32_t acc, const kbc_channel *channel)
{
    const int64_t product = (int64_t)(acc + channel->bias) * channel->multiplier;

    return ((product >> (channel->shift - 1)) + 1) >> 1;
}

static inline int8_t kbc_requantize(int32_t acc, const kbc_channel *channel, const kbc_output *out)
{
    return kbc_saturate(out->zero_point + kbc_scale(acc, channel), out);
}

/* Rounded half up twice: the rule of TensorFlow Lite's builtins.
 *
 * The product is rounded to a multiple of 2^31 first, and what is left of the shift rounds again.
 * A multiplier of 1 or more (shift < 31) moves the accumulator to the left before. A model is
 * emitted only where this leaves 31 bits and a sign, as it must in TensorFlow Lite's own int32
 * (keras_bc.deploy.op_checks), or where the multiplier is 0. */
static inline int8_t kbc_requantize_twice(int32_t acc, const kbc_channel *channel,
                                          const kbc_output *out)
{
    const int32_t left = channel->shift < 31 ? 31 - channel->shift : 0;
    const int32_t right = channel->shift > 31 ? channel->shift - 31 : 0;
    const int64_t moved = (int64_t)(acc + channel->bias) * ((int64_t)1 << left);
    const int64_t high = (moved * channel->multiplier + ((int64_t)1 << 30)) >> 31;
    const int64_t rounded = (high + (((int64_t)1 << right) >> 1)) >> right;

    return kbc_saturate(out->zero_point + rounded, out);
}

#endif /* KBC_REQUANTIZE_H */
