/* Fully connected in plain C, with weights that LPM reads: for what little RAM there is left.
 *
 *     acc[o] = w[o] . (x - zx),    byte by byte
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FULLY_CONNECTED_LPM_H
#define KBC_FULLY_CONNECTED_LPM_H

#include "lpm.h"

#if KBC_HAS_LPM

/* One output's accumulator: `w` are its weights, `k` of them. */
typedef int32_t kbc_lpm_dot(const uint8_t *w, const void *x, int16_t k, int16_t zx);

static inline kbc_status kbc_fully_connected_lpm(const kbc_fully_connected_params *p,
                                                 const uint8_t *x, int32_t row_bytes,
                                                 const void *shortcut, void *y, kbc_lpm_dot *dot)
{
    const int16_t k = (int16_t)p->in_features, outs = (int16_t)p->out_features;
    const int16_t weight_bytes = (int16_t)(4 * kbc_words(k));
    int32_t acc[KBC_BLOCK];

    for (int32_t r = 0; r < p->rows; ++r, x += row_bytes) {
        const uint8_t *w = p->weights;
        for (int16_t first = 0; first < outs; first += KBC_BLOCK) {
            const uint8_t count = (uint8_t)kbc_block(outs - first);
            for (uint8_t o = 0; o < count; ++o, w += weight_bytes) {
                acc[o] = dot(w, x, k, (int16_t)p->input_zero_point);
            }
            p->finish.function(&p->finish, acc, r, first, count, shortcut, y);
        }
    }
    return KBC_OK;
}

#endif

#endif /* KBC_FULLY_CONNECTED_LPM_H */
