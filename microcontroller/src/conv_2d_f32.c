/* 2-D convolution, one-bit weights, float inputs: the reference.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_ACC float
#include "conv_2d.h"

int32_t kbc_conv_2d_f32_scratch(const kbc_conv_2d_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_conv_2d_f32(const kbc_conv_2d_params *p, const void *x, const void *shortcut,
                           void *y, void *scratch)
{
    (void)scratch;
    return kbc_conv_2d(p, x, kbc_bytes_f32(p->in_channels), shortcut, y, kbc_dot_f32);
}
