/* From accumulators and another tensor to int8: their sum, in 1/256 of a step, is rounded once.
 *
 * Both are in 32 bits where the numbers that are scaled take 16 bits and the shifts are from 17 on:
 * nearly always. No product is of 64 bits then, and no shift.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "requantize.h"

/* floor(v * multiplier / 2^shift + 1/2), see requantize.h. */
static int64_t scale(int32_t v, int32_t multiplier, int32_t shift)
{
    return (((int64_t)v * multiplier >> (shift - 1)) + 1) >> 1;
}

static inline int32_t scale_16(int32_t v, int32_t multiplier, int32_t shift)
{
    return ((kbc_product_16(v, multiplier) >> (shift - 17)) + 1) >> 1;
}

static inline int is_short(int32_t shift)
{
    return shift >= 17 && shift < 17 + 32;
}

/* The sum in steps, bounded to 16 bits. */
KBC_RARE static int32_t add_long(int32_t v, const kbc_channel *c, int32_t d, const kbc_shortcut *s)
{
    const int64_t sum = scale(v, c->multiplier, c->shift) + scale(d, s->multiplier, s->shift);
    const int64_t steps = (sum + 128) >> 8;

    return steps < INT16_MIN ? INT16_MIN : steps > INT16_MAX ? INT16_MAX : (int32_t)steps;
}

void kbc_finish_s8_shortcut(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                            int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_channel *c = (const kbc_channel *)f->channels + channel;
    const kbc_shortcut *s = &f->shortcut;
    const kbc_output output = f->output;
    const int32_t first = pixel * f->size + channel;
    const int8_t *x = (const int8_t *)shortcut + first;
    int8_t *out = (int8_t *)y + first;

    for (int32_t i = 0; i < count; ++i) {
        const int32_t v = acc[i] + c[i].bias, d = x[i] - s->zero_point;
        int32_t steps;
        if (v == (int16_t)v && is_short(c[i].shift) && is_short(s->shift)) {
            const int32_t scaled = scale_16(v, c[i].multiplier, c[i].shift);
            steps = (scaled + scale_16(d, s->multiplier, s->shift) + 128) >> 8;
        } else {
            steps = add_long(v, &c[i], d, s);
        }
        out[i] = kbc_saturate(output.zero_point + steps, &output);
    }
}
