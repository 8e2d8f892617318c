/* The loops that the plain convolutions share; they differ in the inner product of
 * one tap, and in how they round.
 *
 *     acc[cy][cx][o] = sum over taps (i, j) inside the image of
 *                      w[o][i][j] . (x[cy * stride + i * dilation - pad][same for j] - zx)
 *     y[oy][ox][o]   = round(max over pool taps inside acc's image of acc[..][..][o])
 *
 * Nothing is stored between the two: an accumulator under overlapping pool windows is computed
 * once for each of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_H
#define KBC_CONV_2D_H

#include "requantize.h"

/* w[o][first..first + n) . (x[0..n) - zx), where an output channel has `size` weights. */
typedef int32_t kbc_tap_dot(const void *weights, int32_t o, int32_t size, int32_t first,
                            const int8_t *x, int32_t n, int32_t zx);

/* acc[cy][cx][o] of the image x. */
static inline int32_t kbc_convolve(const kbc_conv_2d_params *p, const int8_t *x, int32_t cy,
                                   int32_t cx, int32_t o, kbc_tap_dot *dot)
{
    const kbc_window *kernel = &p->kernel;
    const int32_t n = p->in_channels / p->groups;
    const int32_t group = o / (p->out_channels / p->groups);
    const int32_t size = kernel->height * kernel->width * n;
    const int32_t top = cy * kernel->stride_height - kernel->pad_top;
    const int32_t left = cx * kernel->stride_width - kernel->pad_left;
    int32_t acc = 0;

    for (int32_t i = 0; i < kernel->height; ++i) {
        const int32_t iy = top + i * kernel->dilation_height;
        if (iy < 0 || iy >= p->in_height) {
            continue;
        }
        for (int32_t j = 0; j < kernel->width; ++j) {
            const int32_t ix = left + j * kernel->dilation_width;
            if (ix < 0 || ix >= p->in_width) {
                continue;
            }
            acc += dot(p->weights, o, size, (i * kernel->width + j) * n,
                       x + (iy * p->in_width + ix) * p->in_channels + group * n, n,
                       p->input_zero_point);
        }
    }
    return acc;
}

/* The greatest acc[cy][cx][o] under the pool window of (oy, ox). */
static inline int32_t kbc_convolve_and_pool(const kbc_conv_2d_params *p, const int8_t *x,
                                            int32_t oy, int32_t ox, int32_t o, kbc_tap_dot *dot)
{
    const kbc_window *pool = &p->pool;
    const int32_t top = oy * pool->stride_height - pool->pad_top;
    const int32_t left = ox * pool->stride_width - pool->pad_left;
    int32_t greatest = INT32_MIN;

    for (int32_t cy = top; cy < top + pool->height; ++cy) {
        if (cy < 0 || cy >= p->conv_height) {
            continue;
        }
        for (int32_t cx = left; cx < left + pool->width; ++cx) {
            if (cx < 0 || cx >= p->conv_width) {
                continue;
            }
            const int32_t acc = kbc_convolve(p, x, cy, cx, o, dot);
            if (acc > greatest) {
                greatest = acc;
            }
        }
    }
    return greatest;
}

static inline void kbc_conv_2d(const kbc_conv_2d_params *p, const int8_t *x, int8_t *y,
                               kbc_tap_dot *dot, kbc_requantizer *round)
{
    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t oy = 0; oy < p->out_height; ++oy) {
            for (int32_t ox = 0; ox < p->out_width; ++ox) {
                for (int32_t o = 0; o < p->out_channels; ++o) {
                    const int32_t acc = kbc_convolve_and_pool(p, x, oy, ox, o, dot);
                    *y++ = round(acc, &p->channels[o], &p->output);
                }
            }
        }
        x += p->in_height * p->in_width * p->in_channels;
    }
}

#endif /* KBC_CONV_2D_H */
