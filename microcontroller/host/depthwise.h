/* A depthwise convolution: each channel has weights of its own, so that no table pays.
 *
 * The engine of convolve.c has x itself in place of tables, as bytes, 32 channels by 32: of bits
 * +1 and -1, of taps outside of the image the zero point. Products of a byte and a weight of -1, 0
 * or 1 add up in 16 bits, as many as 255 taps; a constant keeps sums positive, for the pooling.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_DEPTHWISE_H
#define KBC_DEPTHWISE_H

#include <string.h>

#include "instruction_set.h"

static KBC_TARGET void sum_depthwise(const kbc_taps_sum *taps, uint32_t *sums, int32_t stride)
{
    const uint8_t *weights = taps->weights;
    int16_t acc[KBC_DEPTHWISE_BLOCK];

    (void)stride; /* of one pixel */
    memset(acc, 0, sizeof acc);
    for (int32_t run = 0; run < taps->count; ++run) {
        const uint8_t *x = taps->runs[run] + taps->channel;
        for (int32_t tap = 0; tap < taps->steps; ++tap) {
            int8_t values[KBC_DEPTHWISE_BLOCK], factors[KBC_DEPTHWISE_BLOCK];
            memcpy(values, x, sizeof values);
            memcpy(factors, weights, sizeof factors);
            for (int i = 0; i < KBC_DEPTHWISE_BLOCK; ++i) {
                acc[i] = (int16_t)(acc[i] + values[i] * factors[i]);
            }
            weights += KBC_DEPTHWISE_BLOCK;
            x += taps->pixel_bytes;
        }
    }
    for (int i = 0; i < KBC_DEPTHWISE_BLOCK; ++i) {
        sums[i] = (uint32_t)(KBC_DEPTHWISE_OFFSET + acc[i]);
    }
}

#endif /* KBC_DEPTHWISE_H */
