/* The loops that fully connected kernels of bits share: 8 words of inputs at a time by carry-save
 * addition, each pass over all outputs; what is left of an output's words is counted one by one.
 *
 * Weights are 8 words of every output, then the next 8 of every output, at last what is left of
 * each; of ternary weights twice as many.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FULLY_CONNECTED_CARRY_SAVE_H
#define KBC_FULLY_CONNECTED_CARRY_SAVE_H

#include "carry_save.h"

/* How 8 words of x are prepared for the adders, in y. */
typedef void kbc_prepare(uint32_t *y, const uint32_t *x);

/* Differing bits of a word, or two, of weights. */
typedef int32_t kbc_count_word(const uint32_t *w, uint32_t x);

/* The words behind the last group, fewer than those of one. */
static inline void kbc_count_rest(int32_t *acc, const uint32_t *w, int32_t planes, int32_t outs,
                                  const uint32_t *x, int32_t words, kbc_count_word *count_word)
{
    for (const int32_t *end = acc + outs; acc < end; ++acc) {
        int32_t count = 0;
        for (int32_t j = 0; j < words; ++j, w += planes) {
            count += count_word(w, x[j]);
        }
        *acc -= 2 * count;
    }
}

/* acc[o] -= 2 * (differing bits of output o), its weights in `planes`. */
static inline void kbc_count_all(int32_t *acc, const uint32_t *w, int32_t planes, int32_t outs,
                                 const uint32_t *x, int32_t words, kbc_prepare *prepare,
                                 kbc_count_function *count_group, kbc_count_word *count_word)
{
    for (; words >= KBC_GROUP; words -= KBC_GROUP) {
        uint32_t y[KBC_GROUP];
        prepare(y, x);
        count_group(acc, w, outs, y);
        w += outs * planes * KBC_GROUP;
        x += KBC_GROUP;
    }
    if (words == 1) { /* as of 784 inputs: spares the inner loop */
        kbc_count_rest(acc, w, planes, outs, x, 1, count_word);
    } else if (words > 0) {
        kbc_count_rest(acc, w, planes, outs, x, words, count_word);
    }
}

#endif /* KBC_FULLY_CONNECTED_CARRY_SAVE_H */
