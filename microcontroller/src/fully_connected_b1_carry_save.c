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

#if KBC_THUMB

static inline int32_t count_threes(int32_t *acc, const kbc_fully_connected_params *p,
                                   const uint32_t *x)
{
    (void)acc, (void)p, (void)x;
    return 0;
}

#else

/* By 3 groups at a time, as many as there are; how many words of x they took. */
static inline int32_t count_threes(int32_t *acc, const kbc_fully_connected_params *p,
                                   const uint32_t *x)
{
    const int32_t outs = p->out_features, words = kbc_words(p->in_features);
    int32_t done = 0;

    for (; words - done >= 3 * KBC_GROUP; done += 3 * KBC_GROUP) {
        uint32_t y[3 * KBC_GROUP];
        for (int32_t j = 0; j < 3 * KBC_GROUP; j += KBC_GROUP) {
            kbc_carry_save_inputs(y + j, x + done + j);
        }
        kbc_count_3_groups(acc, (const uint32_t *)p->weights + outs * done, outs, y);
    }
    return done;
}

#endif

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
        const int32_t done = count_threes(acc, p, bits);
        kbc_count_all(acc, (const uint32_t *)p->weights + outs * done, 1, outs, bits + done,
                      words - done, kbc_carry_save_inputs, kbc_count_group, count_word);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
