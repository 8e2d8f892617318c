/* Fully connected, one-bit weights, one-bit inputs: differing bits counted by carry-save addition.
 *
 *     acc[o] = inputs - 2 * count(w[o] ^ x)
 *
 * Instructions: see carry_save.h. Layout `carry_save`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_carry_save.h"

static inline int32_t count_word(const uint32_t *w, uint32_t x)
{
    return kbc_popcount(*w ^ x);
}

/* The accumulators. */
int32_t kbc_fully_connected_b1_carry_save_scratch(const kbc_fully_connected_params *p)
{
    return 4 * p->out_features;
}

kbc_status kbc_fully_connected_b1_carry_save(const kbc_fully_connected_params *p, const void *x,
                                             const void *shortcut, void *y, void *scratch)
{
    const int32_t outs = p->out_features, words = kbc_words(p->in_features);
    const uint32_t *bits = x;
    int32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r, bits += words) {
        for (int32_t o = 0; o < outs; ++o) {
            acc[o] = p->in_features;
        }
        kbc_count_all(acc, p->weights, 1, outs, bits, words, kbc_carry_save_inputs,
                      kbc_count_group, count_word);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
