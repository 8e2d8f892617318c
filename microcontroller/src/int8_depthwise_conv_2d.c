/* DEPTHWISE_CONV_2D of TensorFlow Lite, int8, with per-channel weights of zero point 0
 * [height][width][out].
 *
 *     acc[c] = sum over the taps t of w[t][c] * x[t][c / multiplier] - zx * sum of w[t][c]
 *
 * where absent pixels are zero points. Two channels at a time share the walk over the taps.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "taps.h"

/* Parts of the scratch, in bytes. */
typedef struct {
    int32_t taps, begin, absent;
} room;

static room room_of(const kbc_conv_2d_params *p)
{
    const room r = {
        kbc_taps_room(p),
        p->out_channels * (int32_t)sizeof(int32_t),
        p->in_channels,
    };
    return r;
}

int32_t kbc_int8_depthwise_conv_2d_scratch(const kbc_conv_2d_params *p)
{
    const room r = room_of(p);

    return r.taps + r.begin + r.absent;
}

/* -zx * sum over the taps of w[t][c] */
static void sum_weights(const kbc_conv_2d_params *p, int32_t *begin)
{
    const int8_t *w = p->weights;

    memset(begin, 0, (size_t)p->out_channels * sizeof *begin);
    for (int32_t t = 0; t < kbc_taps_of(p); ++t) {
        for (int32_t c = 0; c < p->out_channels; ++c) {
            begin[c] -= p->input_zero_point * *w++;
        }
    }
}

static void sum_pixel(const kbc_conv_2d_params *p, const int8_t *const *taps,
                      const int32_t *begin, int32_t first, int32_t count, int32_t *acc)
{
    const int32_t outs = p->out_channels, multiplier = outs / p->in_channels;
    const int8_t *const *const end = taps + kbc_taps_of(p);
    const int8_t *w = (const int8_t *)p->weights + first;
    int32_t c = 0;

    if (multiplier == 1) {
        for (; c + 2 <= count; c += 2) {
            int32_t a = begin[first + c], b = begin[first + c + 1];
            const int8_t *v = w + c;
            for (const int8_t *const *tap = taps; tap < end; ++tap, v += outs) {
                const int8_t *x = *tap + first + c;
                a += v[0] * x[0];
                b += v[1] * x[1];
            }
            acc[c] = a;
            acc[c + 1] = b;
        }
    }
    for (; c < count; ++c) {
        const int32_t in = (first + c) / multiplier;
        const int8_t *v = w + c;
        acc[c] = begin[first + c];
        for (const int8_t *const *tap = taps; tap < end; ++tap, v += outs) {
            acc[c] += *v * (*tap)[in];
        }
    }
}

kbc_status kbc_int8_depthwise_conv_2d(const kbc_conv_2d_params *p, const void *x,
                                      const void *shortcut, void *y, void *scratch)
{
    const room r = room_of(p);
    const int8_t **const taps = kbc_taps_in(scratch);
    int32_t *const begin = (void *)((int8_t *)scratch + r.taps);
    int8_t *const absent = (int8_t *)scratch + r.taps + r.begin;
    const int8_t *image = x;
    int32_t pixel = 0, acc[KBC_BLOCK];

    sum_weights(p, begin);
    memset(absent, (int)p->input_zero_point, (size_t)r.absent);
    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t i = 0; i < p->conv_height * p->conv_width; ++i, ++pixel) {
            kbc_find_taps(p, taps, image, i / p->conv_width, i % p->conv_width, absent);
            for (int32_t first = 0; first < p->out_channels; first += KBC_BLOCK) {
                const int32_t count = kbc_block(p->out_channels - first);
                sum_pixel(p, taps, begin, first, count, acc);
                p->finish.function(&p->finish, acc, pixel, first, count, shortcut, y);
            }
        }
        image += p->in_height * p->in_width * p->in_channels;
    }
    return KBC_OK;
}
