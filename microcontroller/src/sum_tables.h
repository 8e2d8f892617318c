/* Tables of the signed sums of a few inputs, which the weights' own bits look up.
 *
 *     sum[i] = bias + sum_b s(i, b) * (x[b] - zx),    s = -1 where bit b of i is 1, else +1
 *
 * The bias keeps every entry positive, because |x - zx| <= 255. So two 16-bit entries share a
 * 32-bit word, and plain arithmetic on words serves both: neither carries into the other.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_SUM_TABLES_H
#define KBC_SUM_TABLES_H

#include "kbc/kbc.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Weight bytes and pairs of sums are laid out for little-endian cores."
#endif

/* As a number a pair is 2^16 * high + low, whatever the signs of the two: adding this adds v to
 * both. */
static inline uint32_t kbc_both(int32_t v)
{
    return 0x10001u * (uint32_t)v;
}

/* The sums of 4 inputs: pair[i] holds sum[2 * i] and sum[2 * i + 1]. It grows by doubling,
 * sum[i + 2^b] = sum[i] - 2 d[b].
 *
 * What is written as pairs is read as sums: C allows it where each access names the union, and not
 * through a pointer to one of its members. */
typedef union {
    uint32_t pair[8];
    uint16_t sum[16];
} kbc_sums_of_4;

static inline void kbc_sum_4(kbc_sums_of_4 *table, const int8_t *x, int32_t zx, int32_t bias)
{
    const int32_t d0 = x[0] - zx, d1 = x[1] - zx, d2 = x[2] - zx, d3 = x[3] - zx;
    const uint32_t step1 = kbc_both(2 * d1), step2 = kbc_both(2 * d2), step3 = kbc_both(2 * d3);

    const uint32_t a = kbc_both(bias + d0 + d1 + d2 + d3) - ((uint32_t)(2 * d0) << 16);
    const uint32_t b = a - step1;
    const uint32_t c = a - step2;
    const uint32_t d = b - step2;
    table->pair[0] = a;
    table->pair[1] = b;
    table->pair[2] = c;
    table->pair[3] = d;
    table->pair[4] = a - step3;
    table->pair[5] = b - step3;
    table->pair[6] = c - step3;
    table->pair[7] = d - step3;
}

#endif /* KBC_SUM_TABLES_H */
