/* RESIZE_NEAREST_NEIGHBOR of TensorFlow Lite, int8, by whole factors.
 *
 *     y[oy][ox] = x[oy / factor_height][ox / factor_width]
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "kbc/kbc.h"

/* Write every pixel of a row `factor` times, and give the place behind. */
static int8_t *widen(const int8_t *x, int8_t *y, int32_t width, int32_t channels, int32_t factor)
{
    for (int32_t ix = 0; ix < width; ++ix) {
        for (int32_t i = 0; i < factor; ++i) {
            memcpy(y, x, (size_t)channels);
            y += channels;
        }
        x += channels;
    }
    return y;
}

kbc_status kbc_int8_resize_2d(const kbc_resize_2d_params *p, const int8_t *x, int8_t *y)
{
    for (int32_t r = 0; r < p->batch * p->in_height; ++r) {
        for (int32_t i = 0; i < p->factor_height; ++i) {
            y = widen(x, y, p->in_width, p->channels, p->factor_width);
        }
        x += p->in_width * p->channels;
    }
    return KBC_OK;
}
