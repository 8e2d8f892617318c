/* 2-D convolution, few-bit weights, int8 inputs, few of them to an output, as in a first layer: by
 * the vectors' own products. What binary and ternary weights share.
 *
 *     acc[o] = sum over k of w[o][k] * patch[k] - zx * sum over k of w[o][k]
 *
 * The weights become bytes, 1, 0 and -1, once a call, and the pixels under a window one run of up
 * to 48 bytes, absent ones being zx. Then two outputs of 32 inputs take 8 instructions: of 64
 * products, 0.125 each, two thirds of what tables take where an input serves few outputs, and
 * hardly any scratch.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_MVE_PATCHES_H
#define KBC_CONV_2D_MVE_PATCHES_H

#include "pixels_mve.h"

#ifndef KBC_PLANES
#error "KBC_PLANES is 2 of ternary weights: a kernel says so before it includes this."
#endif

enum { KBC_BYTES = 16, KBC_MOST_VECTORS = 3 };

static inline int32_t kbc_patch_vectors(const kbc_conv_2d_params *p)
{
    return (kbc_patch_inputs(p) + KBC_BYTES - 1) / KBC_BYTES;
}

/* The maxima, the accumulators, their first values, the weights, and a patch with what a store may
 * leave behind it. */
static inline int32_t kbc_patches_scratch(const kbc_conv_2d_params *p)
{
    const int32_t vectors = kbc_patch_vectors(p);

    if (p->groups > 1 || p->input_dilation_height > 1 || p->input_dilation_width > 1 ||
        vectors > KBC_MOST_VECTORS) {
        return -1;
    }
    return kbc_pixel_outs(p) * (KBC_BYTES * vectors + 3 * 4) + KBC_BYTES * (vectors + 1);
}

#if KBC_HAS_MVE

typedef struct {
    const kbc_conv_2d_params *p;
    int32_t vectors, outs;
    int8_t *weights, *patch;
    int32_t *start;
    int32_t pitch;          /* bytes from one kernel row to the next */
    int32_t last_y, last_x; /* where whole rows may be read */
} kbc_patches;

/* -1 where they may not, and not in the image's last row: behind it is somebody else's memory. */
static inline void kbc_patches_bound(kbc_patches *k)
{
    const kbc_conv_2d_params *p = k->p;
    const kbc_window *kernel = &p->kernel;
    const int whole = kernel->dilation_width == 1 &&
                      kernel->width * p->in_channels <= KBC_BYTES &&
                      p->in_width * p->in_channels >= KBC_BYTES;

    k->pitch = kernel->dilation_height * p->in_width * p->in_channels;
    k->last_y = p->in_height - 2 - (kernel->height - 1) * kernel->dilation_height;
    k->last_x = whole ? p->in_width - kernel->width : -1;
}

/* Weights [16 i, 16 i + 16) of an output, 0 behind the last. */
static inline int8x16_t kbc_patch_weights(const kbc_conv_2d_params *p, int32_t o, int32_t i)
{
    const int32_t inputs = kbc_patch_inputs(p), row = 2 * kbc_words(inputs);
    const uint16_t *signs = (const uint16_t *)p->weights + o * row + i;
    mve_pred16_t used = vctp8q((uint32_t)(inputs - KBC_BYTES * i));

    if (KBC_PLANES == 2) {
        used &= signs[p->out_channels * row];
    }
    return vpselq_s8(vpselq_s8(vdupq_n_s8(-1), vdupq_n_s8(1), signs[0]), vdupq_n_s8(0), used);
}

KBC_APART void kbc_patches_prepare(const kbc_patches *k)
{
    int8_t *w = k->weights;

    for (int32_t o = 0; o < k->outs; ++o) {
        int32_t sum = 0;
        for (int32_t i = 0; i < k->vectors; ++i, w += KBC_BYTES) {
            const int8x16_t v = o < k->p->out_channels ? kbc_patch_weights(k->p, o, i)
                                                       : vdupq_n_s8(0);
            vstrbq_s8(w, v);
            sum += vaddvq_s8(v);
        }
        k->start[o] = -k->p->input_zero_point * sum;
    }
    kbc_mve_set(k->patch, 0, KBC_BYTES * (k->vectors + 1));
}

static inline void kbc_mve_copy(int8_t *target, const int8_t *source, int32_t bytes)
{
    __asm__ volatile("wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n"
                     "vldrb.u8 q0, [%[source]], #16\n"
                     "vstrb.8 q0, [%[target]], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : [target] "+r"(target), [source] "+r"(source)
                     : [bytes] "r"(bytes)
                     : "memory", "lr", "q0");
}

/* The pixels of kernel row `i` of (cy, cx). */
static inline void kbc_patch_row(const kbc_patches *k, const int8_t *row, int8_t *target,
                                 int32_t left)
{
    const kbc_conv_2d_params *p = k->p;
    const int32_t width = p->kernel.width, step = p->kernel.dilation_width;
    const int32_t c = p->in_channels;

    if (step == 1 && left >= 0 && left + width <= p->in_width) {
        kbc_mve_copy(target, row + left * c, width * c);
        return;
    }
    for (int32_t j = 0; j < width; ++j, left += step, target += c) {
        if (left >= 0 && left < p->in_width) {
            kbc_mve_copy(target, row + left * c, c);
        } else {
            kbc_mve_set(target, p->input_zero_point, c);
        }
    }
}

/* The same of all kernel rows, where each is inside of the image and has 16 bytes that may be read:
 * weights of 0 meet what is too much. */
static inline void kbc_patch_whole_rows(const kbc_patches *k, const int8_t *row)
{
    const int32_t bytes = k->p->kernel.width * k->p->in_channels;
    int8_t *target = k->patch;

    for (int32_t i = k->p->kernel.height; i > 0; --i, target += bytes, row += k->pitch) {
        vstrbq_s8(target, vldrbq_s8(row));
    }
}

static inline void kbc_patch_fill(const kbc_patches *k, const int8_t *image, int32_t cy, int32_t cx)
{
    const kbc_conv_2d_params *p = k->p;
    const kbc_window *kernel = &p->kernel;
    const int32_t left = cx * kernel->stride_width - kernel->pad_left;
    const int32_t bytes = kernel->width * p->in_channels;
    int32_t y = cy * kernel->stride_height - kernel->pad_top;
    int8_t *target = k->patch;

    if (y >= 0 && y <= k->last_y && left >= 0 && left <= k->last_x) {
        kbc_patch_whole_rows(k, image + (y * p->in_width + left) * p->in_channels);
        return;
    }
    for (int32_t i = 0; i < kernel->height; ++i, y += kernel->dilation_height, target += bytes) {
        if (y >= 0 && y < p->in_height) {
            kbc_patch_row(k, image + y * p->in_width * p->in_channels, target, left);
        } else {
            kbc_mve_set(target, p->input_zero_point, bytes);
        }
    }
}

#define PRODUCTS(x, body)                                                               \
    __asm__ volatile("vldmia %[patch], {" x "}\n"                                       \
                     "dls lr, %[pairs]\n"                                               \
                     "1:\n"                                                             \
                     "ldrd %[a], %[b], [%[start]], #8\n" body                           \
                     "strd %[a], %[b], [%[acc]], #8\n"                                  \
                     "le lr, 1b\n"                                                      \
                     : [acc] "+r"(acc), [start] "+r"(start), [w] "+r"(w), [a] "=&Te"(a), \
                       [b] "=&Te"(b)                                                    \
                     : [patch] "r"(k->patch), [pairs] "r"(k->outs / 2)                  \
                     : "memory", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7")
#define PRODUCT(sum, w, x) "vmladava.s8 %[" sum "], " w ", " x "\n"

/* acc = the accumulators of the patch. */
static inline void kbc_patch_sums(const kbc_patches *k, int32_t *acc)
{
    const int32_t *start = k->start;
    const int8_t *w = k->weights;
    int32_t a, b;

    if (k->vectors == 1) {
        PRODUCTS("d14-d15", "vldmia %[w]!, {d0-d3}\n" PRODUCT("a", "q0", "q7")
                 PRODUCT("b", "q1", "q7"));
    } else if (k->vectors == 2) {
        PRODUCTS("d12-d15", "vldmia %[w]!, {d0-d7}\n" PRODUCT("a", "q0", "q6")
                 PRODUCT("a", "q1", "q7") PRODUCT("b", "q2", "q6") PRODUCT("b", "q3", "q7"));
    } else {
        PRODUCTS("d10-d15", "vldmia %[w]!, {d0-d5}\n" PRODUCT("a", "q0", "q5")
                 PRODUCT("a", "q1", "q6") PRODUCT("a", "q2", "q7") "vldmia %[w]!, {d0-d5}\n"
                 PRODUCT("b", "q0", "q5") PRODUCT("b", "q1", "q6") PRODUCT("b", "q2", "q7"));
    }
}

static inline void kbc_patch_pixel(const void *patches, const int8_t *image, int32_t cy, int32_t cx,
                                   int32_t *acc)
{
    const kbc_patches *k = patches;

    kbc_patch_fill(k, image, cy, cx);
    kbc_patch_sums(k, acc);
}

static inline kbc_status kbc_conv_2d_patches(const kbc_conv_2d_params *p, const int8_t *x,
                                             const void *shortcut, void *y, int32_t *scratch)
{
    const int32_t vectors = kbc_patch_vectors(p), outs = kbc_pixel_outs(p);
    int8_t *weights = (int8_t *)(scratch + 3 * outs);
    kbc_patches k = {p, vectors, outs, weights, weights + outs * vectors * KBC_BYTES,
                     scratch + 2 * outs, 0, 0, 0};

    kbc_patches_bound(&k);
    kbc_patches_prepare(&k);
    return kbc_convolve_pixels(p, x, shortcut, y, kbc_patch_pixel, &k, scratch);
}

#endif /* KBC_HAS_MVE */

#endif /* KBC_CONV_2D_MVE_PATCHES_H */
