/* KbcConv2D: x [n, h, w, c], weights, channels -> y [n, oh, ow, out], a grouped convolution and a
 * max-pooling on its accumulators. KbcDepthwiseConv2D is the same with as many groups as input
 * channels, and has no option for it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "node.h"

typedef kbc_status kernel_function(const kbc_conv_2d_params *p, const int8_t *x, int8_t *y,
                                   void *scratch);
typedef int32_t scratch_function(const kbc_conv_2d_params *p);

/* Positions of a window on an image side; 0 where it does not fit. */
static int32_t positions(int32_t side, int32_t before, int32_t after, int32_t size,
                         int32_t dilation, int32_t stride)
{
    const int32_t room = side + before + after - ((size - 1) * dilation + 1);

    return room < 0 ? 0 : room / stride + 1;
}

static int32_t rows_of(const kbc_window *w, int32_t height)
{
    return positions(height, w->pad_top, w->pad_bottom, w->height, w->dilation_height,
                     w->stride_height);
}

static int32_t columns_of(const kbc_window *w, int32_t width)
{
    return positions(width, w->pad_left, w->pad_right, w->width, w->dilation_width,
                     w->stride_width);
}

/* Every pool window holds an accumulator: no padding is as wide as the window. */
static bool check_pool(const kbc_node *node, const kbc_window *pool)
{
    return (pool->pad_top < pool->height && pool->pad_bottom < pool->height &&
            pool->pad_left < pool->width && pool->pad_right < pool->width) ||
           kbc_refuse(node, "the padding of its pooling is as wide as the window");
}

static bool check_groups(const kbc_node *node, const kbc_conv_2d_params *p)
{
    return (p->in_channels % p->groups == 0 && p->out_channels % p->groups == 0) ||
           kbc_refuse(node, "%ld groups do not divide %ld input and %ld output channels",
                      (long)p->groups, (long)p->in_channels, (long)p->out_channels);
}

/* Everything that follows from the two windows and the tensors' shapes. */
static bool derive(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->params.conv_2d;
    const TfLiteIntArray *in = kbc_tensor(node, node->input)->dims;
    const TfLiteIntArray *out = kbc_tensor(node, node->output)->dims;

    if (in->size != 4 || out->size != 4) {
        return kbc_refuse(node, "expected an input and an output of 4 axes");
    }
    p->batch = in->data[0];
    p->in_height = in->data[1];
    p->in_width = in->data[2];
    p->in_channels = in->data[3];
    p->out_channels = out->data[3];
    p->conv_height = rows_of(&p->kernel, p->in_height);
    p->conv_width = columns_of(&p->kernel, p->in_width);
    p->out_height = p->conv_height == 0 ? 0 : rows_of(&p->pool, p->conv_height);
    p->out_width = p->conv_width == 0 ? 0 : columns_of(&p->pool, p->conv_width);
    return (p->out_height > 0 && p->out_width > 0) ||
           kbc_refuse(node, "its windows do not fit the input of %ld x %ld", (long)p->in_height,
                      (long)p->in_width);
}

static bool finish(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->params.conv_2d;
    kbc_any_function *scratch;
    const int64_t bits = (int64_t)p->kernel.height * p->kernel.width * (p->in_channels / p->groups);
    const int shape[4] = {p->batch, p->out_height, p->out_width, p->out_channels};

    if (!kbc_check_constants(node, p->out_channels, bits) || !kbc_resize_output(node, 4, shape) ||
        !kbc_choose_kernel(node, "conv_2d_s8", &scratch)) {
        return false;
    }
    p->weights = kbc_tensor(node, node->weights)->data;
    p->channels = kbc_tensor(node, node->channels)->data;
    return kbc_allocate_scratch(node, ((scratch_function *)scratch)(p));
}

static bool prepare_windows(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->params.conv_2d;

    memset(p, 0, sizeof *p);
    return kbc_check_common(node, &p->input_zero_point, &p->output) &&
           kbc_option_window(node, "kernel", true, &p->kernel) &&
           kbc_option_window(node, "pool", false, &p->pool) && check_pool(node, &p->pool) &&
           derive(node);
}

static bool prepare(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->params.conv_2d;

    return prepare_windows(node) && kbc_option(node, "groups", 1, p->in_channels, &p->groups) &&
           check_groups(node, p) && finish(node);
}

static bool prepare_depthwise(kbc_node *node)
{
    kbc_conv_2d_params *p = &node->params.conv_2d;

    if (!prepare_windows(node)) {
        return false;
    }
    p->groups = p->in_channels;
    return check_groups(node, p) && finish(node);
}

static kbc_status invoke(const kbc_node *node, const int8_t *x, int8_t *y)
{
    return ((kernel_function *)node->kernel)(&node->params.conv_2d, x, y, node->scratch);
}

const kbc_delegate_op kbc_delegate_conv_2d = {"KbcConv2D", prepare, invoke};
const kbc_delegate_op kbc_delegate_depthwise_conv_2d = {"KbcDepthwiseConv2D", prepare_depthwise,
                                                        invoke};
