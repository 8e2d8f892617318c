/* CONV_2D of TensorFlow Lite, int8, in more groups than one (equation in conv_2d.h): its
 * interpreters round this one as they do the element-wise builtins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_2d.h"
#include "int8_dot.h"
#include "rescale.h"

static inline int8_t requantize(int32_t acc, const kbc_channel *channel, const kbc_output *out)
{
    const int32_t scaled = kbc_rescale(acc + channel->bias, channel->multiplier, channel->shift);

    return kbc_saturate(out->zero_point + scaled, out);
}

kbc_status kbc_int8_grouped_conv_2d(const kbc_conv_2d_params *p, const int8_t *x, int8_t *y)
{
    kbc_conv_2d(p, x, y, kbc_int8_tap_dot, requantize);
    return KBC_OK;
}
