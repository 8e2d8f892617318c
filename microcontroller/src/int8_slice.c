/* SLICE of TensorFlow Lite, int8: a part of each image.
 *
 *     y[iy][ix][c] = x[top + iy][left + ix][first + c]
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "kbc/kbc.h"

kbc_status kbc_int8_slice(const kbc_slice_params *p, const int8_t *x, int8_t *y)
{
    const int32_t row = p->in_width * p->in_channels;

    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t iy = p->top; iy < p->top + p->out_height; ++iy) {
            const int8_t *pixel = x + iy * row + p->left * p->in_channels + p->first_channel;
            for (int32_t ix = 0; ix < p->out_width; ++ix) {
                memcpy(y, pixel, (size_t)p->out_channels);
                y += p->out_channels;
                pixel += p->in_channels;
            }
        }
        x += p->in_height * row;
    }
    return KBC_OK;
}
