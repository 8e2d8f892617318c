/* Fully connected, one-bit weights, int8 activations: by tables of partial sums.
 *
 * 8 inputs meet each of their 2^8 sign patterns in many outputs, so the signed sums are worked out
 * once, in a table that the weights' own bytes then look up:
 *
 *     acc[o] = sum over the groups of 8 of sum[byte of w[o]] - bias
 *
 * A pass over the outputs takes the 32 inputs of a weight word (byte_tables.h). Layout `columns` is
 * word 0 of every output, then word 1 of every output, and so on, so that a pass reads straight on.
 *
 * Instructions: 176 a table and 13 an output and word on ARMv7-M, 222 and 19 on ARMv6-M.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "one_bit.h"
#include "sums_of_8.h"

enum {
    BLOCK = 32, /* inputs of a weight word */
    FEW = 40,   /* outputs below which tables of 4 inputs take less (fully_connected_s8_nibbles.c) */
};

/* The accumulators, and behind them the tables of one block. */
int32_t kbc_fully_connected_s8_tables_scratch(const kbc_fully_connected_params *p)
{
    if (p->out_features < FEW) {
        return -1;
    }
    return 4 * p->out_features + KBC_TABLES * (int32_t)sizeof(kbc_byte_table);
}

/* Tables of k inputs, fewer than a block: behind them the weights are zeros, which look up entry 0
 * of every table. */
static void sum_rest(kbc_byte_table *t, const int8_t *x, int32_t k, int32_t zx)
{
    const int32_t tables = (k + 7) / 8;
    int8_t block[BLOCK];

    memset(block, (int)zx, sizeof block);
    memcpy(block, x, (size_t)k);
    kbc_sum_8(t, block, zx, tables);
    for (int32_t i = tables; i < KBC_TABLES; ++i) {
        t[i].sum[0] = KBC_BIAS_OF_8;
    }
}

/* acc[o] = w[o] . (x - zx) */
static void accumulate(const kbc_fully_connected_params *p, const int8_t *x, uint32_t *acc)
{
    const int32_t outs = p->out_features;
    const int32_t zx = p->input_zero_point;
    const uint32_t bias = KBC_BIAS_OF_8 * KBC_TABLES * (uint32_t)kbc_words(p->in_features);
    const uint32_t *w = p->weights;
    kbc_byte_table *tables = (kbc_byte_table *)(acc + outs);
    int32_t k = p->in_features;

    for (int32_t o = 0; o < outs; ++o) {
        acc[o] = 0u - bias;
    }
    for (; k >= BLOCK; k -= BLOCK) {
        kbc_sum_8(tables, x, zx, KBC_TABLES);
        kbc_look_up(acc, w, outs, tables);
        w += outs;
        x += BLOCK;
    }
    if (k > 0) {
        sum_rest(tables, x, k, zx);
        kbc_look_up(acc, w, outs, tables);
    }
}

kbc_status kbc_fully_connected_s8_tables(const kbc_fully_connected_params *p, const void *x,
                                         const void *shortcut, void *y, void *scratch)
{
    uint32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r) {
        accumulate(p, (const int8_t *)x + r * p->in_features, acc);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
