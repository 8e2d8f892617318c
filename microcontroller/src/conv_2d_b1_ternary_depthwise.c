/* 2-D convolution, ternary weights, one-bit inputs, one filter a channel: see depthwise_b1.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "depthwise_b1.h"

int32_t kbc_conv_2d_b1_ternary_depthwise_scratch(const kbc_conv_2d_params *p)
{
    return kbc_depthwise_b1_scratch(p);
}

kbc_status kbc_conv_2d_b1_ternary_depthwise(const kbc_conv_2d_params *p, const void *x,
                                            const void *shortcut, void *y, void *scratch)
{
    return kbc_depthwise_b1(p, 1, x, shortcut, y, scratch);
}
