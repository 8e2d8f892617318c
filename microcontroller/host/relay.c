/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <string.h>

#include "../src/one_bit.h"

/* Two nibbles, the groups of 4 channels from `channel` on; channels past the last have bits 0. */
static uint8_t binary_step(const kbc_weights_shape *s, const uint32_t *row, int32_t tap,
                           int32_t channel)
{
    const int32_t left = s->channels - channel;

    return (uint8_t)kbc_bits(row, tap * s->channels + channel, left < 8 ? left : 8);
}

/* One group: which weights are -1, and which are below 1. */
static uint8_t ternary_step(const kbc_weights_shape *s, const uint32_t *row, const uint32_t *used,
                            int32_t tap, int32_t channel)
{
    const int32_t left = s->channels - channel, n = left < KBC_GROUP ? left : KBC_GROUP;
    const uint32_t negative = kbc_bits(row, tap * s->channels + channel, n);
    const uint32_t zero = kbc_bits(used, tap * s->channels + channel, n) ^ ((1u << n) - 1);

    return (uint8_t)(negative | (negative | zero) << 4);
}

static int8_t factor(const kbc_weights_shape *s, const uint32_t *row, const uint32_t *used,
                     int32_t tap)
{
    const int8_t sign = kbc_bit(row, tap) ? -1 : 1;

    return s->planes == 1 || kbc_bit(used, tap) ? sign : 0;
}

static uint8_t step_of(const kbc_weights_shape *s, const uint32_t *row, const uint32_t *used,
                       int32_t tap, int32_t step, int32_t *sum)
{
    if (s->vectors == 0) {
        const int8_t weight = factor(s, row, used, tap);
        *sum += weight;
        return (uint8_t)weight;
    }
    const uint8_t two = s->planes == 2 ? ternary_step(s, row, used, tap, KBC_GROUP * step)
                                       : binary_step(s, row, tap, 2 * KBC_GROUP * step);
    *sum += kbc_popcount(two);
    return two;
}

/* An output's bytes, `block` apart. */
static void relay_steps(const kbc_weights_shape *s, const uint32_t *row, const uint32_t *used,
                        uint8_t *to, int32_t *sum)
{
    *sum = 0;
    for (int32_t tap = 0; tap < s->taps; ++tap) {
        for (int32_t step = 0; step < s->steps; ++step, to += s->block) {
            *to = step_of(s, row, used, tap, step, sum);
        }
    }
}

/* An output's words, `block` apart: of ternary weights those that are -1, then those below 1. */
static void relay_words(const kbc_weights_shape *s, const uint32_t *row, const uint32_t *used,
                        uint32_t *to)
{
    for (int32_t tap = 0; tap < s->taps; ++tap) {
        for (int32_t channel = 0; channel < s->channels; channel += 32) {
            const int32_t bit = tap * s->channels + channel;
            const int32_t n = kbc_least(32, s->channels - channel);
            const uint32_t negative = kbc_bits(row, bit, n);
            *to = negative;
            to += s->block;
            if (s->planes == 2) {
                *to = negative | (~kbc_bits(used, bit, n) & 0xffffffffu >> (32 - n));
                to += s->block;
            }
        }
    }
}

void kbc_relay_weights(const kbc_weights_shape *s, const uint32_t *words, uint8_t *weights,
                       int32_t *sums)
{
    const int32_t row_words = kbc_words(s->taps * s->channels);
    const size_t block_bytes = kbc_weight_bytes(s) / (size_t)s->blocks;

    memset(weights, 0, kbc_weight_bytes(s)); /* of the outputs that fill the last block up */
    for (int32_t o = 0; o < s->outs; ++o) {
        const uint32_t *row = words + (size_t)o * (size_t)row_words;
        const uint32_t *used = row + (size_t)s->outs * (size_t)row_words;
        uint8_t *block = weights + (size_t)(o / s->block) * block_bytes;
        if (s->words > 0) {
            relay_words(s, row, used, (uint32_t *)(void *)block + o % s->block);
        } else {
            relay_steps(s, row, used, block + o % s->block, &sums[o]);
        }
    }
}
