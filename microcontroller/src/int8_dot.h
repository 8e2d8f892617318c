/* The inner product of int8 weights and int8 activations.
 *
 *     acc = sum_k w[k] * (x[k] - zx)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_INT8_DOT_H
#define KBC_INT8_DOT_H

#include <stdint.h>

static inline int32_t kbc_int8_dot(const int8_t *w, const int8_t *x, int32_t n, int32_t zx)
{
    int32_t acc = 0;

    for (int32_t k = 0; k < n; ++k) {
        acc += w[k] * (x[k] - zx);
    }
    return acc;
}

/* The same of one tap of a convolution: a kbc_tap_dot (conv_2d.h). */
static inline int32_t kbc_int8_tap_dot(const void *weights, int32_t o, int32_t size, int32_t first,
                                       const int8_t *x, int32_t n, int32_t zx)
{
    const int8_t *w = weights;
    return kbc_int8_dot(w + o * size + first, x, n, zx);
}

#endif /* KBC_INT8_DOT_H */
