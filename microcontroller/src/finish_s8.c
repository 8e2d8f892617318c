/* From accumulators to int8, rounded once (equation in requantize.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "requantize.h"

void kbc_finish_s8(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                   int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_channel *channels = (const kbc_channel *)f->channels + channel;
    int8_t *out = (int8_t *)y + pixel * f->size + channel;

    (void)shortcut;
    for (int32_t i = 0; i < count; ++i) {
        out[i] = kbc_requantize(acc[i], &channels[i], &f->output);
    }
}
