/* Fully connected, few-bit weights, one-bit activations, by vectors: what binary and ternary share.
 *
 *     acc[o] = inputs - 2 * bits in which w[o] and x differ
 *
 * 256 inputs stay in two registers over a pass through the outputs. For two outputs it takes 1
 * instruction to load 4 vectors of weights, and for each of them a veor, a gather of the bytes'
 * counts from a table, and a vaddva; with the accumulators and the loop that is 16 for 512
 * products, 0.031 a product. (Counting without a gather takes more.)
 *
 * Layout `quads`: passes of 8 words of each output, and where 4 words or fewer are left a pass of
 * 4; 0s behind an odd number of outputs. A ternary pass has both planes (mve.h), one behind the
 * other, whose counts are added.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FULLY_CONNECTED_B1_MVE_H
#define KBC_FULLY_CONNECTED_B1_MVE_H

#include <string.h>

#include "mve.h"

static inline int32_t kbc_even(int32_t outs)
{
    return outs + outs % 2;
}

/* The accumulators. */
static inline int32_t kbc_counts_scratch(const kbc_fully_connected_params *p)
{
    return 4 * (p->out_features + 3);
}

#if KBC_HAS_MVE

#define TWO(n) n, n + 1, n + 1, n + 2
#define FOUR(n) TWO(n), TWO(n + 1), TWO(n + 1), TWO(n + 2)
#define SIX(n) FOUR(n), FOUR(n + 1), FOUR(n + 1), FOUR(n + 2)
static const uint8_t kbc_bit_counts[256] = {SIX(0), SIX(1), SIX(1), SIX(2)};
#undef SIX
#undef FOUR
#undef TWO

#define COUNT(sum, w, x)               \
    "veor " w ", " w ", " x "\n"       \
    "vldrb.u8 q5, [%[table], " w "]\n" \
    "vaddva.u8 %[" sum "], q5\n"

#define DEFINE_COUNTS(name, registers, counts)                                              \
    static inline const uint32_t *name(int32_t *acc, const uint32_t *w, int32_t outs,       \
                                       const uint32_t x[8])                                 \
    {                                                                                       \
        int32_t a, b;                                                                       \
        __asm__ volatile("vldmia %[x], {d12-d15}\n"                                         \
                         "dls lr, %[pairs]\n"                                               \
                         "1:\n"                                                             \
                         "ldrd %[a], %[b], [%[acc]]\n"                                      \
                         "vldmia %[w]!, {" registers "}\n" counts                           \
                         "strd %[a], %[b], [%[acc]], #8\n"                                  \
                         "le lr, 1b\n"                                                      \
                         : [acc] "+r"(acc), [w] "+r"(w), [a] "=&Te"(a), [b] "=&Te"(b)       \
                         : [x] "r"(x), [pairs] "r"((outs + 1) / 2), [table] "r"(kbc_bit_counts) \
                         : "memory", "lr", "q0", "q1", "q2", "q3", "q5", "q6", "q7");       \
        return w;                                                                           \
    }

/* acc[o] += the bits in which 8 words, or 4, of w[o] and x differ. */
DEFINE_COUNTS(kbc_count_eight, "d0-d7",
              COUNT("a", "q0", "q6") COUNT("a", "q1", "q7")
              COUNT("b", "q2", "q6") COUNT("b", "q3", "q7"))
DEFINE_COUNTS(kbc_count_four, "d0-d3", COUNT("a", "q0", "q6") COUNT("b", "q1", "q6"))

static inline void kbc_accumulate_counts(const kbc_fully_connected_params *p, const uint32_t *x,
                                         int32_t *acc, int32_t planes)
{
    const int32_t outs = p->out_features;
    const uint32_t *w = p->weights;

    kbc_mve_set(acc, 0, 4 * kbc_even(outs));
    for (int32_t left = kbc_words(p->in_features); left > 0; left -= 8, x += 8) {
        const uint32_t *words = x;
        uint32_t last[8] = {0};
        if (left < 8) {
            memcpy(last, x, (size_t)(4 * left));
            words = last;
        }
        for (int32_t plane = 0; plane < planes; ++plane) {
            w = left > 4 ? kbc_count_eight(acc, w, outs, words)
                         : kbc_count_four(acc, w, outs, words);
        }
    }
    __asm__ volatile("dlstp.32 lr, %[outs]\n"
                     "1:\n"
                     "vldrw.u32 q0, [%[acc]]\n"
                     "vmul.i32 q0, q0, %[factor]\n"
                     "vadd.i32 q0, q0, %[inputs]\n"
                     "vstrw.32 q0, [%[acc]], #16\n"
                     "letp lr, 1b\n"
                     : [acc] "+l"(acc)
                     : [outs] "r"(outs), [factor] "r"(planes - 3), [inputs] "r"(p->in_features)
                     : "memory", "lr", "q0");
}

static inline kbc_status kbc_fully_connected_counts(const kbc_fully_connected_params *p,
                                                    const uint32_t *x, const void *shortcut,
                                                    void *y, int32_t *acc, int32_t planes)
{
    const int32_t outs = p->out_features;

    for (int32_t r = 0; r < p->rows; ++r, x += kbc_words(p->in_features)) {
        kbc_accumulate_counts(p, x, acc, planes);
        for (int32_t first = 0; first < outs; first += KBC_BLOCK) {
            p->finish.function(&p->finish, acc + first, r, first, kbc_block(outs - first),
                               shortcut, y);
        }
    }
    return KBC_OK;
}

#endif /* KBC_HAS_MVE */

#endif /* KBC_FULLY_CONNECTED_B1_MVE_H */
