/* From accumulators and another tensor to int8: their sum, in 1/256 of a step, is rounded once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "requantize.h"

void kbc_finish_s8_shortcut(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                            int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_channel *channels = (const kbc_channel *)f->channels + channel;
    const kbc_channel added = {-f->shortcut.zero_point, f->shortcut.multiplier, f->shortcut.shift};
    const int32_t first = pixel * f->size + channel;
    const int8_t *x = (const int8_t *)shortcut + first;
    int8_t *out = (int8_t *)y + first;

    for (int32_t i = 0; i < count; ++i) {
        const int64_t sum =
            kbc_scale(acc[i], &channels[i]) + kbc_scale(x[i], &added);
        out[i] = kbc_saturate(f->output.zero_point + ((sum + 128) >> 8), &f->output);
    }
}
