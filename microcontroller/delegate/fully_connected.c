/* KbcFullyConnected: x [..., k], weights, channels -> y [..., out]; all axes of x but the last are
 * rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "node.h"

typedef kbc_status kernel_function(const kbc_fully_connected_params *p, const int8_t *x, int8_t *y,
                                   void *scratch);
typedef int32_t scratch_function(const kbc_fully_connected_params *p);

static bool prepare(kbc_node *node)
{
    kbc_fully_connected_params *p = &node->params.fully_connected;
    kbc_any_function *scratch;
    int shape[8]; /* the greatest rank that kbc_check_common lets pass */

    memset(p, 0, sizeof *p);
    if (!kbc_check_common(node, &p->input_zero_point, &p->output)) {
        return false;
    }
    const TfLiteIntArray *in = kbc_tensor(node, node->input)->dims;
    const TfLiteIntArray *out = kbc_tensor(node, node->output)->dims;
    const int last = in->size - 1;
    p->rows = 1;
    for (int i = 0; i < last; ++i) {
        p->rows *= in->data[i];
        shape[i] = in->data[i];
    }
    p->in_features = in->data[last];
    p->out_features = shape[last] = out->data[out->size - 1];
    if (!kbc_check_constants(node, p->out_features, p->in_features) ||
        !kbc_resize_output(node, in->size, shape) ||
        !kbc_choose_kernel(node, "fully_connected_s8", &scratch)) {
        return false;
    }
    p->weights = kbc_tensor(node, node->weights)->data;
    p->channels = kbc_tensor(node, node->channels)->data;
    return kbc_allocate_scratch(node, ((scratch_function *)scratch)(p));
}

static kbc_status invoke(const kbc_node *node, const int8_t *x, int8_t *y)
{
    return ((kernel_function *)node->kernel)(&node->params.fully_connected, x, y, node->scratch);
}

const kbc_delegate_op kbc_delegate_fully_connected = {"KbcFullyConnected", prepare, invoke};
