/* Tables of partial sums (equations in instruction_set.h), in the lanes of an instruction set.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_TABLES_H
#define KBC_TABLES_H

#include <string.h>

#include "instruction_set.h"

/* Entry n of a table, of 16 bits, takes u[k] where bit k of n is 0, else 255 - u[k], which lies 4
 * bytes behind it. The first three inputs make entries 0 to 7, the fourth all others. */
#define NONE 128
#define ENTRIES(a, b, c, d, e, f, g, h) \
    {a, NONE, b, NONE, c, NONE, d, NONE, e, NONE, f, NONE, g, NONE, h, NONE}
#define PATTERNS(i)                                                            \
    {                                                                          \
        ENTRIES(i, i + 4, i, i + 4, i, i + 4, i, i + 4),                       \
            ENTRIES(i + 1, i + 1, i + 5, i + 5, i + 1, i + 1, i + 5, i + 5),   \
            ENTRIES(i + 2, i + 2, i + 2, i + 2, i + 6, i + 6, i + 6, i + 6),   \
            ENTRIES(i + 3, i + 3, i + 3, i + 3, i + 3, i + 3, i + 3, i + 3),   \
            ENTRIES(i + 7, i + 7, i + 7, i + 7, i + 7, i + 7, i + 7, i + 7)    \
    }

static const uint8_t PATTERN[2][5][16] = {PATTERNS(0), PATTERNS(8)};

/* The table of one of two groups: u and 255 - u of the first lie before those of the second. */
KBC_INLINE void kbc_table_s8(uint8_t *table, kbc_bytes two, const uint8_t (*pattern)[16])
{
    kbc_bytes part[5];

    for (int i = 0; i < 5; ++i) {
        part[i] = kbc_take(two, kbc_load_bytes(pattern[i]));
    }
    const kbc_bytes sums = kbc_add_16(kbc_add_16(part[0], part[1]), part[2]);
    const kbc_bytes first = kbc_add_16(sums, part[3]), last = kbc_add_16(sums, part[4]);
    kbc_store_bytes(table, kbc_low_bits(first, last));
    kbc_store_bytes(table + KBC_TABLE_BYTES, kbc_high_bits(first, last));
}

/* `groups` of them: one, two or more. */
KBC_INLINE void kbc_two_tables_s8(uint8_t *tables, kbc_bytes two, int32_t groups)
{
    kbc_table_s8(tables, two, PATTERN[0]);
    if (groups > 1) {
        kbc_table_s8(tables + 2 * KBC_TABLE_BYTES, two, PATTERN[1]);
    }
}

static KBC_TARGET void tables_s8(uint8_t *tables, const void *x, int32_t channels, int32_t groups)
{
    const int8_t *in = x;
    int8_t rest[16];

    for (; groups > 0; groups -= 4, channels -= 16, in += 16, tables += 8 * KBC_TABLE_BYTES) {
        const int8_t *sixteen = in;
        if (channels < 16) {
            memset(rest, -128, sizeof rest);
            memcpy(rest, in, channels > 0 ? (size_t)channels : 0);
            sixteen = rest;
        }
        const kbc_bytes u = kbc_flip(kbc_load_bytes(sixteen), 0x80), mirrored = kbc_flip(u, 0xff);
        kbc_two_tables_s8(tables, kbc_zip_low(u, mirrored), groups);
        if (groups > 2) {
            kbc_two_tables_s8(tables + 4 * KBC_TABLE_BYTES, kbc_zip_high(u, mirrored), groups - 2);
        }
    }
}

#if !KBC_WORD_LANES

/* E[n] for 4 bits of x. */
#define ONES(d) (((d) & 1) + ((d) >> 1 & 1) + ((d) >> 2 & 1) + ((d) >> 3))
#define E(x, n) (8 - 2 * ONES((x) ^ (n)))
#define BITS(x)                                                                              \
    {                                                                                        \
        E(x, 0), E(x, 1), E(x, 2), E(x, 3), E(x, 4), E(x, 5), E(x, 6), E(x, 7), E(x, 8),     \
            E(x, 9), E(x, 10), E(x, 11), E(x, 12), E(x, 13), E(x, 14), E(x, 15)              \
    }

static const uint8_t OF_BITS[16][16] = {
    BITS(0), BITS(1), BITS(2),  BITS(3),  BITS(4),  BITS(5),  BITS(6),  BITS(7),
    BITS(8), BITS(9), BITS(10), BITS(11), BITS(12), BITS(13), BITS(14), BITS(15),
};

static KBC_TARGET void tables_b1(uint8_t *tables, const void *x, int32_t channels, int32_t groups)
{
    const uint32_t *words = x;

    (void)channels;
    for (int32_t g = 0; g < groups; ++g) {
        const uint32_t nibble = words[g / 8] >> (g % 8 * 4) & 15;
        kbc_store_bytes(tables + g * KBC_TABLE_BYTES, kbc_load_bytes(OF_BITS[nibble]));
    }
}

#endif

#endif /* KBC_TABLES_H */
