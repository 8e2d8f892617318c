/* KbcConv2D: x [n, h, w, c], weights, channels, shortcut -> y [n, oh, ow, out], a grouped
 * convolution and a max-pooling on its accumulators. KbcDepthwiseConv2D is the same with as many
 * groups as input channels, and has no option for it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "few_bit.h"
#include "window.h"

enum { MAX_INPUT_DILATION = 1 << 10 }; /* with KBC_MAX_SIDE it keeps positions in 32 bits */

static const char *const KERNELS[3][2] = KBC_FEW_BIT_KERNELS("conv_2d");

static bool check_groups(const kbc_node *node, const kbc_conv_2d_params *p)
{
    return (p->in_channels % p->groups == 0 && p->out_channels % p->groups == 0) ||
           kbc_refuse(node, "%ld groups do not divide %ld input and %ld output channels",
                      (long)p->groups, (long)p->in_channels, (long)p->out_channels);
}

/* The side of an image whose pixels lie `dilation` apart. */
static bool spread(const kbc_node *node, int32_t side, int32_t dilation, int32_t *spread_side)
{
    const int64_t wide = (int64_t)(side - 1) * dilation + 1;

    *spread_side = (int32_t)wide;
    return wide <= KBC_MAX_SIDE || kbc_refuse(node, "its dilated input is too large");
}

/* Everything that follows from the two windows and the tensors' shapes. */
static bool derive(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->call.params.conv_2d;
    const kbc_tensor *x = kbc_input(node, KBC_X);
    int32_t height, width;

    if (x->rank != 4) {
        return kbc_refuse(node, "expected an input of 4 axes");
    }
    p->batch = x->shape[0];
    p->in_height = x->shape[1];
    p->in_width = x->shape[2];
    if (!spread(node, p->in_height, p->input_dilation_height, &height) ||
        !spread(node, p->in_width, p->input_dilation_width, &width)) {
        return false;
    }
    p->conv_height = kbc_rows_of(&p->kernel, height);
    p->conv_width = kbc_columns_of(&p->kernel, width);
    p->out_height = p->conv_height == 0 ? 0 : kbc_rows_of(&p->pool, p->conv_height);
    p->out_width = p->conv_width == 0 ? 0 : kbc_columns_of(&p->pool, p->conv_width);
    return (p->out_height > 0 && p->out_width > 0) ||
           kbc_refuse(node, "its windows do not fit the input of %ld x %ld", (long)p->in_height,
                      (long)p->in_width);
}

static bool finish(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->call.params.conv_2d;
    kbc_any_function *scratch;
    const int64_t products =
        (int64_t)p->kernel.height * p->kernel.width * (p->in_channels / p->groups);
    int shape[4] = {p->batch, p->out_height, p->out_width, 0};

    if (!kbc_prepare_finish(node, products, p->out_channels, 4, shape, &p->weights, &p->finish) ||
        !kbc_choose_few_bit_kernel(node, KERNELS, &scratch)) {
        return false;
    }
    node->call.scratch_bytes = ((kbc_conv_2d_scratch_function *)scratch)(p);
    return true;
}

/* 1 where the file does not say. */
static bool option_dilation(const kbc_node *node, const char *key, int32_t *dilation)
{
    *dilation = 1;
    return !kbc_flexbuffers_has(&node->options, key) ||
           kbc_option(node, key, 1, MAX_INPUT_DILATION, dilation);
}

static bool prepare_windows(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->call.params.conv_2d;

    return kbc_check_common(node) &&
           kbc_check_x(node, &p->input_zero_point, &p->in_channels) &&
           kbc_count_outputs(node, &p->out_channels) &&
           kbc_option_kernel(node, &p->kernel) &&
           kbc_option_pool(node, &p->pool) &&
           option_dilation(node, "input_dilation_h", &p->input_dilation_height) &&
           option_dilation(node, "input_dilation_w", &p->input_dilation_width) &&
           derive(node);
}

static bool prepare(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->call.params.conv_2d;

    return prepare_windows(node) && kbc_option(node, "groups", 1, p->in_channels, &p->groups) &&
           check_groups(node, p) && finish(node);
}

static bool prepare_depthwise(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->call.params.conv_2d;

    if (!prepare_windows(node)) {
        return false;
    }
    p->groups = p->in_channels;
    return check_groups(node, p) && finish(node);
}

static kbc_status invoke(const kbc_call *call, const void *x, const void *shortcut, void *y,
                         void *scratch)
{
    return ((kbc_conv_2d_function *)call->kernel)(&call->params.conv_2d, x, shortcut, y, scratch);
}

const kbc_op kbc_op_conv_2d = {"KbcConv2D", 3, 4, prepare, invoke};
const kbc_op kbc_op_depthwise_conv_2d = {"KbcDepthwiseConv2D", 3, 4, prepare_depthwise, invoke};
