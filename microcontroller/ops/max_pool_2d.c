/* KbcMaxPool2D: bits x [n, h, w, words] -> bits y [n, oh, ow, words].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "window.h"

static bool prepare(kbc_node *node)
{
    kbc_pool_2d_params *p = &node->call.params.pool_2d;

    if (!kbc_check_common(node) || !kbc_option_pool(node, &p->window) ||
        !kbc_check_type(node, kbc_input(node, KBC_X), "the input", KBC_INT32) ||
        !kbc_check_type(node, kbc_output_of(node), "the output", KBC_INT32)) {
        return false;
    }
    const kbc_tensor *x = kbc_input(node, KBC_X);
    if (x->rank != 4) {
        return kbc_refuse(node, "expected an input of 4 axes");
    }
    p->batch = x->shape[0];
    p->in_height = x->shape[1];
    p->in_width = x->shape[2];
    p->channels = x->shape[3];
    p->out_height = kbc_rows_of(&p->window, p->in_height);
    p->out_width = kbc_columns_of(&p->window, p->in_width);
    if (p->out_height < 1 || p->out_width < 1) {
        return kbc_refuse(node, "its window does not fit the input of %ld x %ld",
                          (long)p->in_height, (long)p->in_width);
    }
    const int shape[4] = {p->batch, p->out_height, p->out_width, p->channels};
    return kbc_shape_output(node, 4, shape);
}

static kbc_status invoke(const kbc_call *call, const void *x, const void *shortcut, void *y,
                         void *scratch)
{
    (void)shortcut, (void)scratch;
    return kbc_max_pool_2d_b1(&call->params.pool_2d, x, y);
}

const kbc_op kbc_op_max_pool_2d = {"KbcMaxPool2D", 1, 1, prepare, invoke};
