/* The inner product of one-bit weights and int8 activations, in its plainest form.
 *
 *     acc = sum_k w[k] * (x[k] - zx),    w[k] = -1 where bit first + k is 1, else +1
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_ONE_BIT_H
#define KBC_ONE_BIT_H

#include <stdint.h>

/* The words that `bits` one-bit weights take. */
static inline int32_t kbc_words(int32_t bits)
{
    return (bits + 31) / 32;
}

static inline int32_t kbc_one_bit_dot(const uint32_t *words, int32_t first, const int8_t *x,
                                      int32_t n, int32_t zx)
{
    int32_t acc = 0;

    for (int32_t k = 0; k < n; ++k) {
        const uint32_t bit = (uint32_t)(first + k);
        const int32_t d = x[k] - zx;
        acc += (words[bit / 32] >> (bit % 32) & 1u) ? -d : d;
    }
    return acc;
}

#endif /* KBC_ONE_BIT_H */
