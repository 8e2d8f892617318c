/* MAX_POOL_2D of TensorFlow Lite, int8, by CMSIS-NN (see cmsis_nn.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cmsis_nn_pool.h"

#if KBC_HAS_CMSIS_NN

kbc_status kbc_int8_max_pool_2d_cmsis_nn(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y)
{
    const cmsis_nn_context context = {0, 0};

    return kbc_cmsis_pool(p, &context, x, y, arm_max_pool_s8);
}

#endif
