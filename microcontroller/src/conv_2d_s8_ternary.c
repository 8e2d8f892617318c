/* 2-D convolution, ternary weights, int8 inputs: the reference.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_2d.h"

int32_t kbc_conv_2d_s8_ternary_scratch(const kbc_conv_2d_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_conv_2d_s8_ternary(const kbc_conv_2d_params *p, const void *x, const void *shortcut,
                                  void *y, void *scratch)
{
    (void)scratch;
    return kbc_conv_2d(p, x, kbc_bytes_s8(p->in_channels), shortcut, y, kbc_dot_s8_ternary);
}
