/* Tables of counts for eight filters, looked up by the activations' own bits.
 *
 *     count[i] = in 4-bit lane f: how many bits of i differ from the weights of filter f, where
 *                those are not 0
 *
 * Groups of 7, 6, 6, 6 and 7 inputs have a table each, so that the 32 inputs of a word take five
 * look-ups. Counts of 7 + 7, of 6 + 6 and of 6 inputs stay below 16; then even and odd lanes part
 * into two words of bytes, and at the end of a word of inputs into four of 16-bit lanes:
 *
 *     sums[0]  sums[1]  sums[2]  sums[3]    hold the filters
 *     0, 4     2, 6     1, 5     3, 7       in their low and high halves
 *
 * The weights of a word of inputs come as 8 words: bit 4 f + b of word q is weight 4 q + b of
 * filter f.
 *
 * Four tables of 256 entries would take one look-up less, but twice the instructions to build and
 * more than twice the memory, which is better spent on more pixels that share them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FILTER_TABLES_H
#define KBC_FILTER_TABLES_H

#include "one_bit.h"

enum { KBC_LANES = 8, KBC_SUMS = 4 };

#define KBC_BOTH(v) ((uint32_t)(v) * 0x10001u) /* the same in both halves of a word */

typedef struct {
    uint32_t a[128], b[64], c[64], d[64], e[128];
} kbc_filter_tables;

/* Of eight filters. */
typedef struct {
    uint32_t lanes[KBC_SUMS];
} kbc_sums;

/* Pixels of a word of inputs, and their sums: how many, and the bytes from one to the next. */
typedef struct {
    const uint32_t *x;
    kbc_sums *sums;
    int32_t rows, columns; /* more than 0 */
    int32_t x_row, x_column, sums_row;
} kbc_pixels;

/* The tables of 4 * words <= 32 weights. `used` is NULL where no weight is 0. */
void kbc_build_tables(kbc_filter_tables *t, const uint32_t *w, const uint32_t *used,
                      int32_t words);

/* sums[row][column] += the counts of x[row][column] */
void kbc_add_counts(const kbc_filter_tables *t, const kbc_pixels *p);

/* Without an instruction that takes bytes 0 and 2 out of a word, words are added as they are; then
 * what went from bytes 1 and 3 into the even sums is taken away at the end. */
#if defined(__thumb2__) && defined(__ARM_FEATURE_SIMD32)
#define KBC_SUMS_OVERLAP 0
#else
#define KBC_SUMS_OVERLAP 1
#endif

/* What has to be done once all counts are in sums that began at `start` in each lane. */
static inline void kbc_settle(kbc_sums *s, uint32_t start)
{
    if (KBC_SUMS_OVERLAP) {
        s->lanes[0] -= (s->lanes[1] - KBC_BOTH(start)) << 8;
        s->lanes[2] -= (s->lanes[3] - KBC_BOTH(start)) << 8;
    }
}

#endif /* KBC_FILTER_TABLES_H */
