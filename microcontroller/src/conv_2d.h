/* The loops that the plain convolutions share; they differ in the inner product of one tap.
 *
 *     acc[cy][cx][o] = sum over taps (i, j) inside the image of
 *                      w[o][i][j] . (x[cy * stride + i * dilation - pad][same for j] - zx)
 *     y[oy][ox][o]   = finish(max over pool taps inside acc's image of acc[..][..][o])
 *
 * Nothing is stored between the two: an accumulator under overlapping pool windows is computed
 * once for each of them. With an input dilation of d a tap is inside where its row and column are
 * multiples of d, and the pixel there is the one that was moved to it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_H
#define KBC_CONV_2D_H

#include "dots.h"

/* Row or column of the image that lies at `position` of it once it is dilated; -1 where none. */
static inline int32_t kbc_source(int32_t position, int32_t dilation, int32_t size)
{
    if (position < 0 || position > (size - 1) * dilation) {
        return -1;
    }
    if (dilation == 1) {
        return position;
    }
    return position % dilation == 0 ? position / dilation : -1;
}

/* acc[cy][cx][o] of the image x. */
static inline KBC_ACC kbc_convolve(const kbc_conv_2d_params *p, const uint8_t *x,
                                   int32_t pixel_bytes, int32_t cy, int32_t cx, int32_t o,
                                   kbc_dot *dot)
{
    const kbc_window *kernel = &p->kernel;
    const int32_t n = p->in_channels / p->groups;
    const int32_t group = o / (p->out_channels / p->groups);
    const int32_t top = cy * kernel->stride_height - kernel->pad_top;
    const int32_t left = cx * kernel->stride_width - kernel->pad_left;
    kbc_taps taps = {p->weights, p->out_channels, o, kernel->height * kernel->width * n, 0,
                     x,          group * n,       n, p->input_zero_point};
    KBC_ACC acc = 0;

    for (int32_t i = 0; i < kernel->height; ++i) {
        const int32_t iy = kbc_source(top + i * kernel->dilation_height, p->input_dilation_height,
                                      p->in_height);
        if (iy < 0) {
            continue;
        }
        for (int32_t j = 0; j < kernel->width; ++j) {
            const int32_t ix = kbc_source(left + j * kernel->dilation_width,
                                          p->input_dilation_width, p->in_width);
            if (ix < 0) {
                continue;
            }
            taps.first = (i * kernel->width + j) * n;
            taps.pixel = x + (iy * p->in_width + ix) * pixel_bytes;
            acc += dot(taps);
        }
    }
    return acc;
}

/* The greatest acc[cy][cx][o] under the pool window of (oy, ox). */
static inline KBC_ACC kbc_convolve_and_pool(const kbc_conv_2d_params *p, const uint8_t *x,
                                            int32_t pixel_bytes, int32_t oy, int32_t ox, int32_t o,
                                            kbc_dot *dot)
{
    const kbc_window *pool = &p->pool;
    const int32_t top = oy * pool->stride_height - pool->pad_top;
    const int32_t left = ox * pool->stride_width - pool->pad_left;
    KBC_ACC greatest = 0;
    int found = 0;

    for (int32_t cy = top; cy < top + pool->height; ++cy) {
        if (cy < 0 || cy >= p->conv_height) {
            continue;
        }
        for (int32_t cx = left; cx < left + pool->width; ++cx) {
            if (cx < 0 || cx >= p->conv_width) {
                continue;
            }
            const KBC_ACC acc = kbc_convolve(p, x, pixel_bytes, cy, cx, o, dot);
            if (!found || acc > greatest) {
                greatest = acc;
                found = 1;
            }
        }
    }
    return greatest;
}

static inline kbc_status kbc_conv_2d(const kbc_conv_2d_params *p, const uint8_t *x,
                                     int32_t pixel_bytes, const void *shortcut, void *y,
                                     kbc_dot *dot)
{
    const int32_t pixels = p->out_height * p->out_width;
    KBC_ACC acc[KBC_BLOCK];

    for (int32_t i = 0; i < p->batch * pixels; ++i) {
        const int32_t oy = i % pixels / p->out_width, ox = i % p->out_width;
        const uint8_t *image = x + i / pixels * p->in_height * p->in_width * pixel_bytes;
        for (int32_t first = 0; first < p->out_channels; first += KBC_BLOCK) {
            const int32_t count = kbc_block(p->out_channels - first);
            for (int32_t o = 0; o < count; ++o) {
                acc[o] = kbc_convolve_and_pool(p, image, pixel_bytes, oy, ox, first + o, dot);
            }
            p->finish.function(&p->finish, acc, i, first, count, shortcut, y);
        }
    }
    return KBC_OK;
}

#endif /* KBC_CONV_2D_H */
