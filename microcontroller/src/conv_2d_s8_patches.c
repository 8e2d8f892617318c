/* 2-D convolution, one-bit weights, int8 inputs: by tables of eight patches.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_OCTET_TERNARY 0
#include "conv_2d_patches.h"

int32_t kbc_conv_2d_s8_patches_scratch(const kbc_conv_2d_params *p)
{
    return kbc_conv_2d_patches_scratch(p);
}

kbc_status kbc_conv_2d_s8_patches(const kbc_conv_2d_params *p, const void *x,
                                  const void *shortcut, void *y, void *scratch)
{
    return kbc_conv_2d_patches(p, x, shortcut, y, scratch);
}
