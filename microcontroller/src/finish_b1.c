/* From accumulators to bits: a threshold for each channel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "one_bit.h"

void kbc_finish_b1(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                   int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_threshold *t = (const kbc_threshold *)f->channels + channel;
    uint32_t word = 0;

    (void)shortcut;
    for (int32_t i = 0; i < count; ++i) {
        const int negative = t[i].direction > 0 ? acc[i] < t[i].threshold : acc[i] > t[i].threshold;
        word |= (uint32_t)negative << i;
    }
    ((uint32_t *)y)[pixel * kbc_words(f->size) + channel / 32] = word;
}
