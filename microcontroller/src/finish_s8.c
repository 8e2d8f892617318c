/* From accumulators to int8, rounded once (see requantize.h).
 *
 * With the bounds of int8 itself ARMv7-M halves and saturates in one instruction, so that those
 * have a loop of their own there. Vectors have another file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "finish_s8_mve.h"
#include "requantize.h"
#include "thumb.h"

#if !KBC_HAS_MVE

#if KBC_THUMB == 2

static inline int8_t halve_to_int8(int32_t halves)
{
    int32_t y;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(y) : "r"(halves) : "cc");
    return (int8_t)y;
}

#endif

static void finish(int8_t *out, const int32_t *acc, const kbc_channel *c, int32_t count,
                   const kbc_output *to)
{
    const int32_t *const end = acc + count;
    const kbc_output output = *to;
    const int32_t half = 2 * output.zero_point + 1;

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

#endif

void kbc_finish_s8(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                   int32_t count, const void *shortcut, void *y)
{
    (void)shortcut;
    finish((int8_t *)y + pixel * f->size + channel, sums,
           (const kbc_channel *)f->channels + channel, count, &f->output);
}
