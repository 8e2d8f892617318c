/* Weights of the file, in the order in which a block of outputs looks tables up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_RELAY_H
#define KBC_RELAY_H

#include <stddef.h>

#include "instruction_set.h"

/* Sizes that follow from a layer's weights. */
typedef struct {
    int32_t outs, taps, channels; /* channels of one tap */
    int32_t planes;  /* 1 of binary weights, 2 of ternary ones */
    int32_t shift;   /* sums are 2^shift accumulators */
    int32_t groups;  /* tables of a tap: of binary weights an even number */
    int32_t words;   /* of a tap and output, where they are counted (counts.h); 0: two nibbles a byte */
    int32_t steps;   /* bytes of a tap and output */
    int32_t vectors; /* registers of a block; 0 of a depthwise convolution, see depthwise.h */
    int32_t block;   /* outputs of a block */
    int32_t blocks;
} kbc_weights_shape;

static inline size_t kbc_weight_bytes(const kbc_weights_shape *s)
{
    return (size_t)s->blocks * (size_t)s->block * (size_t)s->taps * (size_t)s->steps;
}

/* `words` as in kbc.h -> weights [blocks][taps][steps][block], or if words are counted uint32_t
 * [blocks][taps][words][planes][block]; and the bits that each output has in the bytes. A depthwise convolution's are -1, 0 and 1, and their sums take the place of the bits. */
void kbc_relay_weights(const kbc_weights_shape *s, const uint32_t *words, uint8_t *weights,
                       int32_t *sums);

#endif /* KBC_RELAY_H */
