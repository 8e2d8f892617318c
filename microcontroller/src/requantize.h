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

#include "product.h"
#include "saturate.h"

/* Rounded once, half up: the rule of our own ops.
 *
 * floor(p / 2^shift + 1/2) is written as floor((floor(p / 2^(shift - 1)) + 1) / 2), the same
 * number. This is the inner floor, of the product p: in halves of an output's step.
 *
 * 32 bits are enough. From a shift of 33 on only the product's high word counts. Below, it is
 * beyond 2^13 steps, far from any int8, where v takes more than 16 bits or the shift is below 17,
 * for a multiplier has 31 bits unless it is 0: so v is bounded to 16 bits, and the shift to 17. */
KBC_RARE static int32_t kbc_bounded_halves(int32_t v, int32_t multiplier, int32_t shift)
{
    const int32_t low = v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v;

    if (shift >= 33) {
        return kbc_product_high(v, multiplier) >> (shift - 33);
    }
    return kbc_product_16(low, multiplier) >> (shift < 17 ? 0 : shift - 17);
}

static inline int32_t kbc_halves(int32_t v, int32_t multiplier, int32_t shift)
{
    const int32_t rest = shift - 33;

    if (KBC_LONG_PRODUCT && rest >= 0) {
        return kbc_product_high(v, multiplier) >> rest;
    }
    if (!KBC_LONG_PRODUCT && v == (int16_t)v && shift >= 17 && shift < 17 + 32) {
        return kbc_product_16(v, multiplier) >> (shift - 17);
    }
    return kbc_bounded_halves(v, multiplier, shift);
}

/* Rounded half up twice: the rule of TensorFlow Lite's builtins.
 *
 * The product is rounded to a multiple of 2^31 first, and what is left of the shift rounds again.
 * A multiplier of 1 or more (shift < 31) moves the accumulator to the left before. A model is
 * emitted only where this leaves 31 bits and a sign, as it must in TensorFlow Lite's own int32
 * (keras_bc.deploy.op_checks), or where the multiplier is 0. */
KBC_RARE static int32_t kbc_scale_left(int32_t v, int32_t multiplier, int32_t shift)
{
    const int64_t moved = (int64_t)v * ((int64_t)1 << (31 - shift));
    const int64_t high = (moved * multiplier + ((int64_t)1 << 30)) >> 31;

    return high < INT16_MIN ? INT16_MIN : high > INT16_MAX ? INT16_MAX : (int32_t)high;
}

static inline int32_t kbc_scale_twice(int32_t v, int32_t multiplier, int32_t shift)
{
    if (shift <= 31) {
        return kbc_scale_left(v, multiplier, shift);
    }
    return ((kbc_product_31(v, multiplier) >> (shift - 32)) + 1) >> 1;
}

#endif /* KBC_REQUANTIZE_H */
