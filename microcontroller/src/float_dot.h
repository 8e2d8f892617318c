/* Inner products of few-bit weights and floats.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FLOAT_DOT_H
#define KBC_FLOAT_DOT_H

#include "one_bit.h"

/* w[k] is bit first + k of `words`. */
static inline float kbc_float_dot(const uint32_t *words, int32_t first, const float *x, int32_t n)
{
    float acc = 0.0f;

    for (int32_t k = 0; k < n; ++k) {
        acc += kbc_bit(words, first + k) ? -x[k] : x[k];
    }
    return acc;
}

/* The same where a weight is 0 unless its bit in `used` is 1. */
static inline float kbc_ternary_float_dot(const uint32_t *words, const uint32_t *used,
                                          int32_t first, const float *x, int32_t n)
{
    float acc = 0.0f;

    for (int32_t k = 0; k < n; ++k) {
        if (kbc_bit(used, first + k)) {
            acc += kbc_bit(words, first + k) ? -x[k] : x[k];
        }
    }
    return acc;
}

#endif /* KBC_FLOAT_DOT_H */
