/* Fully connected, one-bit weights, int8 activations: by tables of 16 partial sums.
 *
 * As fully_connected_s8_tables.c, for layers of so few outputs that filling tables of 256 sums
 * would take longer than looking them up: a table of 4 inputs takes a seventh of the time for half
 * as many of them. It also takes little memory.
 *
 *     acc[o] = sum over the groups of 4 of sum[bits of w[o]] - bias
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "one_bit.h"
#include "sum_tables.h"

enum {
    BLOCK = 32, /* inputs of a weight word */
    TABLES = BLOCK / 4,
    BIAS = 4 * 255,
};

/* The accumulators, and behind them the tables of one block. */
int32_t kbc_fully_connected_s8_nibbles_scratch(const kbc_fully_connected_params *p)
{
    return 4 * p->out_features + TABLES * (int32_t)sizeof(kbc_sums_of_4);
}

/* acc[o] += the sums that the block's weights look up.
 *
 * Each table's address is kept in a register of its own: an indexed load has no room for an offset
 * as well. */
static void look_up(int32_t *acc, const uint32_t *w, int32_t outs, const kbc_sums_of_4 *t)
{
    const kbc_sums_of_4 *a = t, *b = t + 1, *c = t + 2, *d = t + 3;
    const kbc_sums_of_4 *e = t + 4, *f = t + 5, *g = t + 6, *h = t + 7;
    KBC_OPAQUE(b);
    KBC_OPAQUE(c);
    KBC_OPAQUE(d);
    KBC_OPAQUE(e);
    KBC_OPAQUE(f);
    KBC_OPAQUE(g);
    KBC_OPAQUE(h);

    for (const int32_t *end = acc + outs; acc < end; ++acc) {
        const uint32_t v = *w++;
        *acc += a->sum[v & 15] + b->sum[v >> 4 & 15] + c->sum[v >> 8 & 15] +
                d->sum[v >> 12 & 15] + e->sum[v >> 16 & 15] + f->sum[v >> 20 & 15] +
                g->sum[v >> 24 & 15] + h->sum[v >> 28];
    }
}

/* acc[o] += w[o] . (x - zx) + TABLES * BIAS, for a block of inputs. */
static void add_block(int32_t *acc, const uint32_t *w, int32_t outs, const int8_t *x, int32_t zx)
{
    kbc_sums_of_4 *t = (kbc_sums_of_4 *)(acc + outs);

    for (int32_t i = 0; i < TABLES; ++i) {
        kbc_sum_4(&t[i], x + 4 * i, zx, BIAS);
    }
    look_up(acc, w, outs, t);
}

/* acc[o] = w[o] . (x - zx) */
static void accumulate(const kbc_fully_connected_params *p, const int8_t *x, int32_t *acc)
{
    const int32_t outs = p->out_features;
    const int32_t zx = p->input_zero_point;
    const int32_t bias = BIAS * TABLES * kbc_words(p->in_features);
    const uint32_t *w = p->weights;
    int32_t k = p->in_features;

    for (int32_t o = 0; o < outs; ++o) {
        acc[o] = -bias;
    }
    for (; k >= BLOCK; k -= BLOCK) {
        add_block(acc, w, outs, x, zx);
        w += outs;
        x += BLOCK;
    }
    if (k > 0) {
        /* The rest of the last block is zeros, which add nothing with either sign. */
        int8_t block[BLOCK];
        memset(block, (int)zx, sizeof block);
        memcpy(block, x, (size_t)k);
        add_block(acc, w, outs, block, zx);
    }
}

kbc_status kbc_fully_connected_s8_nibbles(const kbc_fully_connected_params *p, const void *x,
                                          const void *shortcut, void *y, void *scratch)
{
    int32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r) {
        accumulate(p, (const int8_t *)x + r * p->in_features, acc);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
