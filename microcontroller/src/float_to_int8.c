/* QUANTIZE of floats.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"

kbc_status kbc_float_to_int8(const kbc_conversion_params *p, const void *x, int8_t *y)
{
    const float *in = x;

    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = kbc_quantize(in[i], p->scale, p->zero_point);
    }
    return KBC_OK;
}
