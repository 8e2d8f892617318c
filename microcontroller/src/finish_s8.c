/* From accumulators to int8, rounded once (see requantize.h).
 *
 * With the bounds of int8 itself ARMv7-M halves and saturates in one instruction, so that those
 * have a loop of their own there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "requantize.h"
#include "thumb.h"

#if KBC_THUMB == 2

static inline int8_t halve_to_int8(int32_t halves)
{
    int32_t y;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(y) : "r"(halves) : "cc");
    return (int8_t)y;
}

#endif

void kbc_finish_s8(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                   int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums, *const end = acc + count;
    const kbc_channel *c = (const kbc_channel *)f->channels + channel;
    const kbc_output output = f->output;
    const int32_t half = 2 * output.zero_point + 1;
    int8_t *out = (int8_t *)y + pixel * f->size + channel;

    (void)shortcut;
#if KBC_THUMB == 2
    if (output.max - output.min == INT8_MAX - INT8_MIN) {
        for (; acc < end; ++c) {
            const int32_t halves = kbc_halves(*acc++ + c->bias, c->multiplier, c->shift);
            *out++ = halve_to_int8(halves + half);
        }
        return;
    }
#endif
    for (; acc < end; ++c) {
        const int32_t halves = kbc_halves(*acc++ + c->bias, c->multiplier, c->shift);
        *out++ = kbc_saturate((halves + half) >> 1, &output);
    }
}
