/* From bits to float: one of two values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "one_bit.h"

kbc_status kbc_unpack_f32(const kbc_unpack_params *p, const void *x, void *y)
{
    const uint32_t *words = x;
    float *out = y;

    for (int32_t r = 0; r < p->rows; ++r) {
        for (int32_t c = 0; c < p->channels; ++c) {
            *out++ = kbc_bit(words, c) ? p->negative : p->positive;
        }
        words += kbc_words(p->channels);
    }
    return KBC_OK;
}
