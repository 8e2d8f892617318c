/* PAD of TensorFlow Lite, int8, in height and width.
 *
 *     y[iy + pad_top][ix + pad_left][c] = x[iy][ix][c], and `value` elsewhere
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "kbc/kbc.h"

/* Write `n` times the value, and give the place behind. */
static int8_t *fill(int8_t *y, int8_t value, int32_t n)
{
    memset(y, value, (size_t)n);
    return y + n;
}

kbc_status kbc_int8_pad_2d(const kbc_pad_2d_params *p, const int8_t *x, int8_t *y)
{
    const int32_t row = p->in_width * p->channels;
    const int32_t left = p->pad_left * p->channels;
    const int32_t right = p->pad_right * p->channels;
    const int32_t out_row = left + row + right;

    for (int32_t b = 0; b < p->batch; ++b) {
        y = fill(y, p->value, p->pad_top * out_row);
        for (int32_t iy = 0; iy < p->in_height; ++iy) {
            y = fill(y, p->value, left);
            memcpy(y, x, (size_t)row);
            y = fill(y + row, p->value, right);
            x += row;
        }
        y = fill(y, p->value, p->pad_bottom * out_row);
    }
    return KBC_OK;
}
