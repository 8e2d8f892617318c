/* From accumulators to int8 as TensorFlow Lite's CONV_2D in groups rounds: in the end, half away
 * from zero (see rescale.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rescale.h"

void kbc_finish_int8_away(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                          int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_channel *c = (const kbc_channel *)f->channels + channel;
    int8_t *out = (int8_t *)y + pixel * f->size + channel;

    (void)shortcut;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t scaled = kbc_rescale(acc[i] + c[i].bias, c[i].multiplier, c[i].shift);
        out[i] = kbc_saturate(f->output.zero_point + scaled, &f->output);
    }
}
