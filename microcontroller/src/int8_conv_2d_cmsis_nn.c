/* CONV_2D of TensorFlow Lite, int8, of one group, by CMSIS-NN (see cmsis_nn.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cmsis_nn_conv.h"

/* For 4 patches, padded to vectors of 16 bytes; cores without them take 2 of 16 bits. */
int32_t kbc_int8_conv_2d_cmsis_nn_scratch(const kbc_conv_2d_params *p)
{
    return 4 * 16 * kbc_share(kbc_patch_inputs(p), 16);
}

#if KBC_HAS_CMSIS_NN

kbc_status kbc_int8_conv_2d_cmsis_nn(const kbc_conv_2d_params *p, const void *x,
                                     const void *shortcut, void *y, void *scratch)
{
    const kbc_cmsis_conv c = kbc_cmsis_conv_of(p);
    const cmsis_nn_conv_params params = {c.from,     c.to,       c.stride,
                                         c.padding, c.dilation, c.bounds};
    const cmsis_nn_dims filter = kbc_cmsis_dims(p->out_channels, p->kernel.height, p->kernel.width,
                                                p->in_channels);
    const cmsis_nn_context context = {scratch, kbc_int8_conv_2d_cmsis_nn_scratch(p)};

    (void)shortcut;
    if (arm_convolve_wrapper_s8_get_buffer_size(&params, &c.in, &filter, &c.out) > context.size) {
        return KBC_INVALID;
    }
    return kbc_cmsis_status(arm_convolve_wrapper_s8(&context, &params, &c.factors, &c.in, x,
                                                    &filter, p->weights, &c.bias_dims, c.bias,
                                                    &c.out, y));
}

#endif
