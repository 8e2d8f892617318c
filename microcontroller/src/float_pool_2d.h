/* The loops that the poolings of floats share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FLOAT_POOL_2D_H
#define KBC_FLOAT_POOL_2D_H

#include "pool_2d.h"

/* What becomes of channel c under a window. */
typedef float kbc_float_pool(const kbc_pool_2d_params *p, const float *x, kbc_span rows,
                             kbc_span columns, int32_t c);

static inline kbc_status kbc_float_pool_2d(const kbc_pool_2d_params *p, const void *x, void *y,
                                           kbc_float_pool *pool)
{
    const float *in = x;
    float *out = y;

    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t oy = 0; oy < p->out_height; ++oy) {
            const kbc_span rows = kbc_pool_rows(p, oy);
            for (int32_t ox = 0; ox < p->out_width; ++ox) {
                const kbc_span columns = kbc_pool_columns(p, ox);
                for (int32_t c = 0; c < p->channels; ++c) {
                    *out++ = pool(p, in, rows, columns, c);
                }
            }
        }
        in += p->in_height * p->in_width * p->channels;
    }
    return KBC_OK;
}

#endif /* KBC_FLOAT_POOL_2D_H */
