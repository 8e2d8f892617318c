/* MAX_POOL_2D of floats, over the taps inside the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pool_2d.h"

static float greatest(const kbc_pool_2d_params *p, const float *x, kbc_span rows, kbc_span columns,
                      int32_t c)
{
    float best = x[(rows.first * p->in_width + columns.first) * p->channels + c];

    for (int32_t iy = rows.first; iy < rows.last; ++iy) {
        for (int32_t ix = columns.first; ix < columns.last; ++ix) {
            const float value = x[(iy * p->in_width + ix) * p->channels + c];
            best = value > best ? value : best;
        }
    }
    return best;
}

kbc_status kbc_float_max_pool_2d(const kbc_pool_2d_params *p, const void *x, void *y)
{
    const float *in = x;
    float *out = y;

    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t oy = 0; oy < p->out_height; ++oy) {
            const kbc_span rows = kbc_pool_rows(p, oy);
            for (int32_t ox = 0; ox < p->out_width; ++ox) {
                const kbc_span columns = kbc_pool_columns(p, ox);
                for (int32_t c = 0; c < p->channels; ++c) {
                    *out++ = greatest(p, in, rows, columns, c);
                }
            }
        }
        in += p->in_height * p->in_width * p->channels;
    }
    return KBC_OK;
}
