/* Depthwise 2-D convolution, ternary weights, int8 inputs: four channels to a word.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_DEPTHWISE_TERNARY 1
#include "conv_2d_depthwise.h"

int32_t kbc_conv_2d_s8_ternary_depthwise_scratch(const kbc_conv_2d_params *p)
{
    return kbc_conv_2d_depthwise_scratch(p);
}

kbc_status kbc_conv_2d_s8_ternary_depthwise(const kbc_conv_2d_params *p, const void *x,
                                    const void *shortcut, void *y, void *scratch)
{
    return kbc_conv_2d_depthwise(p, x, shortcut, y, scratch);
}
