/* Fully connected, ternary weights, one-bit inputs: differing bits counted by carry-save addition.
 *
 *     acc[o] = count(used[o]) - 2 * count((w[o] ^ x) & used[o])
 *
 * Instructions: see carry_save.h. Layout `ternary_carry_save`: count(used) of every output comes
 * first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "fully_connected_carry_save.h"

static inline void copy(uint32_t *y, const uint32_t *x)
{
    memcpy(y, x, KBC_GROUP * sizeof *y);
}

static inline int32_t count_word(const uint32_t *w, uint32_t x)
{
    return kbc_popcount((w[0] ^ x) & w[1]);
}

/* The accumulators. */
int32_t kbc_fully_connected_b1_ternary_carry_save_scratch(const kbc_fully_connected_params *p)
{
    return 4 * p->out_features;
}

kbc_status kbc_fully_connected_b1_ternary_carry_save(const kbc_fully_connected_params *p,
                                                     const void *x, const void *shortcut, void *y,
                                                     void *scratch)
{
    const int32_t outs = p->out_features, words = kbc_words(p->in_features);
    const uint32_t *bits = x, *counts = p->weights;
    int32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r, bits += words) {
        memcpy(acc, counts, (size_t)outs * sizeof *acc);
        kbc_count_all(acc, counts + outs, 2, outs, bits, words, copy, kbc_count_ternary_group,
                      count_word);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
