/* One-bit inputs on CPUs that count the ones of 16 words in one instruction: no tables.
 *
 *     sum = 2 * (the bits in which w and x agree) = 2 popcount(~(w ^ x) & mask)
 *
 * which is what tables of E[n] sum to (instruction_set.h). In the place of its tables a pixel has a
 * pair of each word of x and its mask, all ones, and a number to add. A tap outside of the image
 * has masks of 0 and, for its channels as many as half of them agreeing, that number.
 *
 * Two operations (the first is one of three operands) and an addition a register, for lanes * 32
 * products.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_COUNTS_H
#define KBC_COUNTS_H

#include <string.h>

#include "sums.h"

typedef struct {
    kbc_lanes of[MOST_PIXELS][MOST_VECTORS];
} kbc_counts;

static KBC_TARGET void tables_b1(uint8_t *tables, const void *x, int32_t channels, int32_t groups)
{
    const int32_t words = groups / KBC_GROUPS_OF_WORD;
    const uint32_t *in = x;
    uint32_t *pair = (uint32_t *)(void *)tables;

    (void)channels;
    for (int32_t i = 0; i < words; ++i, pair += 2) {
        pair[0] = in[i];
        pair[1] = 0xffffffffu;
    }
    pair[0] = 0;
}

/* Adds the agreements of a word, in one plane of its weights. */
KBC_INLINE void kbc_count_word(kbc_shape s, kbc_counts *counts, const uint8_t *weights,
                               const uint32_t *pair, int32_t next)
{
    kbc_lanes w[MOST_VECTORS];

    KBC_UNROLL
    for (int v = 0; v < s.vectors; ++v) {
        w[v] = kbc_load(weights + v * KBC_LANES);
        if (s.pixels == 1) {
            __builtin_prefetch(weights + v * KBC_LANES + AHEAD);
        }
    }
    KBC_UNROLL
    for (int p = 0; p < s.pixels; ++p) {
        const kbc_lanes x = kbc_word(pair[p * next]), mask = kbc_word(pair[p * next + 1]);
        KBC_UNROLL
        for (int v = 0; v < s.vectors; ++v) {
            counts->of[p][v] = kbc_add_words(counts->of[p][v], kbc_agreements(w[v], x, mask));
        }
    }
}

KBC_INLINE void kbc_count(kbc_shape s, const kbc_taps_sum *taps, uint32_t *to, int32_t stride)
{
    const int32_t planes = s.ternary ? 2 : 1;
    const int32_t words = taps->tap_steps / (planes * (int32_t)sizeof(uint32_t));
    const int32_t next = taps->next / (int32_t)sizeof(uint32_t);
    const uint8_t *weights = taps->weights;
    uint32_t added[MOST_PIXELS] = {0};
    kbc_counts counts;

    for (int p = 0; p < s.pixels; ++p) {
        for (int v = 0; v < s.vectors; ++v) {
            counts.of[p][v] = kbc_zero();
        }
    }
    for (int32_t run = 0; run < taps->count; ++run) {
        const uint32_t *pair = (const uint32_t *)(const void *)taps->runs[run];
        for (int32_t left = taps->steps; left > 0; left -= taps->tap_steps) {
            for (int32_t i = 0; i < words; ++i, pair += 2) {
                for (int plane = 0; plane < planes; ++plane) {
                    kbc_count_word(s, &counts, weights, pair, next);
                    weights += s.vectors * KBC_LANES;
                }
            }
            for (int p = 0; p < s.pixels; ++p) {
                added[p] += pair[p * next];
            }
            pair += 2;
        }
    }
    for (int p = 0; p < s.pixels; ++p) {
        const kbc_lanes constant = kbc_word(added[p]);
        for (int v = 0; v < s.vectors; ++v) {
            const kbc_lanes twice = kbc_add_words(counts.of[p][v], counts.of[p][v]);
            kbc_store_words(to + p * stride + v * KBC_WORD_LANES, kbc_add_words(twice, constant));
        }
    }
}

#define KBC_COUNT(name, ternary, pixels, vectors)                                         \
    static KBC_TARGET void name(const kbc_taps_sum *taps, uint32_t *sums, int32_t stride) \
    {                                                                                     \
        kbc_count((kbc_shape){true, ternary, pixels, vectors}, taps, sums, stride);       \
    }

#define KBC_COUNT_SHAPES(name, ternary)   \
    KBC_COUNT(name##_1x4, ternary, 1, 4)  \
    KBC_COUNT(name##_1x2, ternary, 1, 2)  \
    KBC_COUNT(name##_2x2, ternary, 2, 2)  \
    KBC_COUNT(name##_2x4, ternary, 2, 4)

KBC_COUNT_SHAPES(sum_b1, false)
KBC_COUNT_SHAPES(sum_b1_ternary, true)

#define KBC_BIT_SHAPES_OF(name) {name##_1x4, name##_1x2, name##_2x2, name##_2x4}

#endif /* KBC_COUNTS_H */
