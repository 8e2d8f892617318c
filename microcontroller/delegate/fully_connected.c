/* KbcFullyConnected: x [..., k], weights, channels, shortcut -> y [..., out]; all axes of x but the
 * last are rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "few_bit.h"

static bool prepare(kbc_node *node)
{
    kbc_fully_connected_params *p = &node->params.fully_connected;
    kbc_any_function *scratch;
    int shape[KBC_MAX_RANK];

    memset(p, 0, sizeof *p);
    if (!kbc_check_common(node) || !kbc_check_x(node, &p->input_zero_point, &p->in_features) ||
        !kbc_count_outputs(node, &p->out_features)) {
        return false;
    }
    const TfLiteIntArray *in = kbc_input(node, KBC_X)->dims;
    p->rows = 1;
    for (int i = 0; i < in->size - 1; ++i) {
        p->rows *= in->data[i];
        shape[i] = in->data[i];
    }
    return kbc_prepare_finish(node, p->in_features, p->out_features, in->size, shape, &p->weights,
                              &p->finish) &&
           kbc_choose_few_bit_kernel(node, "fully_connected", &scratch) &&
           kbc_allocate_scratch(node, ((kbc_fully_connected_scratch_function *)scratch)(p));
}

static kbc_status invoke(const kbc_node *node, const void *x, const int8_t *shortcut, void *y)
{
    return ((kbc_fully_connected_function *)node->kernel)(&node->params.fully_connected, x,
                                                          shortcut, y, node->scratch);
}

const kbc_delegate_op kbc_delegate_fully_connected = {"KbcFullyConnected", 3, 4, prepare, invoke};
