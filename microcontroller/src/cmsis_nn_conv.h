/* What the two convolutions by CMSIS-NN share: its words for our parameters.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CMSIS_NN_CONV_H
#define KBC_CMSIS_NN_CONV_H

#include "cmsis_nn.h"
#include "one_bit.h"

#if KBC_HAS_CMSIS_NN

typedef struct {
    cmsis_nn_per_channel_quant_params factors;
    cmsis_nn_dims in, out, bias_dims;
    cmsis_nn_tile stride, padding, dilation;
    cmsis_nn_activation bounds;
    int32_t from, to; /* offsets */
    const int32_t *bias;
} kbc_cmsis_conv;

static inline kbc_cmsis_conv kbc_cmsis_conv_of(const kbc_conv_2d_params *p)
{
    const kbc_window *k = &p->kernel;
    const int32_t n = p->out_channels, *channels = p->finish.channels;
    const kbc_cmsis_conv c = {
        .factors = {(int32_t *)channels + n, (int32_t *)channels + 2 * n},
        .in = kbc_cmsis_dims(p->batch, p->in_height, p->in_width, p->in_channels),
        .out = kbc_cmsis_dims(p->batch, p->out_height, p->out_width, n),
        .bias_dims = kbc_cmsis_dims(1, 1, 1, n),
        .stride = kbc_cmsis_tile(k->stride_height, k->stride_width),
        .padding = kbc_cmsis_tile(k->pad_top, k->pad_left),
        .dilation = kbc_cmsis_tile(k->dilation_height, k->dilation_width),
        .bounds = kbc_cmsis_activation(&p->finish.output),
        .from = -p->input_zero_point,
        .to = p->finish.output.zero_point,
        .bias = channels,
    };
    return c;
}

#endif

#endif /* KBC_CMSIS_NN_CONV_H */
