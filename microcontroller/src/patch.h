/* The inputs of an int8 image under a kernel, one behind the other: what is joined with a filter.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_PATCH_H
#define KBC_PATCH_H

#include <string.h>

#include "one_bit.h"

/* Whether patches are pixels, which need not be copied. */
static inline int kbc_patch_is_pixel(const kbc_conv_2d_params *p)
{
    const kbc_window *k = &p->kernel;

    return k->height == 1 && k->width == 1 && k->pad_top == 0 && k->pad_left == 0 &&
           k->pad_bottom == 0 && k->pad_right == 0;
}

/* The patch under the kernel at (cy, cx), absent pixels as zero points; where it is a pixel, that
 * itself. */
static inline const int8_t *kbc_patch(const kbc_conv_2d_params *p, const int8_t *image, int32_t cy,
                               int32_t cx, int8_t *to)
{
    const kbc_window *k = &p->kernel;
    const int32_t top = cy * k->stride_height - k->pad_top;
    const int32_t left = cx * k->stride_width - k->pad_left;
    const int8_t *const patch = to;

    if (kbc_patch_is_pixel(p)) {
        return image + (top * p->in_width + left) * p->in_channels;
    }
    /* Pixels side by side of which all or none exist are copied at once. */
    const int beside = k->dilation_width == 1 && left >= 0 && left + k->width <= p->in_width;
    const int32_t pixels = beside ? k->width : 1, bytes = pixels * p->in_channels;
    for (int32_t i = 0; i < k->height; ++i) {
        const int32_t iy = top + i * k->dilation_height;
        for (int32_t j = 0; j < k->width; j += pixels, to += bytes) {
            const int32_t ix = left + j * k->dilation_width;
            if (iy < 0 || iy >= p->in_height || ix < 0 || ix >= p->in_width) {
                memset(to, (int)p->input_zero_point, (size_t)bytes);
                continue;
            }
            const int8_t *from = image + (iy * p->in_width + ix) * p->in_channels;
            for (int32_t b = 0; b < bytes; ++b) {
                to[b] = from[b];
            }
        }
    }
    return patch;
}

#endif /* KBC_PATCH_H */
