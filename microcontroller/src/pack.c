/* From int8 to bits: 1 where x is below its zero point, which means -1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "one_bit.h"

kbc_status kbc_pack(const kbc_pack_params *p, const void *x, void *y)
{
    const int8_t *in = x;
    uint32_t *out = y;

    for (int32_t r = 0; r < p->rows; ++r) {
        for (int32_t first = 0; first < p->channels; first += KBC_BLOCK) {
            const int32_t count = kbc_block(p->channels - first);
            uint32_t word = 0;
            for (int32_t i = 0; i < count; ++i) {
                word |= (uint32_t)(in[i] < p->zero_point) << i;
            }
            *out++ = word;
            in += count;
        }
    }
    return KBC_OK;
}
