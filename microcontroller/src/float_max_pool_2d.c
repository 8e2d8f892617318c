/* MAX_POOL_2D of floats, over the taps inside the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "float_pool_2d.h"

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
    return kbc_float_pool_2d(p, x, y, greatest);
}
