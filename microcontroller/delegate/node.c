/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_VERSION = 1, MAX_RANK = 8, CHANNEL_FIELDS = 3 };

static const int32_t LIMIT = 1 << 30; /* of accumulators and biases, see kbc.h */

TfLiteTensor *kbc_tensor(const kbc_node *node, int number)
{
    return &node->context->tensors[number];
}

static bool exists(const kbc_node *node, int number)
{
    return number >= 0 && (size_t)number < node->context->tensors_size;
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
    const char *name = exists(node, node->output) ? kbc_tensor(node, node->output)->name : NULL;
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

/* The sides are sane, and their product is what the tensor has, unless it gets its size later. */
static bool check_shape(const kbc_node *node, const TfLiteTensor *tensor, const char *what,
                        int64_t element, bool has_size)
{
    int64_t product = element;

    if (tensor->dims == NULL || tensor->dims->size < 1 || tensor->dims->size > MAX_RANK) {
        return kbc_refuse(node, "%s has no axes, or more than %d", what, MAX_RANK);
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

static bool check_activation(const kbc_node *node, int number, const char *what)
{
    if (!exists(node, number)) {
        return kbc_refuse(node, "expected 3 inputs and 1 output");
    }
    const TfLiteTensor *tensor = kbc_tensor(node, number);
    if (tensor->type != kTfLiteInt8) {
        return kbc_refuse(node, "%s has type %d, expected int8 (%d)", what, (int)tensor->type,
                          (int)kTfLiteInt8);
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

bool kbc_check_common(const kbc_node *node, int32_t *input_zero_point, kbc_output *output)
{
    int32_t version;

    if (!node->has_options) {
        return kbc_refuse(node, "its options are no FlexBuffers map");
    }
    if (!kbc_option(node, "version", OPTIONS_VERSION, OPTIONS_VERSION, &version)) {
        return false;
    }
    if (!kbc_flexbuffers_equals(&node->options, "weights", "binary")) {
        return kbc_refuse(node, "option `weights` is not \"binary\"");
    }
    if (!check_activation(node, node->input, "the input") ||
        !check_activation(node, node->output, "the output")) {
        return false;
    }
    if (node->input == node->output) {
        return kbc_refuse(node, "the input is the output");
    }
    const TfLiteTensor *input = kbc_tensor(node, node->input);
    const TfLiteTensor *declared = kbc_tensor(node, node->output);
    if (declared->allocation_type == kTfLiteMmapRo ||
        declared->allocation_type == kTfLitePersistentRo) {
        return kbc_refuse(node, "the output is constant");
    }
    if (!check_shape(node, input, "the input", 1, true) ||
        !check_shape(node, declared, "the output", 1, false) ||
        !kbc_option(node, "activation_min", INT8_MIN, INT8_MAX, &output->min) ||
        !kbc_option(node, "activation_max", output->min, INT8_MAX, &output->max)) {
        return false;
    }
    *input_zero_point = input->params.zero_point;
    output->zero_point = declared->params.zero_point;
    return true;
}

static bool check_constant(const kbc_node *node, int number, const char *what, int64_t rows,
                           int64_t columns)
{
    if (!exists(node, number)) {
        return kbc_refuse(node, "expected 3 inputs and 1 output");
    }
    const TfLiteTensor *tensor = kbc_tensor(node, number);
    if (tensor->type != kTfLiteInt32) {
        return kbc_refuse(node, "%s have type %d, expected int32 (%d)", what, (int)tensor->type,
                          (int)kTfLiteInt32);
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
    if (tensor->dims->size != 2 || tensor->dims->data[0] != rows ||
        tensor->dims->data[1] != columns) {
        return kbc_refuse(node, "%s have another shape than [%lld, %lld]", what, (long long)rows,
                          (long long)columns);
    }
    return true;
}

static bool check_channel(const kbc_node *node, int32_t number, const kbc_channel *channel)
{
    const int64_t size = llabs((int64_t)channel->multiplier);

    if (llabs((int64_t)channel->bias) > LIMIT) {
        return kbc_refuse(node, "the bias of channel %ld is beyond 2^30", (long)number);
    }
    if (size != 0 && (size < LIMIT || size > INT32_MAX)) {
        return kbc_refuse(node, "the multiplier of channel %ld has not 31 bits", (long)number);
    }
    if (channel->shift < 1 || channel->shift > 62) {
        return kbc_refuse(node, "the shift of channel %ld is %ld, expected 1 to 62", (long)number,
                          (long)channel->shift);
    }
    return true;
}

/* Other kernels than ours may count the bits past the last weight: they must be 0. */
static bool check_padding(const kbc_node *node, int32_t out, int64_t bits)
{
    const uint32_t *words = kbc_tensor(node, node->weights)->data;
    const int64_t per_channel = (bits + 31) / 32;
    const uint32_t padding = bits % 32 == 0 ? 0 : ~(uint32_t)0 << (bits % 32);

    for (int32_t o = 0; o < out; ++o) {
        if (words[(o + 1) * per_channel - 1] & padding) {
            return kbc_refuse(node, "the weights of channel %ld have pad bits that are not 0",
                              (long)o);
        }
    }
    return true;
}

bool kbc_check_constants(const kbc_node *node, int32_t out, int64_t bits)
{
    if (bits * 255 > LIMIT) {
        return kbc_refuse(node, "%lld weights a channel overflow its accumulator",
                          (long long)bits);
    }
    if (!check_constant(node, node->weights, "the weights", out, (bits + 31) / 32) ||
        !check_constant(node, node->channels, "the channels", out, CHANNEL_FIELDS)) {
        return false;
    }
    const kbc_channel *channels = kbc_tensor(node, node->channels)->data;
    for (int32_t o = 0; o < out; ++o) {
        if (!check_channel(node, o, &channels[o])) {
            return false;
        }
    }
    return check_padding(node, out, bits);
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
    TfLiteTensor *output = kbc_tensor(node, node->output);
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
