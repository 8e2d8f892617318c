/* ADD of TensorFlow Lite, int8, of two tensors of one size, by CMSIS-NN (see cmsis_nn.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cmsis_nn.h"

#if KBC_HAS_CMSIS_NN

kbc_status kbc_int8_add_cmsis_nn(const kbc_add_params *p, const int8_t *a, const int8_t *b,
                                 int8_t *y)
{
    const kbc_operands *in = &p->operands;

    return kbc_cmsis_status(arm_elementwise_add_s8(
        a, b, -in->a_zero_point, p->a_factor.multiplier, 31 - p->a_factor.shift, -in->b_zero_point,
        p->b_factor.multiplier, 31 - p->b_factor.shift, 20, y, p->output.zero_point,
        p->factor.multiplier, 31 - p->factor.shift, p->output.min, p->output.max, in->size));
}

#endif
