/* 2-D convolution, one-bit weights, int8 inputs: by tables of eight pixels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_OCTET_TERNARY 0
#include "conv_2d_octets.h"

int32_t kbc_conv_2d_s8_octets_scratch(const kbc_conv_2d_params *p)
{
    return kbc_conv_2d_octets_scratch(p);
}

kbc_status kbc_conv_2d_s8_octets(const kbc_conv_2d_params *p, const void *x,
                                 const void *shortcut, void *y, void *scratch)
{
    return kbc_conv_2d_octets(p, x, shortcut, y, scratch);
}
