/* From float to bits: 1 where x is negative, which means -1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "one_bit.h"

kbc_status kbc_pack_f32(const kbc_pack_params *p, const void *x, void *y)
{
    const float *in = x;
    uint32_t *out = y;

    for (int32_t r = 0; r < p->rows; ++r) {
        for (int32_t first = 0; first < p->channels; first += KBC_BLOCK) {
            const int32_t count = kbc_block(p->channels - first);
            uint32_t word = 0;
            for (int32_t i = 0; i < count; ++i) {
                word |= (uint32_t)(in[i] < 0.0f) << i;
            }
            *out++ = word;
            in += count;
        }
    }
    return KBC_OK;
}
