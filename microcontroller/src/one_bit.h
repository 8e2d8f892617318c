/* Inner products with few-bit weights, in their plainest form.
 *
 *     acc = sum_k w[k] * (x[k] - zx),    w[k] = -1 where its bit is 1, else +1
 *
 * Of one-bit inputs a product is -1 where the two bits differ, so that n of them sum to n less
 * twice the differences.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_ONE_BIT_H
#define KBC_ONE_BIT_H

#include "kbc/kbc.h"

enum { KBC_BLOCK = 32 }; /* channels that `finish` takes at a time: a word of bits */

static inline int32_t kbc_block(int32_t left)
{
    return left < KBC_BLOCK ? left : KBC_BLOCK;
}

/* All channels of a pixel, or row: `acc` holds the accumulators of every one of them. */
static inline void kbc_finish_row(const kbc_finish *f, const void *acc, int32_t pixel,
                                  const void *shortcut, void *y)
{
    for (int32_t first = 0; first < f->size; first += KBC_BLOCK) {
        f->function(f, (const int32_t *)acc + first, pixel, first, kbc_block(f->size - first),
                    shortcut, y);
    }
}

static inline int32_t kbc_share(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

static inline int32_t kbc_least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t kbc_greatest(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* Of a convolution's kernel, and the inputs that it joins where it has one group. */
static inline int32_t kbc_taps_of(const kbc_conv_2d_params *p)
{
    return p->kernel.height * p->kernel.width;
}

static inline int32_t kbc_patch_inputs(const kbc_conv_2d_params *p)
{
    return kbc_taps_of(p) * p->in_channels;
}

/* The words that `bits` one-bit values take. */
static inline int32_t kbc_words(int32_t bits)
{
    return (bits + 31) / 32;
}

static inline uint32_t kbc_bit(const uint32_t *words, int32_t k)
{
    return words[k / 32] >> (k % 32) & 1u;
}

/* Bits [first, first + n), n from 1 to 32, at the low end of a word; the rest of it is 0. */
static inline uint32_t kbc_bits(const uint32_t *words, int32_t first, int32_t n)
{
    const int32_t low = first % 32;
    uint32_t bits = words[first / 32] >> low;

    if (low + n > 32) {
        bits |= words[first / 32 + 1] << (32 - low);
    }
    return bits & (0xffffffffu >> (32 - n));
}

static inline int32_t kbc_popcount(uint32_t v)
{
#if KBC_HAS_POPCOUNT
    return __builtin_popcount(v);
#else
    v -= v >> 1 & 0x55555555u;
    v = (v & 0x33333333u) + (v >> 2 & 0x33333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0fu;
    return (int32_t)(v * 0x01010101u >> 24);
#endif
}

/* w[k] is bit first + k of `words`. */
static inline int32_t kbc_one_bit_dot(const uint32_t *words, int32_t first, const int8_t *x,
                                      int32_t n, int32_t zx)
{
    int32_t acc = 0;

    for (int32_t k = 0; k < n; ++k) {
        const int32_t d = x[k] - zx;
        acc += kbc_bit(words, first + k) ? -d : d;
    }
    return acc;
}

/* The same where a weight is 0 unless its bit in `used` is 1. */
static inline int32_t kbc_ternary_dot(const uint32_t *words, const uint32_t *used, int32_t first,
                                      const int8_t *x, int32_t n, int32_t zx)
{
    int32_t acc = 0;

    for (int32_t k = 0; k < n; ++k) {
        const int32_t d = x[k] - zx;
        if (kbc_bit(used, first + k)) {
            acc += kbc_bit(words, first + k) ? -d : d;
        }
    }
    return acc;
}

/* x[k] is bit x_first + k of `x`. */
static inline int32_t kbc_xor_dot(const uint32_t *words, int32_t first, const uint32_t *x,
                                  int32_t x_first, int32_t n)
{
    int32_t acc = n;

    for (int32_t k = 0; k < n; k += 32) {
        const int32_t m = n - k < 32 ? n - k : 32;
        const uint32_t w = kbc_bits(words, first + k, m);
        acc -= 2 * kbc_popcount(w ^ kbc_bits(x, x_first + k, m));
    }
    return acc;
}

static inline int32_t kbc_ternary_xor_dot(const uint32_t *words, const uint32_t *used,
                                          int32_t first, const uint32_t *x, int32_t x_first,
                                          int32_t n)
{
    int32_t acc = 0;

    for (int32_t k = 0; k < n; k += 32) {
        const int32_t m = n - k < 32 ? n - k : 32;
        const uint32_t w = kbc_bits(words, first + k, m);
        const uint32_t u = kbc_bits(used, first + k, m);
        acc += kbc_popcount(u) - 2 * kbc_popcount((w ^ kbc_bits(x, x_first + k, m)) & u);
    }
    return acc;
}

#endif /* KBC_ONE_BIT_H */
