/* KbcFullyConnected: x [..., k], weights, channels, shortcut -> y [..., out]; all axes of x but the
 * last are rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "few_bit.h"

static const char *const KERNELS[3][2] = KBC_FEW_BIT_KERNELS("fully_connected");

static bool prepare(kbc_node *node)
{
    kbc_fully_connected_params *p = &node->call.params.fully_connected;
    kbc_any_function *scratch;
    int shape[KBC_MAX_RANK];

    if (!kbc_check_common(node) || !kbc_check_x(node, &p->input_zero_point, &p->in_features) ||
        !kbc_count_outputs(node, &p->out_features)) {
        return false;
    }
    const kbc_tensor *x = kbc_input(node, KBC_X);
    p->rows = 1;
    for (int i = 0; i < x->rank - 1; ++i) {
        p->rows *= x->shape[i];
        shape[i] = x->shape[i];
    }
    if (!kbc_prepare_finish(node, p->in_features, p->out_features, x->rank, shape, &p->weights,
                            &p->finish) ||
        !kbc_choose_few_bit_kernel(node, KERNELS, &scratch)) {
        return false;
    }
    node->call.scratch_bytes = ((kbc_fully_connected_scratch_function *)scratch)(p);
    return true;
}

static kbc_status invoke(const kbc_call *call, const void *x, const void *shortcut, void *y,
                         void *scratch)
{
    return ((kbc_fully_connected_function *)call->kernel)(&call->params.fully_connected, x,
                                                          shortcut, y, scratch);
}

const kbc_op kbc_op_fully_connected = {"KbcFullyConnected", 3, 4, prepare, invoke};
