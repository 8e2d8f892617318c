/* FULLY_CONNECTED of TensorFlow Lite, int8, by CMSIS-NN (see cmsis_nn.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cmsis_nn.h"

/* On cores with vectors the sum of each row of weights, which is worked out at every call. */
int32_t kbc_int8_fully_connected_cmsis_nn_scratch(const kbc_fully_connected_params *p)
{
    return 4 * p->out_features;
}

#if KBC_HAS_CMSIS_NN

kbc_status kbc_int8_fully_connected_cmsis_nn(const kbc_fully_connected_params *p, const void *x,
                                             const void *shortcut, void *y, void *scratch)
{
    const int32_t n = p->out_features, *channels = p->finish.channels;
    const cmsis_nn_quant_params factors = {(int32_t *)channels + n, (int32_t *)channels + 2 * n, 1};
    const cmsis_nn_fc_params params = {-p->input_zero_point, 0, p->finish.output.zero_point,
                                       kbc_cmsis_activation(&p->finish.output)};
    const cmsis_nn_dims in = kbc_cmsis_dims(p->rows, 1, 1, p->in_features);
    const cmsis_nn_dims filter = kbc_cmsis_dims(p->in_features, 1, 1, n);
    const cmsis_nn_dims bias = kbc_cmsis_dims(1, 1, 1, n);
    const cmsis_nn_dims out = kbc_cmsis_dims(p->rows, 1, 1, n);
    const cmsis_nn_context context = {scratch, kbc_int8_fully_connected_cmsis_nn_scratch(p)};
    const int32_t wanted = arm_fully_connected_s8_get_buffer_size(&filter);

    (void)shortcut;
    if (wanted > context.size) {
        return KBC_INVALID;
    }
    if (wanted > 0) {
        arm_vector_sum_s8(scratch, p->in_features, n, p->weights, params.input_offset, 0, channels);
    }
    return kbc_cmsis_status(arm_fully_connected_wrapper_s8(&context, &params, &factors, &in, x,
                                                           &filter, p->weights, &bias, channels,
                                                           &out, y));
}

#endif
