/* From accumulators to bits: a threshold for each channel.
 *
 *     negative = acc < threshold, or acc > threshold: the sign of (acc - threshold) * direction
 *
 * |acc| and |threshold| are below 2^30, and the last channel's bit goes in first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "one_bit.h"

static inline uint32_t append_sign(uint32_t word, int32_t acc, const kbc_threshold *t)
{
    return word << 1 | (uint32_t)((acc - t->threshold) * t->direction) >> 31;
}

void kbc_finish_b1(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                   int32_t count, const void *shortcut, void *y)
{
    const int32_t *const begin = sums, *acc = begin + count;
    const kbc_threshold *t = (const kbc_threshold *)f->channels + channel + count;
    uint32_t word = 0;

    (void)shortcut;
    for (int32_t i = count % 4; i > 0; --i) {
        word = append_sign(word, *--acc, --t);
    }
    while (acc > begin) {
        acc -= 4;
        t -= 4;
        word = append_sign(word, acc[3], &t[3]);
        word = append_sign(word, acc[2], &t[2]);
        word = append_sign(word, acc[1], &t[1]);
        word = append_sign(word, acc[0], &t[0]);
    }
    ((uint32_t *)y)[pixel * kbc_words(f->size) + channel / 32] = word;
}
