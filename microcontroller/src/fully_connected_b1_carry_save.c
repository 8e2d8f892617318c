/* Fully connected, one-bit weights, one-bit inputs: differing bits counted by carry-save addition.
 *
 *     acc[o] = inputs - 2 * count(w[o] ^ x)
 *
 * 8 words at a time (carry_save.h), or 24 in C, each pass over all outputs; what is left of an output's words is
 * counted one by one. Layout `carry_save`: 8 words of every output, then the next 8 of every output,
 * at last what is left of each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "carry_save.h"

/* The accumulators. */
int32_t kbc_fully_connected_b1_carry_save_scratch(const kbc_fully_connected_params *p)
{
    return 4 * p->out_features;
}

static inline void count_rest(int32_t *acc, const uint32_t *w, int32_t outs, const uint32_t *x,
                              int32_t words)
{
    for (const int32_t *end = acc + outs; acc < end; ++acc) {
        int32_t count = 0;
        for (int32_t j = 0; j < words; ++j) {
            count += kbc_popcount(*w++ ^ x[j]);
        }
        *acc -= 2 * count;
    }
}

static void accumulate(const kbc_fully_connected_params *p, const uint32_t *x, int32_t *acc)
{
    const int32_t outs = p->out_features;
    const uint32_t *w = p->weights;
    int32_t words = kbc_words(p->in_features);

    for (int32_t o = 0; o < outs; ++o) {
        acc[o] = p->in_features;
    }
#if !KBC_THUMB
    for (; words >= 3 * KBC_GROUP; words -= 3 * KBC_GROUP) {
        uint32_t y[3 * KBC_GROUP];
        kbc_carry_save_inputs(y, x);
        kbc_carry_save_inputs(y + KBC_GROUP, x + KBC_GROUP);
        kbc_carry_save_inputs(y + 2 * KBC_GROUP, x + 2 * KBC_GROUP);
        kbc_count_3_groups(acc, w, outs, y);
        w += 3 * outs * KBC_GROUP;
        x += 3 * KBC_GROUP;
    }
#endif
    for (; words >= KBC_GROUP; words -= KBC_GROUP) {
        uint32_t y[KBC_GROUP];
        kbc_carry_save_inputs(y, x);
        kbc_count_group(acc, w, outs, y);
        w += outs * KBC_GROUP;
        x += KBC_GROUP;
    }
    if (words == 1) { /* as of 784 inputs: spares the inner loop */
        count_rest(acc, w, outs, x, 1);
    } else if (words > 0) {
        count_rest(acc, w, outs, x, words);
    }
}

kbc_status kbc_fully_connected_b1_carry_save(const kbc_fully_connected_params *p, const void *x,
                                             const void *shortcut, void *y, void *scratch)
{
    int32_t *acc = scratch;

    for (int32_t r = 0; r < p->rows; ++r) {
        accumulate(p, (const uint32_t *)x + r * kbc_words(p->in_features), acc);
        kbc_finish_row(&p->finish, acc, r, shortcut, y);
    }
    return KBC_OK;
}
