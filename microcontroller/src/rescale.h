/* A real factor in integers, as the element-wise builtins of TensorFlow Lite round it.
 *
 *     kbc_rescale(x) = x * multiplier * 2^-shift
 *
 * As in kbc_requantize_twice the product is rounded to a multiple of 2^31 first, half up; but the
 * rest of the shift rounds half away from zero. A shift below 31 moves x to the left before; a model
 * is emitted only where this leaves 31 bits and a sign (keras_bc.deploy.builtin_checks).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_RESCALE_H
#define KBC_RESCALE_H

#include "saturate.h"

static inline int32_t kbc_rescale(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift < 31 ? 31 - shift : 0;
    const int32_t right = shift > 31 ? shift - 31 : 0;
    const int64_t moved = (int64_t)x * ((int64_t)1 << left);
    const int64_t high = (moved * multiplier + ((int64_t)1 << 30)) >> 31;
    const int64_t half = ((int64_t)1 << right) >> 1;

    return (int32_t)(high < 0 ? -((half - high) >> right) : (high + half) >> right);
}

#endif /* KBC_RESCALE_H */
