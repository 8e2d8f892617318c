/* DEQUANTIZE.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"

kbc_status kbc_int8_to_float(const kbc_conversion_params *p, const int8_t *x, void *y)
{
    float *out = y;

    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = kbc_dequantize(x[i], p->scale, p->zero_point);
    }
    return KBC_OK;
}
