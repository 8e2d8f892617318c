/* CONV_2D of TensorFlow Lite, int8, in groups, with per-channel weights of zero point 0
 * [out][height][width][in / groups] (equation in conv_2d.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_2d.h"

int32_t kbc_int8_grouped_conv_2d_scratch(const kbc_conv_2d_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_int8_grouped_conv_2d(const kbc_conv_2d_params *p, const void *x,
                                    const void *shortcut, void *y, void *scratch)
{
    (void)scratch;
    return kbc_conv_2d(p, x, kbc_bytes_s8(p->in_channels), shortcut, y, kbc_dot_int8);
}
