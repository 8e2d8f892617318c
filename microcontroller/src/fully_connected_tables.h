/* The loops that fully connected kernels share which look up sums of inputs by bytes of weights.
 *
 *     acc[o] = sum over the groups of inputs of sum[byte of w[o]] - bias
 *
 * The sums are worked out once and meet all outputs. A pass over the outputs takes the 4 bytes of a
 * weight word; word 0 of every output comes first, then word 1 of every output, and so on, so that a
 * pass reads straight on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FULLY_CONNECTED_TABLES_H
#define KBC_FULLY_CONNECTED_TABLES_H

#include <string.h>

#include "byte_tables.h"
#include "one_bit.h"

enum { KBC_MOST_INPUTS = 32 }; /* of a pass */

/* Makes tables of the next inputs, each of so many that a byte holds their weights. */
typedef void kbc_fill(kbc_byte_table *t, const int8_t *x, int32_t zx, int32_t tables);

/* The accumulators, and behind them the tables of a pass. */
static inline int32_t kbc_fully_connected_tables_bytes(const kbc_fully_connected_params *p)
{
    return 4 * p->out_features + KBC_TABLES * (int32_t)sizeof(kbc_byte_table);
}

/* Tables of k inputs, fewer than a pass takes. Behind them byte 0 adds nothing: of its table it
 * needs no other entry. */
static inline void kbc_fill_rest(kbc_byte_table *t, const int8_t *x, int32_t k, int32_t zx,
                                 kbc_fill *fill, int32_t inputs, int32_t bias)
{
    const int32_t tables = (k + inputs - 1) / inputs;
    int8_t block[KBC_MOST_INPUTS];

    memset(block, (int)zx, sizeof block);
    memcpy(block, x, (size_t)k);
    fill(t, block, zx, tables);
    for (int32_t i = tables; i < KBC_TABLES; ++i) {
        t[i].sum[0] = (uint16_t)bias;
    }
}

/* acc[o] = w[o] . (x - zx), with tables of `inputs` each, whose sums are greater by `bias`. */
static inline void kbc_accumulate_tables(const kbc_fully_connected_params *p, const int8_t *x,
                                         uint32_t *acc, kbc_fill *fill, int32_t inputs,
                                         int32_t bias)
{
    const int32_t outs = p->out_features, zx = p->input_zero_point;
    const int32_t pass = KBC_TABLES * inputs, passes = (p->in_features + pass - 1) / pass;
    const uint32_t start = 0u - (uint32_t)(passes * KBC_TABLES * bias);
    const uint32_t *w = p->weights;
    kbc_byte_table *tables = (kbc_byte_table *)(acc + outs);
    int32_t k = p->in_features;

    for (int32_t o = 0; o < outs; ++o) {
        acc[o] = start;
    }
    for (; k > 0; k -= pass) {
        if (k >= pass) {
            fill(tables, x, zx, KBC_TABLES);
        } else {
            kbc_fill_rest(tables, x, k, zx, fill, inputs, bias);
        }
        kbc_look_up(acc, w, outs, tables);
        w += outs;
        x += pass;
    }
}

static inline kbc_status kbc_fully_connected_tables(const kbc_fully_connected_params *p,
                                                    const void *x, const void *shortcut, void *y,
                                                    uint32_t *acc, kbc_fill *fill, int32_t inputs,
                                                    int32_t bias)
{
    for (int32_t r = 0; r < p->rows; ++r) {
        kbc_accumulate_tables(p, (const int8_t *)x + r * p->in_features, acc, fill, inputs, bias);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}

#endif /* KBC_FULLY_CONNECTED_TABLES_H */
