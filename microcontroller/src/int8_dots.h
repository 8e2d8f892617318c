/* The inner products of int8 activations with the weights of several outputs.
 *
 *     acc[o] = sum_k w[o][k] * (x[k] - zx)
 *
 * Four outputs at a time share the loads of x: 3 instructions a product on ARMv7-M. With its DSP
 * instructions two products are one, of inputs and weights that two more spread over half-words:
 * 2.4 a product, for the compiler loads all words at once and runs out of registers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_INT8_DOTS_H
#define KBC_INT8_DOTS_H

#include <string.h>

#include "int8_dot.h"
#include "one_bit.h"

#if defined(__ARM_FEATURE_SIMD32) && __ARM_FEATURE_SIMD32
#include <arm_acle.h>
#define KBC_PAIRWISE 1
#else
#define KBC_PAIRWISE 0
#endif

enum { KBC_OUTPUTS = 4 };

#if KBC_PAIRWISE

static inline uint32_t kbc_load_4(const int8_t *x)
{
    uint32_t word;
    memcpy(&word, x, sizeof word); /* one load, wherever x lies */
    return word;
}

/* The odd bytes: what __sxtb16 makes of a word that is rotated, in one instruction. */
static inline int16x2_t kbc_spread_odd(uint32_t four)
{
    int16x2_t odd;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(four));
    return odd;
}

/* acc + w[0..3] . d, of which `even` and `odd` hold two half-words each. */
static inline int32_t kbc_add_products(int32_t acc, const int8_t *w, int16x2_t even, int16x2_t odd)
{
    const uint32_t four = kbc_load_4(w);

    acc = __smlad(__sxtb16((int8x4_t)four), even, acc);
    return __smlad(kbc_spread_odd(four), odd, acc);
}

#endif

/* acc[i] = w[i][n] . (x[n] - zx) */
static void kbc_int8_dot_4(int32_t acc[KBC_OUTPUTS], const int8_t *w, const int8_t *x, int32_t n,
                           int32_t zx)
{
    const int8_t *w2 = w + 2 * n; /* two addresses for four rows */
    const int8_t *const end = x + n;
    int32_t a = 0, b = 0, c = 0, d = 0;
    KBC_OPAQUE(w2);

#if KBC_PAIRWISE
    const int16x2_t zeros = (int16x2_t)((uint32_t)zx << 16 | ((uint32_t)zx & 0xffffu));
    for (const int8_t *const last = end - n % 4; x < last; x += 4) {
        const uint32_t four = kbc_load_4(x);
        const int16x2_t even = __ssub16(__sxtb16((int8x4_t)four), zeros);
        const int16x2_t odd = __ssub16(kbc_spread_odd(four), zeros);
        b = kbc_add_products(b, w + n, even, odd);
        a = kbc_add_products(a, w, even, odd);
        d = kbc_add_products(d, w2 + n, even, odd);
        c = kbc_add_products(c, w2, even, odd);
        w += 4;
        w2 += 4;
    }
#endif
    for (; x < end; ++w, ++w2) {
        const int32_t distance = *x++ - zx;
        b += w[n] * distance;
        a += *w * distance;
        d += w2[n] * distance;
        c += *w2 * distance;
    }
    acc[0] = a;
    acc[1] = b;
    acc[2] = c;
    acc[3] = d;
}

/* acc[o] for o < count, of weights [count][n]. */
static inline void kbc_int8_dots(int32_t *acc, const int8_t *w, const int8_t *x, int32_t n,
                                 int32_t zx, int32_t count)
{
    int32_t o = 0;

    for (; o + KBC_OUTPUTS <= count; o += KBC_OUTPUTS, w += KBC_OUTPUTS * n) {
        kbc_int8_dot_4(acc + o, w, x, n, zx);
    }
    for (; o < count; ++o, w += n) {
        acc[o] = kbc_int8_dot(w, x, n, zx);
    }
}

/* The same for all outputs of a pixel or row, and what `finish` makes of them. */
static inline void kbc_int8_outputs(const kbc_finish *f, const int8_t *w, const int8_t *x,
                                    int32_t n, int32_t zx, int32_t pixel, const void *shortcut,
                                    void *y)
{
    int32_t acc[KBC_BLOCK];

    for (int32_t first = 0; first < f->size; first += KBC_BLOCK) {
        const int32_t count = kbc_block(f->size - first);
        kbc_int8_dots(acc, w + first * n, x, n, zx, count);
        f->function(f, acc, pixel, first, count, shortcut, y);
    }
}

#endif /* KBC_INT8_DOTS_H */
