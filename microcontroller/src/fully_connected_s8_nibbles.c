/* Fully connected, one-bit weights, int8 activations: by tables of 16 partial sums.
 *
 *     acc[o] = sum over the groups of 4 of sum[bits of w[o]] - bias
 *
 * Layout `columns`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_nibbles.h"

int32_t kbc_fully_connected_s8_nibbles_scratch(const kbc_fully_connected_params *p)
{
    return kbc_fully_connected_nibbles_bytes(p);
}

static void look_up(int32_t *acc, const uint32_t *w, int32_t outs, const kbc_sums_of_4 *t)
{
    KBC_TABLES_A_TO_H(t);

    for (const int32_t *end = acc + outs; acc < end; ++acc) {
        const uint32_t v = *w++;
        *acc += a->sum[v & 15] + b->sum[v >> 4 & 15] + c->sum[v >> 8 & 15] +
                d->sum[v >> 12 & 15] + e->sum[v >> 16 & 15] + f->sum[v >> 20 & 15] +
                g->sum[v >> 24 & 15] + h->sum[v >> 28];
    }
}

kbc_status kbc_fully_connected_s8_nibbles(const kbc_fully_connected_params *p, const void *x,
                                          const void *shortcut, void *y, void *scratch)
{
    const int32_t bias = KBC_BIAS_OF_4 * KBC_NIBBLES * kbc_words(p->in_features);
    int32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r) {
        for (int32_t o = 0; o < p->out_features; ++o) {
            acc[o] = -bias;
        }
        kbc_add_nibbles(p, (const int8_t *)x + r * p->in_features, acc, look_up, 1);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
