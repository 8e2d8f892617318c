/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

static bool params_of(const kbc_node *node, kbc_conv_2d_params *params)
{
    if (node->op == &kbc_op_fully_connected) {
        *params = kbc_as_convolution(&node->call.params.fully_connected);
        return true;
    }
    if (node->op == &kbc_op_conv_2d || node->op == &kbc_op_depthwise_conv_2d) {
        *params = node->call.params.conv_2d;
        return true;
    }
    return false;
}

bool kbc_host_prepare(const kbc_host *host, const kbc_node *node, int32_t threads,
                      kbc_layer *layer)
{
    kbc_conv_2d_params params;

    if (host->set == NULL || !params_of(node, &params) ||
        kbc_input(node, KBC_X)->type == KBC_FLOAT32) {
        return false;
    }
    kbc_pool_grow(host->pool, threads);
    return kbc_layer_prepare(layer, &params, kbc_is_bits(kbc_input(node, KBC_X)),
                             kbc_input(node, KBC_WEIGHTS)->rank == 3, host->set,
                             threads < 1 ? 1 : threads);
}
