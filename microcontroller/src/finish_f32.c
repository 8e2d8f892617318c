/* From sums to float outputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"

/* The nearest of low, low + step, ...; y is not below low, so that cutting off rounds down. */
static float to_level(float y, const kbc_float_channel *c)
{
    return c->low + (float)(int32_t)((y - c->low) / c->step + 0.5f) * c->step;
}

void kbc_finish_f32(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                    int32_t count, const void *shortcut, void *y)
{
    const float *acc = sums;
    const kbc_float_channel *c = (const kbc_float_channel *)f->channels + channel;
    const int32_t first = pixel * f->size + channel;
    float *out = (float *)y + first;

    for (int32_t i = 0; i < count; ++i) {
        float v = acc[i] * c[i].scale + c[i].offset;
        v += shortcut ? ((const float *)shortcut)[first + i] : 0.0f;
        v = v > c[i].low ? v : c[i].low; /* and so is what is no number */
        v = v < c[i].high ? v : c[i].high;
        out[i] = c[i].step > 0.0f ? to_level(v, &c[i]) : v;
    }
}
