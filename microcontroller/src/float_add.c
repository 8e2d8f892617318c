/* ADD and SUB of floats: b_sign is 1 or -1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "operands.h"

kbc_status kbc_float_add(const kbc_float_add_params *p, const void *a, const void *b, void *y)
{
    const float *left = a, *right = b;
    float *out = y;

    for (int32_t i = 0, ia = 0, ib = 0; i < p->size; ++i) {
        out[i] = p->b_sign > 0 ? left[ia] + right[ib] : left[ia] - right[ib];
        ia = kbc_next(ia, p->a_size);
        ib = kbc_next(ib, p->b_size);
    }
    return KBC_OK;
}
