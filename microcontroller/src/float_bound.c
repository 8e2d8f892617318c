/* RELU, MINIMUM and MAXIMUM with a bound, of floats.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"

kbc_status kbc_float_bound(const kbc_float_bound_params *p, const void *x, void *y)
{
    const float *in = x;
    float *out = y;

    for (int32_t i = 0; i < p->size; ++i) {
        out[i] = in[i] < p->low ? p->low : in[i] > p->high ? p->high : in[i];
    }
    return KBC_OK;
}
