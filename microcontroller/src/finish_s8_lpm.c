/* From accumulators to int8, as finish_s8.c, with channels that LPM reads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lpm.h"
#include "requantize.h"

#if KBC_HAS_LPM

void kbc_finish_s8_lpm(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                       int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_channel *c = (const kbc_channel *)f->channels + channel;
    const int32_t half = 2 * f->output.zero_point + 1;
    const int32_t min = f->output.min, max = f->output.max;
    int8_t *out = (int8_t *)y + pixel * f->size + channel;

    (void)shortcut;
    for (uint8_t i = (uint8_t)count; i > 0; --i, ++c) {
        const int32_t sum = *acc++ + kbc_lpm_word(&c->bias);
        const int32_t multiplier = kbc_lpm_word(&c->multiplier);
        const int32_t v = (kbc_halves(sum, multiplier, kbc_lpm_byte(&c->shift)) + half) >> 1;
        *out++ = (int8_t)(v < min ? min : v > max ? max : v);
    }
}

#endif
