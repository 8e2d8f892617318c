/* Fully connected, ternary weights, int8 activations: by tables of 16 partial sums.
 *
 * The signed sums of 4 inputs in which the minus ones, or the plus ones, are negative differ by
 * twice the product with the weights:
 *
 *     2 acc[o] = sum over the groups of 4 of sum[minus ones of w[o]] - sum[plus ones of w[o]]
 *
 * Twice as many look-ups as of one-bit weights, and no bias. Layout `counted_columns`, without use
 * for the counts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_nibbles.h"

int32_t kbc_fully_connected_s8_ternary_nibbles_scratch(const kbc_fully_connected_params *p)
{
    return kbc_fully_connected_nibbles_bytes(p);
}

static inline int32_t difference(const kbc_sums_of_4 *t, uint32_t minus, uint32_t plus)
{
    return t->sum[minus & 15] - t->sum[plus & 15];
}

static void look_up(int32_t *acc, const uint32_t *w, int32_t outs, const kbc_sums_of_4 *t)
{
    KBC_TABLES_A_TO_H(t);

    for (const int32_t *end = acc + outs; acc < end; ++acc, ++w) {
        const uint32_t m = w[0], p = w[outs] & ~m;
        *acc += difference(a, m, p) + difference(b, m >> 4, p >> 4) +
                difference(c, m >> 8, p >> 8) + difference(d, m >> 12, p >> 12) +
                difference(e, m >> 16, p >> 16) + difference(f, m >> 20, p >> 20) +
                difference(g, m >> 24, p >> 24) + difference(h, m >> 28, p >> 28);
    }
}

kbc_status kbc_fully_connected_s8_ternary_nibbles(const kbc_fully_connected_params *p,
                                                  const void *x, const void *shortcut, void *y,
                                                  void *scratch)
{
    int32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r) {
        memset(acc, 0, 4 * (size_t)p->out_features);
        kbc_add_nibbles(p, (const int8_t *)x + r * p->in_features, acc, look_up, 2);
        for (int32_t o = 0; o < p->out_features; ++o) {
            acc[o] /= 2;
        }
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
