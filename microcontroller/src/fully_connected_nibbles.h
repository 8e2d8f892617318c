/* The loops that fully connected kernels share which look sums up by 4 bits of weights.
 *
 * As fully_connected_tables.h, for layers of so few outputs that filling tables of 256 sums would
 * take longer than looking them up: a table of 4 inputs takes a seventh of the time for half as
 * many of them. It also takes little memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FULLY_CONNECTED_NIBBLES_H
#define KBC_FULLY_CONNECTED_NIBBLES_H

#include <string.h>

#include "one_bit.h"
#include "sum_tables.h"

enum {
    KBC_NIBBLES = 8, /* tables of a block: of the inputs of a weight word */
    KBC_BIAS_OF_4 = 4 * 255,
};

/* The tables of a block. Each one's address is kept in a register of its own: an indexed load has no
 * room for an offset as well. */
#define KBC_TABLES_A_TO_H(t)                                               \
    const kbc_sums_of_4 *a = t, *b = t + 1, *c = t + 2, *d = t + 3;        \
    const kbc_sums_of_4 *e = t + 4, *f = t + 5, *g = t + 6, *h = t + 7;    \
    KBC_OPAQUE(b);                                                         \
    KBC_OPAQUE(c);                                                         \
    KBC_OPAQUE(d);                                                         \
    KBC_OPAQUE(e);                                                         \
    KBC_OPAQUE(f);                                                         \
    KBC_OPAQUE(g);                                                         \
    KBC_OPAQUE(h)

/* acc[o] += what w, the block's words of all outputs, look up in the tables. */
typedef void kbc_look_up_nibbles(int32_t *acc, const uint32_t *w, int32_t outs,
                                 const kbc_sums_of_4 *t);

/* The accumulators, and behind them the tables of one block. */
static inline int32_t kbc_fully_connected_nibbles_bytes(const kbc_fully_connected_params *p)
{
    return 4 * p->out_features + KBC_NIBBLES * (int32_t)sizeof(kbc_sums_of_4);
}

/* Adds all blocks of a row of inputs to acc; an output has `planes` words of a block. */
static inline void kbc_add_nibbles(const kbc_fully_connected_params *p, const int8_t *x,
                                   int32_t *acc, kbc_look_up_nibbles *look_up, int32_t planes)
{
    const int32_t outs = p->out_features, zx = p->input_zero_point;
    const uint32_t *w = p->weights;
    kbc_sums_of_4 *t = (kbc_sums_of_4 *)(acc + outs);
    int8_t rest[KBC_BLOCK];

    for (int32_t k = p->in_features; k > 0; k -= KBC_BLOCK) {
        if (k < KBC_BLOCK) {
            /* Behind the rest of the last block are zeros, which add nothing with either sign. */
            memset(rest, (int)zx, sizeof rest);
            memcpy(rest, x, (size_t)k);
            x = rest;
        }
        for (int32_t i = 0; i < KBC_NIBBLES; ++i) {
            kbc_sum_4(&t[i], x + 4 * i, zx, KBC_BIAS_OF_4);
        }
        look_up(acc, w, outs, t);
        w += planes * outs;
        x += KBC_BLOCK;
    }
}

#endif /* KBC_FULLY_CONNECTED_NIBBLES_H */
