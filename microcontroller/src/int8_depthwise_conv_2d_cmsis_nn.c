/* DEPTHWISE_CONV_2D of TensorFlow Lite, int8, by CMSIS-NN (see cmsis_nn.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cmsis_nn_conv.h"

/* On cores with vectors for 4 patches of 124 channels; on others of all channels in 16 bits. */
int32_t kbc_int8_depthwise_conv_2d_cmsis_nn_scratch(const kbc_conv_2d_params *p)
{
    return kbc_greatest(4 * 124 * kbc_taps_of(p), 2 * kbc_patch_inputs(p));
}

#if KBC_HAS_CMSIS_NN

kbc_status kbc_int8_depthwise_conv_2d_cmsis_nn(const kbc_conv_2d_params *p, const void *x,
                                               const void *shortcut, void *y, void *scratch)
{
    const kbc_cmsis_conv c = kbc_cmsis_conv_of(p);
    const cmsis_nn_dw_conv_params params = {
        c.from, c.to, p->out_channels / p->in_channels, c.stride, c.padding, c.dilation, c.bounds};
    const cmsis_nn_dims filter =
        kbc_cmsis_dims(1, p->kernel.height, p->kernel.width, p->out_channels);
    const cmsis_nn_context context = {scratch, kbc_int8_depthwise_conv_2d_cmsis_nn_scratch(p)};

    (void)shortcut;
    if (arm_depthwise_conv_wrapper_s8_get_buffer_size(&params, &c.in, &filter, &c.out) >
        context.size) {
        return KBC_INVALID;
    }
    return kbc_cmsis_status(arm_depthwise_conv_wrapper_s8(&context, &params, &c.factors, &c.in, x,
                                                          &filter, p->weights, &c.bias_dims,
                                                          c.bias, &c.out, y));
}

#endif
