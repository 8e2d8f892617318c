/* The loops that the plain fully connected kernels share; they differ in the inner product.
 *
 *     acc[r][o] = w[o] . (x[r] - zx)
 *     y[r][o]   = finish(acc[r][o])
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FULLY_CONNECTED_H
#define KBC_FULLY_CONNECTED_H

#include "dots.h"

static inline kbc_status kbc_fully_connected(const kbc_fully_connected_params *p, const uint8_t *x,
                                             int32_t row_bytes, const void *shortcut, void *y,
                                             kbc_dot *dot)
{
    const int32_t k = p->in_features;
    kbc_taps taps = {p->weights, p->out_features, 0, k, 0, x, 0, k, p->input_zero_point};
    KBC_ACC acc[KBC_BLOCK];

    for (int32_t r = 0; r < p->rows; ++r) {
        taps.pixel = x + r * row_bytes;
        for (int32_t first = 0; first < p->out_features; first += KBC_BLOCK) {
            const int32_t count = kbc_block(p->out_features - first);
            for (int32_t o = 0; o < count; ++o) {
                taps.o = first + o;
                acc[o] = dot(taps);
            }
            p->finish.function(&p->finish, acc, r, first, count, shortcut, y);
        }
    }
    return KBC_OK;
}

#endif /* KBC_FULLY_CONNECTED_H */
