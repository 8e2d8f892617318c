/* AVERAGE_POOL_2D of floats, over the taps inside the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "float_pool_2d.h"

static float mean(const kbc_pool_2d_params *p, const float *x, kbc_span rows, kbc_span columns,
                  int32_t c)
{
    const int32_t n = (rows.last - rows.first) * (columns.last - columns.first);
    float sum = 0.0f;

    for (int32_t iy = rows.first; iy < rows.last; ++iy) {
        for (int32_t ix = columns.first; ix < columns.last; ++ix) {
            sum += x[(iy * p->in_width + ix) * p->channels + c];
        }
    }
    return sum / (float)n;
}

kbc_status kbc_float_average_pool_2d(const kbc_pool_2d_params *p, const void *x, void *y)
{
    return kbc_float_pool_2d(p, x, y, mean);
}
