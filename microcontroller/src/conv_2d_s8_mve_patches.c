/* 2-D convolution, one-bit weights, int8 inputs, few of them to an output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_PLANES 1
#include "conv_2d_mve_patches.h"

int32_t kbc_conv_2d_s8_mve_patches_scratch(const kbc_conv_2d_params *p)
{
    return kbc_patches_scratch(p);
}

#if KBC_HAS_MVE

kbc_status kbc_conv_2d_s8_mve_patches(const kbc_conv_2d_params *p, const void *x,
                                      const void *shortcut, void *y, void *scratch)
{
    return kbc_conv_2d_patches(p, x, shortcut, y, scratch);
}

#endif
