/* The part of a pool window that lies inside the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_POOL_2D_H
#define KBC_POOL_2D_H

#include "kbc/kbc.h"

/* Rows or columns [first, last) of an image. */
typedef struct {
    int32_t first, last;
} kbc_span;

/* Where the window of output `o` meets an image of `size`. */
static inline kbc_span kbc_clip_window(int32_t o, int32_t stride, int32_t pad, int32_t window,
                                       int32_t size)
{
    const int32_t start = o * stride - pad;
    kbc_span span = {start, start + window};

    if (span.first < 0) {
        span.first = 0;
    }
    if (span.last > size) {
        span.last = size;
    }
    return span;
}

static inline kbc_span kbc_pool_rows(const kbc_pool_2d_params *p, int32_t oy)
{
    const kbc_window *w = &p->window;
    return kbc_clip_window(oy, w->stride_height, w->pad_top, w->height, p->in_height);
}

static inline kbc_span kbc_pool_columns(const kbc_pool_2d_params *p, int32_t ox)
{
    const kbc_window *w = &p->window;
    return kbc_clip_window(ox, w->stride_width, w->pad_left, w->width, p->in_width);
}

#endif /* KBC_POOL_2D_H */
