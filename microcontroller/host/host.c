/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

enum { MOST_PRODUCTS = 1 << 22 }; /* 2 * 255 times as many fit 31 bits */

static kbc_conv_2d_params as_convolution(const kbc_fully_connected_params *p)
{
    const kbc_window one = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};

    return (kbc_conv_2d_params){
        .batch = 1,
        .in_height = p->rows,
        .in_width = 1,
        .in_channels = p->in_features,
        .conv_height = p->rows,
        .conv_width = 1,
        .out_height = p->rows,
        .out_width = 1,
        .out_channels = p->out_features,
        .groups = 1,
        .input_dilation_height = 1,
        .input_dilation_width = 1,
        .input_zero_point = p->input_zero_point,
        .kernel = one,
        .pool = one,
        .weights = p->weights,
        .finish = p->finish,
    };
}

static bool params_of(const kbc_node *node, kbc_conv_2d_params *params)
{
    if (node->op == &kbc_op_fully_connected) {
        *params = as_convolution(&node->call.params.fully_connected);
        return true;
    }
    if (node->op == &kbc_op_conv_2d) {
        *params = node->call.params.conv_2d;
        return true;
    }
    return false;
}

static bool fits(const kbc_node *node, const kbc_conv_2d_params *p)
{
    const int64_t taps = (int64_t)p->kernel.height * p->kernel.width;

    return kbc_input(node, KBC_X)->type != KBC_FLOAT32 && p->groups == 1 &&
           taps * p->in_channels <= MOST_PRODUCTS;
}

bool kbc_host_prepare(const kbc_host *host, const kbc_node *node, int32_t threads,
                      kbc_layer *layer)
{
    kbc_conv_2d_params params;

    if (host->set == NULL || !params_of(node, &params) || !fits(node, &params)) {
        return false;
    }
    kbc_pool_grow(host->pool, threads);
    return kbc_layer_prepare(layer, &params, kbc_is_bits(kbc_input(node, KBC_X)),
                             kbc_input(node, KBC_WEIGHTS)->rank == 3, host->set,
                             threads < 1 ? 1 : threads);
}
