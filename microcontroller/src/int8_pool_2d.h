/* The loops that the int8 poolings share; they differ in what becomes of a window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_INT8_POOL_2D_H
#define KBC_INT8_POOL_2D_H

#include "pool_2d.h"
#include "saturate.h"

/* The taps of a window inside the image, of the channels from x on. */
typedef struct {
    const int8_t *x;
    int32_t rows, columns, row_bytes, channels;
} kbc_taps_2d;

/* y[0..3] or y[0]: what becomes of that many channels. Four at a time share the walk over the
 * taps. */
typedef void kbc_pool_function(kbc_taps_2d taps, const kbc_output *out, int8_t *y);

static inline kbc_status kbc_int8_pool_2d(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y,
                                          kbc_pool_function *pool_4, kbc_pool_function *pool_1)
{
    const int32_t channels = p->channels, row_bytes = p->in_width * channels;

    for (int32_t i = 0; i < p->batch * p->out_height; ++i) {
        const kbc_span rows = kbc_pool_rows(p, i % p->out_height);
        const int8_t *row = x + (i / p->out_height * p->in_height + rows.first) * row_bytes;
        for (int32_t ox = 0; ox < p->out_width; ++ox, y += channels) {
            const kbc_span columns = kbc_pool_columns(p, ox);
            kbc_taps_2d taps = {row + columns.first * channels, rows.last - rows.first,
                                columns.last - columns.first, row_bytes, channels};
            int32_t c = 0;
            for (; c + 4 <= channels; c += 4, taps.x += 4) {
                pool_4(taps, &p->output, y + c);
            }
            for (; c < channels; ++c, ++taps.x) {
                pool_1(taps, &p->output, y + c);
            }
        }
    }
    return KBC_OK;
}

#endif /* KBC_INT8_POOL_2D_H */
