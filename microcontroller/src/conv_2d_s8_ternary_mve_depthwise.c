/* Depthwise 2-D convolution, ternary weights, int8 inputs: vectors of channels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_PLANES 2
#include "conv_2d_mve_depthwise.h"

int32_t kbc_conv_2d_s8_ternary_mve_depthwise_scratch(const kbc_conv_2d_params *p)
{
    return kbc_depthwise_scratch(p);
}

#if KBC_HAS_MVE

kbc_status kbc_conv_2d_s8_ternary_mve_depthwise(const kbc_conv_2d_params *p, const void *x,
                                            const void *shortcut, void *y, void *scratch)
{
    return kbc_conv_2d_depthwise(p, x, shortcut, y, scratch);
}

#endif
