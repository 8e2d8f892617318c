/* The loops of convolutions that work out one pixel at a time, all its channels, by vectors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_PIXELS_MVE_H
#define KBC_PIXELS_MVE_H

#include "mve.h"

/* Channels in whole vectors of bytes. */
static inline int32_t kbc_pixel_outs(const kbc_conv_2d_params *p)
{
    return (p->out_channels + 15) / 16 * 16;
}

#if KBC_HAS_MVE

#include <arm_mve.h>

/* acc = the accumulators of pixel (cy, cx) of the convolution, before the pooling. */
typedef void kbc_pixel(const void *k, const int8_t *image, int32_t cy, int32_t cx, int32_t *acc);

/* greatest = the greatest accumulators under the pool window of (oy, ox). */
static inline void kbc_pool_pixels(const kbc_conv_2d_params *p, const int8_t *image, int32_t oy,
                                   int32_t ox, kbc_pixel *pixel, const void *k, int32_t *greatest,
                                   int32_t outs)
{
    const kbc_window *pool = &p->pool;
    const int32_t top = oy * pool->stride_height - pool->pad_top;
    const int32_t left = ox * pool->stride_width - pool->pad_left;
    const int32_t bottom = top + pool->height, right = left + pool->width;
    int32_t *acc = greatest;

    for (int32_t cy = top < 0 ? 0 : top; cy < bottom && cy < p->conv_height; ++cy) {
        for (int32_t cx = left < 0 ? 0 : left; cx < right && cx < p->conv_width; ++cx) {
            pixel(k, image, cy, cx, acc);
            for (int32_t o = 0; acc != greatest && o < outs; o += 4) {
                vstrwq_s32(greatest + o, vmaxq_s32(vldrwq_s32(greatest + o), vldrwq_s32(acc + o)));
            }
            acc = greatest + outs;
        }
    }
}

/* `acc` has room for twice the outs. */
static inline kbc_status kbc_convolve_pixels(const kbc_conv_2d_params *p, const int8_t *x,
                                             const void *shortcut, void *y, kbc_pixel *pixel,
                                             const void *k, int32_t *acc)
{
    const int32_t outs = kbc_pixel_outs(p);
    int32_t number = 0;

    for (int32_t n = 0; n < p->batch; ++n, x += p->in_height * p->in_width * p->in_channels) {
        for (int32_t oy = 0; oy < p->out_height; ++oy) {
            for (int32_t ox = 0; ox < p->out_width; ++ox, ++number) {
                kbc_pool_pixels(p, x, oy, ox, pixel, k, acc, outs);
                for (int32_t first = 0; first < p->out_channels; first += KBC_BLOCK) {
                    p->finish.function(&p->finish, acc + first, number, first,
                                       kbc_block(p->out_channels - first), shortcut, y);
                }
            }
        }
    }
    return KBC_OK;
}

#endif /* KBC_HAS_MVE */

#endif /* KBC_PIXELS_MVE_H */
