/* 2-D convolution, one-bit weights, one-bit inputs: by tables of filters, see convolve_b1.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "convolve_b1.h"

int32_t kbc_conv_2d_b1_tables_scratch(const kbc_conv_2d_params *p)
{
    return kbc_convolve_b1_scratch(p);
}

kbc_status kbc_conv_2d_b1_tables(const kbc_conv_2d_params *p, const void *x,
                                 const void *shortcut, void *y, void *scratch)
{
    return kbc_convolve_b1(p, 0, x, shortcut, y, scratch);
}
