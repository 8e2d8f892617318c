/* 2-D convolution of floats: CONV_2D and DEPTHWISE_CONV_2D of layers that stay in floating point,
 * with weights [out][height][width][in / groups] (equation in conv_2d.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_ACC float
#include "conv_2d.h"

int32_t kbc_float_conv_2d_scratch(const kbc_conv_2d_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_float_conv_2d(const kbc_conv_2d_params *p, const void *x, const void *shortcut,
                             void *y, void *scratch)
{
    (void)scratch;
    return kbc_conv_2d(p, x, kbc_bytes_f32(p->in_channels), shortcut, y, kbc_dot_float);
}
