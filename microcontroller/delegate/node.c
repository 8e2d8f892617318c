/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_VERSION = 1 };

TfLiteTensor *kbc_tensor(const kbc_node *node, int number)
{
    return &node->context->tensors[number];
}

static bool exists(const kbc_node *node, int number)
{
    return number >= 0 && (size_t)number < node->context->tensors_size;
}

TfLiteTensor *kbc_input(const kbc_node *node, int input)
{
    const int number = node->inputs[input];

    return exists(node, number) ? kbc_tensor(node, number) : NULL;
}

TfLiteTensor *kbc_output_of(const kbc_node *node)
{
    return exists(node, node->output) ? kbc_tensor(node, node->output) : NULL;
}

bool kbc_holds(const TfLiteIntArray *numbers, int number)
{
    for (int i = 0; i < numbers->size; ++i) {
        if (numbers->data[i] == number) {
            return true;
        }
    }
    return false;
}

bool kbc_refuse(const kbc_node *node, const char *format, ...)
{
    const TfLiteTensor *output = kbc_output_of(node);
    const char *name = output != NULL ? output->name : NULL;
    char message[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    node->context->ReportError(node->context, "%s `%.80s`: %s", node->op->name,
                               name ? name : "?", message);
    return false;
}

bool kbc_option(const kbc_node *node, const char *key, int32_t least, int32_t greatest,
                int32_t *value)
{
    int64_t wide;

    if (!kbc_flexbuffers_int(&node->options, key, &wide)) {
        return kbc_refuse(node, "the integer option `%s` is missing", key);
    }
    if (wide < least || wide > greatest) {
        return kbc_refuse(node, "option `%s` is %lld, expected %ld to %ld", key, (long long)wide,
                          (long)least, (long)greatest);
    }
    *value = (int32_t)wide;
    return true;
}

static bool window_option(const kbc_node *node, const char *prefix, const char *name,
                          int32_t least, int32_t *value)
{
    char key[32];

    snprintf(key, sizeof key, "%s_%s", prefix, name);
    return kbc_option(node, key, least, KBC_MAX_WINDOW, value);
}

bool kbc_option_window(const kbc_node *node, const char *prefix, bool dilated, kbc_window *window)
{
    window->dilation_height = window->dilation_width = 1;
    return window_option(node, prefix, "h", 1, &window->height) &&
           window_option(node, prefix, "w", 1, &window->width) &&
           window_option(node, prefix, "stride_h", 1, &window->stride_height) &&
           window_option(node, prefix, "stride_w", 1, &window->stride_width) &&
           (!dilated || (window_option(node, prefix, "dilation_h", 1, &window->dilation_height) &&
                         window_option(node, prefix, "dilation_w", 1, &window->dilation_width))) &&
           window_option(node, prefix, "pad_top", 0, &window->pad_top) &&
           window_option(node, prefix, "pad_left", 0, &window->pad_left) &&
           window_option(node, prefix, "pad_bottom", 0, &window->pad_bottom) &&
           window_option(node, prefix, "pad_right", 0, &window->pad_right);
}

bool kbc_option_pool(const kbc_node *node, kbc_window *pool)
{
    if (!kbc_option_window(node, "pool", false, pool)) {
        return false;
    }
    return (pool->pad_top < pool->height && pool->pad_bottom < pool->height &&
            pool->pad_left < pool->width && pool->pad_right < pool->width) ||
           kbc_refuse(node, "the padding of its pooling is as wide as the window");
}

static int32_t positions(int32_t side, int32_t before, int32_t after, int32_t size,
                         int32_t dilation, int32_t stride)
{
    const int32_t room = side + before + after - ((size - 1) * dilation + 1);

    return room < 0 ? 0 : room / stride + 1;
}

int32_t kbc_rows_of(const kbc_window *w, int32_t height)
{
    return positions(height, w->pad_top, w->pad_bottom, w->height, w->dilation_height,
                     w->stride_height);
}

int32_t kbc_columns_of(const kbc_window *w, int32_t width)
{
    return positions(width, w->pad_left, w->pad_right, w->width, w->dilation_width,
                     w->stride_width);
}

/* The sides are sane, and their product is what the tensor has, unless it gets its size later. */
static bool check_shape(const kbc_node *node, const TfLiteTensor *tensor, const char *what,
                        int64_t element, bool has_size)
{
    int64_t product = element;

    if (tensor->dims == NULL || tensor->dims->size < 1 || tensor->dims->size > KBC_MAX_RANK) {
        return kbc_refuse(node, "%s has no axes, or more than %d", what, KBC_MAX_RANK);
    }
    for (int i = 0; i < tensor->dims->size; ++i) {
        const int side = tensor->dims->data[i];
        if (side < 1 || side > KBC_MAX_SIDE) {
            return kbc_refuse(node, "axis %d of %s is %d, expected 1 to %d", i, what, side,
                              KBC_MAX_SIDE);
        }
        product *= side;
        if (product > INT32_MAX) {
            return kbc_refuse(node, "%s has more than 2^31 bytes", what);
        }
    }
    if (has_size && tensor->bytes != (size_t)product) {
        return kbc_refuse(node, "%s has %zu bytes, but its shape wants %lld", what, tensor->bytes,
                          (long long)product);
    }
    return true;
}

bool kbc_check_type(const kbc_node *node, const TfLiteTensor *tensor, const char *what, bool bits)
{
    const TfLiteType expected = bits ? kTfLiteInt32 : kTfLiteInt8;

    return tensor->type == expected ||
           kbc_refuse(node, "%s has type %d, expected %s (%d)", what, (int)tensor->type,
                      bits ? "int32" : "int8", (int)expected);
}

bool kbc_check_activation(const kbc_node *node, const TfLiteTensor *tensor, const char *what)
{
    if (kbc_is_bits(tensor)) {
        return true;
    }
    if (!kbc_check_type(node, tensor, what, false)) {
        return false;
    }
    if (!(tensor->params.scale > 0.0f && tensor->params.scale <= FLT_MAX)) {
        return kbc_refuse(node, "%s is not quantized with one scale", what);
    }
    if (tensor->params.zero_point < INT8_MIN || tensor->params.zero_point > INT8_MAX) {
        return kbc_refuse(node, "the zero point of %s is %ld, expected -128 to 127", what,
                          (long)tensor->params.zero_point);
    }
    return true;
}

static bool is_constant(const TfLiteTensor *tensor)
{
    return tensor->allocation_type == kTfLiteMmapRo ||
           tensor->allocation_type == kTfLitePersistentRo;
}

static bool check_options(const kbc_node *node)
{
    int32_t version;

    if (!node->has_options) {
        return kbc_refuse(node, "its options are no FlexBuffers map");
    }
    return kbc_option(node, "version", OPTIONS_VERSION, OPTIONS_VERSION, &version);
}

bool kbc_check_common(const kbc_node *node)
{
    const TfLiteTensor *x = kbc_input(node, KBC_X), *output = kbc_output_of(node);

    if (!check_options(node)) {
        return false;
    }
    if (x == NULL || output == NULL) {
        return kbc_refuse(node, "expected %d to %d inputs and 1 output", node->op->least_inputs,
                          node->op->most_inputs);
    }
    if (!kbc_check_activation(node, x, "the input") ||
        !kbc_check_activation(node, output, "the output")) {
        return false;
    }
    if (x == output) {
        return kbc_refuse(node, "the input is the output");
    }
    if (is_constant(output)) {
        return kbc_refuse(node, "the output is constant");
    }
    return check_shape(node, x, "the input", kbc_is_bits(x) ? 4 : 1, true) &&
           check_shape(node, output, "the output", kbc_is_bits(output) ? 4 : 1, false);
}

bool kbc_check_constant(const kbc_node *node, int input, const char *what, int rank,
                        const int64_t *shape)
{
    const TfLiteTensor *tensor = kbc_input(node, input);

    if (tensor == NULL) {
        return kbc_refuse(node, "%s are missing", what);
    }
    if (!kbc_check_type(node, tensor, what, true)) {
        return false;
    }
    if (tensor->allocation_type != kTfLiteMmapRo || tensor->data == NULL) {
        return kbc_refuse(node, "%s are not constant", what);
    }
    if ((uintptr_t)tensor->data % sizeof(int32_t) != 0) {
        return kbc_refuse(node, "%s are not aligned to 4 bytes", what);
    }
    if (!check_shape(node, tensor, what, sizeof(int32_t), true)) {
        return false;
    }
    bool same = tensor->dims->size == rank;
    for (int i = 0; same && i < rank; ++i) {
        same = tensor->dims->data[i] == shape[i];
    }
    return same || kbc_refuse(node, "%s have another shape than its sizes want", what);
}

static bool check_declared(const kbc_node *node, const TfLiteIntArray *declared, int rank,
                           const int *shape)
{
    int64_t product = 1;

    if (declared->size != rank) {
        return kbc_refuse(node, "the output has %d axes, expected %d", declared->size, rank);
    }
    for (int i = 0; i < rank; ++i) {
        if (i > 0 && declared->data[i] != shape[i]) {
            return kbc_refuse(node, "axis %d of the output is %d, expected %d", i,
                              declared->data[i], shape[i]);
        }
        product *= shape[i];
        if (product > INT32_MAX) {
            return kbc_refuse(node, "the output has more than 2^31 bytes");
        }
    }
    return true;
}

bool kbc_resize_output(const kbc_node *node, int rank, const int *shape)
{
    TfLiteTensor *output = kbc_output_of(node);
    const size_t bytes = (size_t)rank * sizeof *shape;

    if (!check_declared(node, output->dims, rank, shape)) {
        return false;
    }
    TfLiteIntArray *dims = malloc(sizeof *dims + bytes);
    if (dims == NULL) {
        return kbc_refuse(node, "no memory for a shape");
    }
    dims->size = rank;
    memcpy(dims->data, shape, bytes);
    return node->context->ResizeTensor(node->context, output, dims) == kTfLiteOk;
}

bool kbc_choose_kernel(kbc_node *node, const char *op, kbc_any_function **scratch)
{
    node->kernel = NULL;
    for (int32_t i = 0; i < kbc_kernel_count; ++i) {
        const kbc_kernel *row = &kbc_kernels[i];
        if (strcmp(row->op, op) == 0 && strcmp(row->layout, "canonical") == 0) {
            node->kernel = row->function;
            *scratch = row->scratch;
        }
    }
    return node->kernel != NULL || kbc_refuse(node, "no kernel of %s reads its layout", op);
}

bool kbc_allocate_scratch(kbc_node *node, int32_t bytes)
{
    free(node->scratch);
    node->scratch = bytes > 0 ? malloc((size_t)bytes) : NULL;
    return bytes <= 0 || node->scratch != NULL || kbc_refuse(node, "no memory for its scratch");
}
