/* 2-D convolution, one-bit weights, int8 activations: the reference (equation in conv_2d.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_2d.h"
#include "one_bit.h"

static inline int32_t tap_dot(const void *weights, int32_t o, int32_t size, int32_t first,
                              const int8_t *x, int32_t n, int32_t zx)
{
    const uint32_t *w = weights;
    return kbc_one_bit_dot(w + o * kbc_words(size), first, x, n, zx);
}

int32_t kbc_conv_2d_s8_scratch(const kbc_conv_2d_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_conv_2d_s8(const kbc_conv_2d_params *p, const int8_t *x, int8_t *y, void *scratch)
{
    (void)scratch;
    kbc_conv_2d(p, x, y, tap_dot, kbc_requantize);
    return KBC_OK;
}
