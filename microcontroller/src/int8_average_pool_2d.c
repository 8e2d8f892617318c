/* AVERAGE_POOL_2D of TensorFlow Lite, int8.
 *
 *     y[oy][ox][c] = clamp(sum / n), rounded half away from zero,
 *
 * with the sum of x[iy][ix][c] over the n taps inside the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pool_2d.h"
#include "saturate.h"

static int32_t sum(const kbc_pool_2d_params *p, const int8_t *x, kbc_span rows, kbc_span columns,
                   int32_t c)
{
    int32_t acc = 0;

    for (int32_t iy = rows.first; iy < rows.last; ++iy) {
        for (int32_t ix = columns.first; ix < columns.last; ++ix) {
            acc += x[(iy * p->in_width + ix) * p->channels + c];
        }
    }
    return acc;
}

static int32_t divide(int32_t acc, int32_t n)
{
    return acc < 0 ? (acc - n / 2) / n : (acc + n / 2) / n;
}

kbc_status kbc_int8_average_pool_2d(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y)
{
    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t oy = 0; oy < p->out_height; ++oy) {
            const kbc_span rows = kbc_pool_rows(p, oy);
            for (int32_t ox = 0; ox < p->out_width; ++ox) {
                const kbc_span columns = kbc_pool_columns(p, ox);
                const int32_t n = (rows.last - rows.first) * (columns.last - columns.first);
                for (int32_t c = 0; c < p->channels; ++c) {
                    *y++ = kbc_saturate(divide(sum(p, x, rows, columns, c), n), &p->output);
                }
            }
        }
        x += p->in_height * p->in_width * p->channels;
    }
    return KBC_OK;
}
