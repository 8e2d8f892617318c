/* The greatest bits under a window: a channel is -1, which is 1, only where all its taps are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pool_2d.h"

static uint32_t all(const kbc_pool_2d_params *p, const uint32_t *x, kbc_span rows,
                    kbc_span columns, int32_t word)
{
    uint32_t bits = 0xffffffffu;

    for (int32_t iy = rows.first; iy < rows.last; ++iy) {
        for (int32_t ix = columns.first; ix < columns.last; ++ix) {
            bits &= x[(iy * p->in_width + ix) * p->channels + word];
        }
    }
    return bits;
}

kbc_status kbc_max_pool_2d_b1(const kbc_pool_2d_params *p, const void *x, void *y)
{
    const uint32_t *image = x;
    uint32_t *out = y;

    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t oy = 0; oy < p->out_height; ++oy) {
            const kbc_span rows = kbc_pool_rows(p, oy);
            for (int32_t ox = 0; ox < p->out_width; ++ox) {
                const kbc_span columns = kbc_pool_columns(p, ox);
                for (int32_t word = 0; word < p->channels; ++word) {
                    *out++ = all(p, image, rows, columns, word);
                }
            }
        }
        image += p->in_height * p->in_width * p->channels;
    }
    return KBC_OK;
}
