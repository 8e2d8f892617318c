/* MUL of TensorFlow Lite, int8.
 *
 *     y[i] = clamp(zy + m (a[i] - za) (b[i] - zb))
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "operands.h"
#include "rescale.h"

kbc_status kbc_int8_mul(const kbc_mul_params *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const kbc_operands *in = &p->operands;

    for (int32_t i = 0, ia = 0, ib = 0; i < in->size; ++i) {
        const int32_t product = (a[ia] - in->a_zero_point) * (b[ib] - in->b_zero_point);
        const int32_t scaled = kbc_rescale(product, p->factor.multiplier, p->factor.shift);
        y[i] = kbc_saturate(p->output.zero_point + scaled, &p->output);
        ia = kbc_next(ia, in->a_size);
        ib = kbc_next(ib, in->b_size);
    }
    return KBC_OK;
}
