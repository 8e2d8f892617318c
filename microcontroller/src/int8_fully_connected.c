/* FULLY_CONNECTED of TensorFlow Lite, int8, with per-channel weights of zero point 0.
 *
 *     acc[r][o] = sum_k w[o][k] * (x[r][k] - zx)
 *
 * Four outputs at a time share the loads of x: 3 instructions a product on ARMv7-M. With its DSP
 * instructions two products are one, of inputs and weights that two more spread over half-words:
 * 2.4 a product, for the compiler loads all words at once and runs out of registers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "int8_dot.h"
#include "one_bit.h"

#if defined(__ARM_FEATURE_SIMD32) && __ARM_FEATURE_SIMD32
#include <arm_acle.h>
#define PAIRWISE 1
#else
#define PAIRWISE 0
#endif

enum { OUTPUTS = 4 };

#if PAIRWISE

static inline uint32_t load_4(const int8_t *x)
{
    uint32_t word;
    memcpy(&word, x, sizeof word); /* one load, wherever x lies */
    return word;
}

/* The odd bytes: what __sxtb16 makes of a word that is rotated, in one instruction. */
static inline int16x2_t spread_odd(uint32_t four)
{
    int16x2_t odd;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(four));
    return odd;
}

/* acc + w[0..3] . d, of which `even` and `odd` hold two half-words each. */
static inline int32_t add_products(int32_t acc, const int8_t *w, int16x2_t even, int16x2_t odd)
{
    const uint32_t four = load_4(w);

    acc = __smlad(__sxtb16((int8x4_t)four), even, acc);
    return __smlad(spread_odd(four), odd, acc);
}

#endif

/* acc[i] = w[i][n] . (x[n] - zx) */
static void dot_4(int32_t acc[OUTPUTS], const int8_t *w, const int8_t *x, int32_t n, int32_t zx)
{
    const int8_t *w2 = w + 2 * n; /* two addresses for four rows */
    const int8_t *const end = x + n;
    int32_t a = 0, b = 0, c = 0, d = 0;
    KBC_OPAQUE(w2);

#if PAIRWISE
    const int16x2_t zeros = (int16x2_t)((uint32_t)zx << 16 | ((uint32_t)zx & 0xffffu));
    for (const int8_t *const last = end - n % 4; x < last; x += 4) {
        const uint32_t four = load_4(x);
        const int16x2_t even = __ssub16(__sxtb16((int8x4_t)four), zeros);
        const int16x2_t odd = __ssub16(spread_odd(four), zeros);
        b = add_products(b, w + n, even, odd);
        a = add_products(a, w, even, odd);
        d = add_products(d, w2 + n, even, odd);
        c = add_products(c, w2, even, odd);
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

int32_t kbc_int8_fully_connected_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_int8_fully_connected(const kbc_fully_connected_params *p, const void *x,
                                    const void *shortcut, void *y, void *scratch)
{
    const int32_t n = p->in_features, zx = p->input_zero_point;
    const int8_t *row = x;
    int32_t acc[KBC_BLOCK];

    (void)scratch;
    for (int32_t r = 0; r < p->rows; ++r, row += n) {
        const int8_t *w = p->weights;
        for (int32_t first = 0; first < p->out_features; first += KBC_BLOCK) {
            const int32_t count = kbc_block(p->out_features - first);
            int32_t o = 0;
            for (; o + OUTPUTS <= count; o += OUTPUTS, w += OUTPUTS * n) {
                dot_4(acc + o, w, row, n, zx);
            }
            for (; o < count; ++o, w += n) {
                acc[o] = kbc_int8_dot(w, row, n, zx);
            }
            p->finish.function(&p->finish, acc, r, first, count, shortcut, y);
        }
    }
    return KBC_OK;
}
