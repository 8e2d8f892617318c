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
    const int inputs = replaced->inputs->size;
    const bool counts = inputs >= node->op->least_inputs && inputs <= node->op->most_inputs &&
                        replaced->outputs->size == 1;
    for (int i = 0; i < KBC_MAX_INPUTS; ++i) {
        node->inputs[i] = counts && i < inputs ? replaced->inputs->data[i] : -1;
    }
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

/* By a shape that has been checked. */
static size_t bytes_of(const TfLiteTensor *tensor)
{
    size_t bytes = kbc_is_bits(tensor) ? 4 : 1;

    for (int i = 0; i < tensor->dims->size; ++i) {
        bytes *= (size_t)tensor->dims->data[i];
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
    node->x_bytes = node->shortcut_bytes = node->output_bytes = 0; /* until all is checked */
    if (!node->op->prepare(node)) {
        return kTfLiteError;
    }
    node->x_bytes = bytes_of(kbc_input(node, KBC_X));
    node->output_bytes = bytes_of(kbc_output_of(node));
    if (kbc_input(node, KBC_SHORTCUT) != NULL) {
        node->shortcut_bytes = bytes_of(kbc_input(node, KBC_SHORTCUT));
    }
    return kTfLiteOk;
}

/* A node that was prepared after ours may have given the tensor another size. */
static bool check_memory(const kbc_node *node, const TfLiteTensor *tensor, const char *what,
                         size_t bytes)
{
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
    const TfLiteTensor *x = kbc_input(node, KBC_X), *shortcut = kbc_input(node, KBC_SHORTCUT);
    TfLiteTensor *y = kbc_output_of(node);
    if (!check_memory(node, x, "the input", node->x_bytes) ||
        !check_memory(node, y, "the output", node->output_bytes) ||
        (shortcut != NULL &&
         !check_memory(node, shortcut, "the shortcut", node->shortcut_bytes))) {
        return kTfLiteError;
    }
    const kbc_status status =
        node->op->invoke(node, x->data, shortcut != NULL ? shortcut->data : NULL, y->data);
    return status == KBC_OK ? kTfLiteOk : kTfLiteError;
}

const TfLiteRegistration kbc_delegated_node = {
    .init = init_node,
    .free = free_node,
    .prepare = prepare_node,
    .invoke = invoke_node,
    .custom_name = "keras_bc",
    .version = 1,
};
