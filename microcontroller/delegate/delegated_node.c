/* The life of a delegated op: init, prepare each time a shape changes, invoke, free.
 *
 * `prepare` checks all that the kernel relies on. Memory is given after it, so `invoke` checks that
 * there is as much as `prepare` saw.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "node.h"

/* Only here may a delegate see the node that it replaces: keep what `prepare` needs of it. */
static void *init_node(TfLiteContext *context, const char *buffer, size_t length)
{
    const TfLiteDelegateParams *params = (const TfLiteDelegateParams *)(const void *)buffer;
    TfLiteNode *replaced;
    kbc_node *node = calloc(1, sizeof *node);

    (void)length;
    if (node == NULL) {
        return NULL;
    }
    node->op = kbc_op_at(context, params->nodes_to_replace->data[0], &replaced);
    if (node->op == NULL) {
        free(node);
        return NULL;
    }
    const bool counts = replaced->inputs->size == 3 && replaced->outputs->size == 1;
    node->input = counts ? replaced->inputs->data[0] : -1;
    node->weights = counts ? replaced->inputs->data[1] : -1;
    node->channels = counts ? replaced->inputs->data[2] : -1;
    node->output = counts ? replaced->outputs->data[0] : -1;
    node->delegate = params->delegate;
    node->output_is_marked =
        node->output >= 0 && kbc_holds(params->output_tensors, node->output);
    node->has_options =
        replaced->custom_initial_data_size > 0 &&
        kbc_flexbuffers_open(&node->options, replaced->custom_initial_data,
                             (size_t)replaced->custom_initial_data_size);
    return node;
}

static void free_node(TfLiteContext *context, void *buffer)
{
    kbc_node *node = buffer;

    (void)context;
    if (node != NULL) {
        free(node->scratch);
        free(node);
    }
}

/* Where the mark is not found, tensors are larger than we think and lie elsewhere: then none may be
 * touched, not even for its name. */
static bool tensors_lie_where_we_think(const kbc_node *node)
{
    return !node->output_is_marked || kbc_tensor(node, node->output)->delegate == node->delegate;
}

/* Of int8, by a shape that has been checked. */
static size_t bytes_of(const kbc_node *node, int number)
{
    const TfLiteIntArray *dims = kbc_tensor(node, number)->dims;
    size_t bytes = 1;

    for (int i = 0; i < dims->size; ++i) {
        bytes *= (size_t)dims->data[i];
    }
    return bytes;
}

static TfLiteStatus prepare_node(TfLiteContext *context, TfLiteNode *tflite_node)
{
    kbc_node *node = tflite_node->user_data;

    if (node == NULL) {
        context->ReportError(context, "keras_bc: no memory for a node");
        return kTfLiteError;
    }
    node->context = context;
    if (!tensors_lie_where_we_think(node)) {
        context->ReportError(context, "keras_bc: this TensorFlow Lite lays its tensors out as none "
                                      "does that is known to us; take another version of it");
        return kTfLiteError;
    }
    node->input_bytes = node->output_bytes = 0; /* until all is checked */
    if (!node->op->prepare(node)) {
        return kTfLiteError;
    }
    node->input_bytes = bytes_of(node, node->input);
    node->output_bytes = bytes_of(node, node->output);
    return kTfLiteOk;
}

/* A node that was prepared after ours may have given the tensor another size. */
static bool check_memory(const kbc_node *node, int number, const char *what, size_t bytes)
{
    const TfLiteTensor *tensor = kbc_tensor(node, number);

    if (tensor->data == NULL) {
        return kbc_refuse(node, "%s has no memory", what);
    }
    return tensor->bytes == bytes ||
           kbc_refuse(node, "%s has %zu bytes, but %zu when it was prepared", what, tensor->bytes,
                      bytes);
}

static TfLiteStatus invoke_node(TfLiteContext *context, TfLiteNode *tflite_node)
{
    kbc_node *node = tflite_node->user_data;

    node->context = context;
    if (!check_memory(node, node->input, "the input", node->input_bytes) ||
        !check_memory(node, node->output, "the output", node->output_bytes)) {
        return kTfLiteError;
    }
    const int8_t *x = kbc_tensor(node, node->input)->data;
    int8_t *y = kbc_tensor(node, node->output)->data;
    return node->op->invoke(node, x, y) == KBC_OK ? kTfLiteOk : kTfLiteError;
}

const TfLiteRegistration kbc_delegated_node = {
    .init = init_node,
    .free = free_node,
    .prepare = prepare_node,
    .invoke = invoke_node,
    .custom_name = "keras_bc",
    .version = 1,
};
