/* PRELU of TensorFlow Lite, int8.
 *
 *     y[i] = clamp(zy + m (x[i] - zx))                  where x[i] >= zx
 *            clamp(zy + ma (x[i] - zx) (alpha[i] - za)) elsewhere
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "operands.h"
#include "rescale.h"

kbc_status kbc_int8_prelu(const kbc_prelu_params *p, const int8_t *x, int8_t *y)
{
    const kbc_operands *in = &p->operands;

    for (int32_t i = 0, ib = 0; i < in->size; ++i) {
        const int32_t distance = x[i] - in->a_zero_point;
        const int32_t slope = p->alpha[ib] - in->b_zero_point;
        const int32_t scaled =
            distance >= 0
                ? kbc_rescale(distance, p->factor.multiplier, p->factor.shift)
                : kbc_rescale(distance * slope, p->alpha_factor.multiplier, p->alpha_factor.shift);
        y[i] = kbc_saturate(p->output.zero_point + scaled, &p->output);
        ib = kbc_next(ib, in->b_size);
    }
    return KBC_OK;
}
