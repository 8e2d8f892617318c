/* CONV_2D and DEPTHWISE_CONV_2D of TensorFlow Lite, int8, with per-channel weights of zero point 0
 * [out][height][width][in / groups] (equation in conv_2d.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_2d.h"
#include "int8_dot.h"

static inline int32_t tap_dot(const void *weights, int32_t o, int32_t size, int32_t first,
                              const int8_t *x, int32_t n, int32_t zx)
{
    const int8_t *w = weights;
    return kbc_int8_dot(w + o * size + first, x, n, zx);
}

int32_t kbc_int8_conv_2d_scratch(const kbc_conv_2d_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_int8_conv_2d(const kbc_conv_2d_params *p, const int8_t *x, int8_t *y, void *scratch)
{
    (void)scratch;
    kbc_conv_2d(p, x, y, tap_dot, kbc_requantize_twice);
    return KBC_OK;
}
