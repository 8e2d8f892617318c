/* Depthwise 2-D convolution, few-bit weights, int8 inputs, by vectors of channels: what binary and
 * ternary weights share.
 *
 *     acc[c] = sum over taps of w[tap][c] * x[tap][c] - zx * sum over taps of w[tap][c]
 *
 * The weights become bytes, 1, 0 and -1, once a call. A tap of 16 channels is two loads, two
 * widening products and two additions, 0.38 a product, and as much again for its address and the
 * loop. Absent taps read a row of zx. Sums of 16 bits hold 128 taps.
 *
 * Layout `tap_channels`: plane, tap, and bits of channels as in a tensor of bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_MVE_DEPTHWISE_H
#define KBC_CONV_2D_MVE_DEPTHWISE_H

#include "pixels_mve.h"

#ifndef KBC_PLANES
#error "KBC_PLANES is 2 of ternary weights: a kernel says so before it includes this."
#endif

enum { KBC_MOST_TAPS = 128 };

/* The maxima, the accumulators, their first values, the weights, a pixel of zx, and the addresses
 * of a window's taps. */
static inline int32_t kbc_depthwise_scratch(const kbc_conv_2d_params *p)
{
    const int32_t outs = kbc_pixel_outs(p), taps = kbc_taps_of(p);

    if (p->groups == 1 || p->groups != p->in_channels || p->groups != p->out_channels ||
        p->input_dilation_height > 1 || p->input_dilation_width > 1 || taps > KBC_MOST_TAPS) {
        return -1;
    }
    return outs * (2 * 4 + 2 + taps + 1) + 4 * taps;
}

#if KBC_HAS_MVE

typedef struct {
    const kbc_conv_2d_params *p;
    int32_t taps, outs;
    int16_t *start; /* even channels of 16, then the odd ones */
    int8_t *weights, *absent;
    const int8_t **tap;
} kbc_depthwise;

KBC_APART void kbc_depthwise_prepare(const kbc_depthwise *k)
{
    const int32_t halves = 2 * kbc_words(k->p->out_channels);
    const uint16_t *signs = k->p->weights, *used = signs + k->taps * halves;
    const int16_t zx = (int16_t)k->p->input_zero_point;

    kbc_mve_set(k->absent, zx, k->outs);
    for (int32_t c = 0; c < k->outs; c += 16) {
        int16x8_t even = vdupq_n_s16(0), odd = even;
        for (int32_t i = 0; i < k->taps; ++i) {
            int8x16_t w = vpselq_s8(vdupq_n_s8(-1), vdupq_n_s8(1), signs[i * halves + c / 16]);
            if (KBC_PLANES == 2) {
                w = vpselq_s8(w, vdupq_n_s8(0), used[i * halves + c / 16]);
            }
            vstrbq_s8(k->weights + i * k->outs + c, w);
            even = vaddq_s16(even, vmovlbq_s8(w));
            odd = vaddq_s16(odd, vmovltq_s8(w));
        }
        vstrhq_s16(k->start + c, vmulq_n_s16(even, (int16_t)-zx));
        vstrhq_s16(k->start + c + 8, vmulq_n_s16(odd, (int16_t)-zx));
    }
}

/* The address of each tap of (cy, cx). */
static inline void kbc_depthwise_find(const kbc_depthwise *k, const int8_t *image, int32_t cy,
                                      int32_t cx)
{
    const kbc_conv_2d_params *p = k->p;
    const kbc_window *kernel = &p->kernel;
    const int32_t left = cx * kernel->stride_width - kernel->pad_left;
    const int8_t **tap = k->tap;
    int32_t y = cy * kernel->stride_height - kernel->pad_top;

    for (int32_t i = 0; i < kernel->height; ++i, y += kernel->dilation_height) {
        const int8_t *row = image + y * p->in_width * p->in_channels;
        int32_t column = left;
        for (int32_t j = 0; j < kernel->width; ++j, column += kernel->dilation_width) {
            const int inside = y >= 0 && y < p->in_height && column >= 0 && column < p->in_width;
            *tap++ = inside ? row + column * p->in_channels : k->absent;
        }
    }
}

static inline void kbc_depthwise_pixel(const void *depthwise, const int8_t *image, int32_t cy,
                                       int32_t cx, int32_t *acc)
{
    const kbc_depthwise *k = depthwise;
    const int32_t channels = k->p->in_channels;

    kbc_depthwise_find(k, image, cy, cx);
    for (int32_t c = 0; c < channels; c += 16) {
        const mve_pred16_t here = vctp8q((uint32_t)(channels - c));
        const int8_t *w = k->weights + c;
        const int8_t **tap = k->tap;
        int16x8_t even = vldrhq_s16(k->start + c), odd = vldrhq_s16(k->start + c + 8);
        for (int32_t i = k->taps; i > 0; --i, w += k->outs) {
            const int8x16_t x = vldrbq_z_s8(*tap++ + c, here), v = vldrbq_s8(w);
            even = vaddq_s16(even, vmullbq_int_s8(x, v));
            odd = vaddq_s16(odd, vmulltq_int_s8(x, v));
        }
        const int32x4x4_t sums = {{vmovlbq_s16(even), vmovlbq_s16(odd), vmovltq_s16(even),
                                   vmovltq_s16(odd)}};
        vst4q_s32(acc + c, sums);
    }
}

static inline kbc_status kbc_conv_2d_depthwise(const kbc_conv_2d_params *p, const int8_t *x,
                                               const void *shortcut, void *y, int32_t *scratch)
{
    const int32_t outs = kbc_pixel_outs(p), taps = kbc_taps_of(p);
    int16_t *start = (int16_t *)(scratch + 2 * outs);
    int8_t *weights = (int8_t *)(start + outs), *absent = weights + outs * taps;
    const kbc_depthwise k = {p, taps, outs, start, weights, absent,
                             (const int8_t **)(void *)(absent + outs)};

    kbc_depthwise_prepare(&k);
    return kbc_convolve_pixels(p, x, shortcut, y, kbc_depthwise_pixel, &k, scratch);
}

#endif /* KBC_HAS_MVE */

#endif /* KBC_CONV_2D_MVE_DEPTHWISE_H */
