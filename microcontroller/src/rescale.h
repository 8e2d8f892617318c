/* A real factor in integers, as the element-wise builtins of TensorFlow Lite round it.
 *
 *     kbc_rescale(x) = x * multiplier * 2^-shift
 *
 * As in kbc_scale_twice the product is rounded to a multiple of 2^31 first, half up; but the rest of
 * the shift rounds half away from zero. A shift below 31 moves x to the left before; a model is
 * emitted only where this leaves 31 bits and a sign (keras_bc.deploy.builtin_checks).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_RESCALE_H
#define KBC_RESCALE_H

#include "product.h"
#include "saturate.h"

KBC_RARE static int32_t kbc_rescale_left(int32_t x, int32_t multiplier, int32_t shift)
{
    const int64_t moved = (int64_t)x * ((int64_t)1 << (31 - shift));

    return (int32_t)((moved * multiplier + ((int64_t)1 << 30)) >> 31);
}

static inline int32_t kbc_rescale(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift < 31) {
        return kbc_rescale_left(x, multiplier, shift);
    }
    const int32_t high = kbc_product_31(x, multiplier);
    if (shift == 31) {
        return high;
    }
    /* A half of a negative number goes down: as if it were a little less. */
    return (((high - (high < 0)) >> (shift - 32)) + 1) >> 1;
}

#endif /* KBC_RESCALE_H */
