/* MUL of TensorFlow Lite, int8, of two tensors of one size, by CMSIS-NN (see cmsis_nn.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cmsis_nn.h"

#if KBC_HAS_CMSIS_NN

kbc_status kbc_int8_mul_cmsis_nn(const kbc_mul_params *p, const int8_t *a, const int8_t *b,
                                 int8_t *y)
{
    const kbc_operands *in = &p->operands;

    return kbc_cmsis_status(arm_elementwise_mul_s8(
        a, b, -in->a_zero_point, -in->b_zero_point, y, p->output.zero_point, p->factor.multiplier,
        31 - p->factor.shift, p->output.min, p->output.max, in->size));
}

#endif
