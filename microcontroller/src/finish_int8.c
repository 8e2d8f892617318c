/* From accumulators to int8, rounded twice as TensorFlow Lite's builtins do (see requantize.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "requantize.h"

void kbc_finish_int8(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                     int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_channel *c = (const kbc_channel *)f->channels + channel;
    const kbc_output output = f->output;
    int8_t *out = (int8_t *)y + pixel * f->size + channel;

    (void)shortcut;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t scaled = kbc_scale_twice(acc[i] + c[i].bias, c[i].multiplier, c[i].shift);
        out[i] = kbc_saturate(output.zero_point + scaled, &output);
    }
}
