/* AVERAGE_POOL_2D of TensorFlow Lite, int8, by CMSIS-NN (see cmsis_nn.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cmsis_nn_pool.h"

/* On cores without vectors the sums of a pixel. */
int32_t kbc_int8_average_pool_2d_cmsis_nn_scratch(const kbc_pool_2d_params *p)
{
    return 4 * p->channels;
}

#if KBC_HAS_CMSIS_NN

kbc_status kbc_int8_average_pool_2d_cmsis_nn(const kbc_pool_2d_params *p, const int8_t *x,
                                             int8_t *y, void *scratch)
{
    const cmsis_nn_context context = {scratch, kbc_int8_average_pool_2d_cmsis_nn_scratch(p)};

    if (arm_avgpool_s8_get_buffer_size((int)p->out_width, (int)p->channels) > context.size) {
        return KBC_INVALID;
    }
    return kbc_cmsis_pool(p, &context, x, y, arm_avgpool_s8);
}

#endif
