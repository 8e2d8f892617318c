/* Fully connected, one-bit weights, int8 activations: by tables of partial sums.
 *
 * A group of n inputs meets each of its 2^n sign patterns in many outputs, so their signed sums
 * are worked out once, in a table that the weights' own bits then look up:
 *
 *     sum[i] = 255 n + sum_b s(i, b) * d[b],    d[b] = x[b] - zx,  s = -1 where bit b of i is 1
 *     acc[o] = sum over the groups of sum[bits of w[o]] - 255 * inputs
 *
 * 255 n keeps every entry non-negative, because |d| <= 255. So two 16-bit entries share a 32-bit
 * word, and plain arithmetic on words serves both: neither carries into the other. The greatest
 * entry of 8 inputs is 2 * 255 * 8 = 4080.
 *
 * A small table, of 4 inputs, grows by doubling: sum[i + 2^b] = sum[i] - 2 d[b]. A large one, of
 * 8 inputs, is the outer sum of two small ones. Large tables halve the look-ups of each output,
 * small ones take a quarter of the time to build: FEW outputs part the two.
 *
 * Inputs are taken 32 at a time, which is a weight word. Layout `columns` is word 0 of every
 * output, then word 1 of every output, and so on, so that a pass over the outputs reads straight on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "one_bit.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Weight bytes and pairs of sums are laid out for little-endian cores."
#endif

enum {
    BLOCK = 32, /* inputs of a weight word */
    FEW = 96,   /* outputs at which the two take as many instructions on a Cortex-M4 */
};

/* The sums of 4 inputs, and of 8. pair[i] holds sum[2 * i] and sum[2 * i + 1]. What is written as
 * pairs is read as sums: C allows it where each access names the union, and not through a pointer
 * to one of its members. */
typedef union {
    uint32_t pair[8];
    uint16_t sum[16];
} small_table;

typedef union {
    uint32_t pair[128];
    uint16_t sum[256];
} large_table;

/* As a number a pair is 2^16 * high + low, whatever the signs of the two: adding this adds v to
 * both. */
static inline uint32_t both(int32_t v)
{
    return 0x10001u * (uint32_t)v;
}

static void sum_small(small_table *table, const int8_t *x, int32_t zx)
{
    const int32_t d0 = x[0] - zx, d1 = x[1] - zx, d2 = x[2] - zx, d3 = x[3] - zx;
    const uint32_t step1 = both(2 * d1), step2 = both(2 * d2), step3 = both(2 * d3);

    const uint32_t a = both(4 * 255 + d0 + d1 + d2 + d3) - ((uint32_t)(2 * d0) << 16);
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

static void sum_large(large_table *table, const int8_t *x, int32_t zx)
{
    small_table first, last;
    sum_small(&first, x, zx);
    sum_small(&last, x + 4, zx);

    /* Copies, which stay in registers over all of the loop. */
    const uint32_t a = first.pair[0], b = first.pair[1], c = first.pair[2], d = first.pair[3];
    const uint32_t e = first.pair[4], f = first.pair[5], g = first.pair[6], h = first.pair[7];
    for (int32_t i = 0; i < 16; ++i) {
        const uint32_t s = both(last.sum[i]);
        table->pair[8 * i] = a + s;
        table->pair[8 * i + 1] = b + s;
        table->pair[8 * i + 2] = c + s;
        table->pair[8 * i + 3] = d + s;
        table->pair[8 * i + 4] = e + s;
        table->pair[8 * i + 5] = f + s;
        table->pair[8 * i + 6] = g + s;
        table->pair[8 * i + 7] = h + s;
    }
}

/* acc[o] += the sums that the block's weights, 4 bytes an output, look up.
 *
 * Each table's address is kept in a register of its own: an indexed load has no room for an offset
 * as well. */
static void look_up_small(int32_t *acc, const uint32_t *w, int32_t outs, const small_table *t)
{
    const small_table *a = t, *b = t + 1, *c = t + 2, *d = t + 3;
    const small_table *e = t + 4, *f = t + 5, *g = t + 6, *h = t + 7;
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

static void look_up_large(int32_t *acc, const uint8_t *w, int32_t outs, const large_table *t)
{
    const large_table *a = t, *b = t + 1, *c = t + 2, *d = t + 3;
    const int32_t *const last = acc + outs, *const last4 = acc + outs / 4 * 4;
    KBC_OPAQUE(b);
    KBC_OPAQUE(c);
    KBC_OPAQUE(d);

    for (; acc < last4; acc += 4) {
        acc[0] += a->sum[w[0]] + b->sum[w[1]] + c->sum[w[2]] + d->sum[w[3]];
        acc[1] += a->sum[w[4]] + b->sum[w[5]] + c->sum[w[6]] + d->sum[w[7]];
        acc[2] += a->sum[w[8]] + b->sum[w[9]] + c->sum[w[10]] + d->sum[w[11]];
        acc[3] += a->sum[w[12]] + b->sum[w[13]] + c->sum[w[14]] + d->sum[w[15]];
        w += 16;
    }
    for (; acc < last; ++acc) {
        *acc += a->sum[w[0]] + b->sum[w[1]] + c->sum[w[2]] + d->sum[w[3]];
        w += 4;
    }
}

/* acc[o] += w[o] . (x - zx) over a block of inputs. */
typedef void add_block(int32_t *acc, const uint32_t *w, int32_t outs, void *tables, const int8_t *x,
                       int32_t zx);

static void add_by_small(int32_t *acc, const uint32_t *w, int32_t outs, void *tables,
                         const int8_t *x, int32_t zx)
{
    small_table *t = tables;

    for (int32_t i = 0; i < 8; ++i) {
        sum_small(&t[i], x + 4 * i, zx);
    }
    look_up_small(acc, w, outs, t);
}

static void add_by_large(int32_t *acc, const uint32_t *w, int32_t outs, void *tables,
                         const int8_t *x, int32_t zx)
{
    large_table *t = tables;

    for (int32_t i = 0; i < 4; ++i) {
        sum_large(&t[i], x + 8 * i, zx);
    }
    look_up_large(acc, (const uint8_t *)w, outs, t);
}

/* The accumulators, and behind them the tables of one block. */
int32_t kbc_fully_connected_s8_tables_scratch(const kbc_fully_connected_params *p)
{
    const int32_t tables = p->out_features < FEW ? 8 * (int32_t)sizeof(small_table)
                                                 : 4 * (int32_t)sizeof(large_table);
    return 4 * p->out_features + tables;
}

/* acc[o] = w[o] . (x - zx) */
static void accumulate(const kbc_fully_connected_params *p, const int8_t *x, int32_t *acc)
{
    const int32_t outs = p->out_features;
    const int32_t zx = p->input_zero_point;
    add_block *const add = outs < FEW ? add_by_small : add_by_large;
    const int32_t offset = 255 * BLOCK * kbc_words(p->in_features);
    const uint32_t *w = p->weights;
    void *tables = acc + outs;
    int32_t k = p->in_features;

    for (int32_t o = 0; o < outs; ++o) {
        acc[o] = -offset;
    }
    for (; k >= BLOCK; k -= BLOCK) {
        add(acc, w, outs, tables, x, zx);
        w += outs;
        x += BLOCK;
    }
    if (k > 0) {
        /* The rest of the last block is zeros, which add nothing with either sign. */
        int8_t block[BLOCK];
        memset(block, (int)zx, sizeof block);
        memcpy(block, x, (size_t)k);
        add(acc, w, outs, tables, block, zx);
    }
}

kbc_status kbc_fully_connected_s8_tables(const kbc_fully_connected_params *p, const void *x,
                                         const void *shortcut, void *y, void *scratch)
{
    const int32_t outs = p->out_features;
    int32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r) {
        accumulate(p, (const int8_t *)x + r * p->in_features, acc);
        for (int32_t first = 0; first < outs; first += KBC_BLOCK) {
            p->finish.function(&p->finish, acc + first, r, first, kbc_block(outs - first),
                               shortcut, y);
        }
    }
    return KBC_OK;
}
