/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <float.h>
#include <string.h>

enum { OPTIONS_VERSION = 1 };

void kbc_clear_node(kbc_node *node, const kbc_op *op)
{
    memset(node, 0, sizeof *node);
    node->op = op;
    for (int i = 0; i < KBC_MAX_INPUTS; ++i) {
        node->inputs[i].number = -1;
    }
    node->output.number = -1;
}

bool kbc_counts_fit(const kbc_op *op, int inputs, int outputs)
{
    return inputs >= op->least_inputs && inputs <= op->most_inputs && outputs == 1;
}

void kbc_read_options(kbc_node *node, const void *bytes, size_t size)
{
    node->has_options = kbc_flexbuffers_open(&node->options, bytes, size);
}

static const kbc_tensor *existing(const kbc_tensor *tensor)
{
    return tensor->number >= 0 ? tensor : NULL;
}

const kbc_tensor *kbc_input(const kbc_node *node, int input)
{
    return existing(&node->inputs[input]);
}

const kbc_tensor *kbc_output_of(const kbc_node *node)
{
    return existing(&node->output);
}

bool kbc_refuse(const kbc_node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    node->report(node, format, arguments);
    va_end(arguments);
    return false;
}

bool kbc_option(const kbc_node *node, const char *key, int32_t least, int32_t greatest,
                int32_t *value)
{
    int64_t wide;

    if (!kbc_flexbuffers_int(&node->options, key, &wide)) {
        return kbc_refuse(node, "the integer option `%s` is missing", key);
    }
    if (wide < INT32_MIN || wide > INT32_MAX) {
        return kbc_refuse(node, "option `%s` has more than 32 bits, expected %ld to %ld", key,
                          (long)least, (long)greatest);
    }
    if (wide < least || wide > greatest) {
        return kbc_refuse(node, "option `%s` is %ld, expected %ld to %ld", key, (long)wide,
                          (long)least, (long)greatest);
    }
    *value = (int32_t)wide;
    return true;
}

/* The sides are sane, and their product is what the tensor has, unless it gets its size later. */
static bool check_shape(const kbc_node *node, const kbc_tensor *tensor, const char *what,
                        int64_t element, bool has_size)
{
    int64_t product = element;

    if (tensor->shape == NULL || tensor->rank < 1 || tensor->rank > KBC_MAX_RANK) {
        return kbc_refuse(node, "%s has no axes, or more than %d", what, KBC_MAX_RANK);
    }
    for (int i = 0; i < tensor->rank; ++i) {
        const int side = tensor->shape[i];
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
        return kbc_refuse(node, "%s has %ld bytes, but its shape wants %ld", what,
                          (long)tensor->bytes, (long)product);
    }
    return true;
}

bool kbc_check_type(const kbc_node *node, const kbc_tensor *tensor, const char *what, bool bits)
{
    const int expected = bits ? KBC_INT32 : KBC_INT8;

    return tensor->type == expected ||
           kbc_refuse(node, "%s has type %d, expected %s (%d)", what, tensor->type,
                      bits ? "int32" : "int8", expected);
}

bool kbc_check_activation(const kbc_node *node, const kbc_tensor *tensor, const char *what)
{
    if (kbc_is_bits(tensor)) {
        return true;
    }
    if (!kbc_check_type(node, tensor, what, false)) {
        return false;
    }
    if (!(tensor->scale > 0.0f && tensor->scale <= FLT_MAX)) {
        return kbc_refuse(node, "%s is not quantized with one scale", what);
    }
    if (tensor->zero_point < INT8_MIN || tensor->zero_point > INT8_MAX) {
        return kbc_refuse(node, "the zero point of %s is %ld, expected -128 to 127", what,
                          (long)tensor->zero_point);
    }
    return true;
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
    const kbc_tensor *x = kbc_input(node, KBC_X), *output = kbc_output_of(node);

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
    if (x->number == output->number) {
        return kbc_refuse(node, "the input is the output");
    }
    if (output->is_constant) {
        return kbc_refuse(node, "the output is constant");
    }
    return check_shape(node, x, "the input", kbc_is_bits(x) ? 4 : 1, true) &&
           check_shape(node, output, "the output", kbc_is_bits(output) ? 4 : 1, false);
}

bool kbc_check_constant(const kbc_node *node, int input, const char *what, int rank,
                        const int64_t *shape)
{
    const kbc_tensor *tensor = kbc_input(node, input);

    if (tensor == NULL) {
        return kbc_refuse(node, "%s are missing", what);
    }
    if (!kbc_check_type(node, tensor, what, true)) {
        return false;
    }
    if (!tensor->is_in_file || tensor->data == NULL) {
        return kbc_refuse(node, "%s are not constant", what);
    }
    if ((uintptr_t)tensor->data % sizeof(int32_t) != 0) {
        return kbc_refuse(node, "%s are not aligned to 4 bytes", what);
    }
    if (!check_shape(node, tensor, what, sizeof(int32_t), true)) {
        return false;
    }
    bool same = tensor->rank == rank;
    for (int i = 0; same && i < rank; ++i) {
        same = tensor->shape[i] == shape[i];
    }
    return same || kbc_refuse(node, "%s have another shape than its sizes want", what);
}

bool kbc_shape_output(kbc_node *node, int rank, const int *shape)
{
    const kbc_tensor *declared = kbc_output_of(node);
    int64_t product = kbc_is_bits(declared) ? 4 : 1;

    if (declared->rank != rank) {
        return kbc_refuse(node, "the output has %d axes, expected %d", declared->rank, rank);
    }
    for (int i = 0; i < rank; ++i) {
        if (i > 0 && declared->shape[i] != shape[i]) {
            return kbc_refuse(node, "axis %d of the output is %d, expected %d", i,
                              declared->shape[i], shape[i]);
        }
        product *= shape[i];
        if (product > INT32_MAX) {
            return kbc_refuse(node, "the output has more than 2^31 bytes");
        }
        node->output_shape[i] = shape[i];
    }
    node->output_rank = rank;
    return true;
}

bool kbc_choose_kernel(kbc_node *node, const char *op, kbc_any_function **scratch)
{
    node->call.kernel = NULL;
    for (int32_t i = 0; i < kbc_canonical_kernel_count; ++i) {
        const kbc_kernel *row = &kbc_canonical_kernels[i];
        if (strcmp(row->op, op) == 0) {
            node->call.kernel = row->function;
            *scratch = row->scratch;
        }
    }
    return node->call.kernel != NULL ||
           kbc_refuse(node, "no kernel of %s reads the layout of the file", op);
}

/* By a shape that has been checked. */
static size_t bytes_of(const kbc_tensor *tensor, int rank, const int *shape)
{
    size_t bytes = kbc_is_bits(tensor) ? 4 : 1;

    for (int i = 0; i < rank; ++i) {
        bytes *= (size_t)shape[i];
    }
    return bytes;
}

bool kbc_prepare(kbc_node *node)
{
    kbc_call *call = &node->call;

    memset(call, 0, sizeof *call);
    call->op = node->op;
    if (!node->op->prepare(node)) {
        return false;
    }
    const kbc_tensor *x = kbc_input(node, KBC_X), *shortcut = kbc_input(node, KBC_SHORTCUT);
    call->x_bytes = bytes_of(x, x->rank, x->shape);
    call->shortcut_bytes =
        shortcut == NULL ? 0 : bytes_of(shortcut, shortcut->rank, shortcut->shape);
    call->output_bytes = bytes_of(&node->output, node->output_rank, node->output_shape);
    return true;
}
