/* ADD and SUB of TensorFlow Lite, int8: b_sign is 1 or -1.
 *
 *     y[i] = clamp(zy + m (ma (a[i] - za) 2^20 + b_sign mb (b[i] - zb) 2^20))
 *
 * ma and mb are 1/2 at most, and m is below 1, so that the sum stays below 2^29.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "operands.h"
#include "rescale.h"

static inline int32_t move(int32_t distance, const kbc_factor *factor)
{
    return kbc_rescale(distance * ((int32_t)1 << 20), factor->multiplier, factor->shift);
}

kbc_status kbc_int8_add(const kbc_add_params *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const kbc_operands *in = &p->operands;

    for (int32_t i = 0, ia = 0, ib = 0; i < in->size; ++i) {
        const int32_t left = move(a[ia] - in->a_zero_point, &p->a_factor);
        const int32_t right = move(b[ib] - in->b_zero_point, &p->b_factor);
        const int32_t sum = kbc_rescale(left + p->b_sign * right, p->factor.multiplier,
                                        p->factor.shift);
        y[i] = kbc_saturate(p->output.zero_point + sum, &p->output);
        ia = kbc_next(ia, in->a_size);
        ib = kbc_next(ib, in->b_size);
    }
    return KBC_OK;
}
