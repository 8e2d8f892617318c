/* TensorFlow Lite external delegate: runs our custom ops in any runtime that loads it.
 *
 * Each op becomes a delegate node of its own, so that a runtime that keeps all tensors shows the
 * output of every layer. The nodes are validated in `prepare`, each time a shape changes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "node.h"

#ifdef _WIN32
#define KBC_EXPORT __declspec(dllexport)
#else
#define KBC_EXPORT __attribute__((visibility("default")))
#endif

static const kbc_delegate_op *const OPS[] = {
    &kbc_delegate_fully_connected,
    &kbc_delegate_conv_2d,
    &kbc_delegate_depthwise_conv_2d,
};

static const kbc_delegate_op *find_op(const TfLiteRegistration *registration)
{
    if (registration->builtin_code != kTfLiteBuiltinCustom || registration->custom_name == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; ++i) {
        if (strcmp(registration->custom_name, OPS[i]->name) == 0) {
            return OPS[i];
        }
    }
    return NULL;
}

/* The op at `index` of the graph, or NULL where it is not ours. */
static const kbc_delegate_op *op_at(TfLiteContext *context, int index, TfLiteNode **node)
{
    TfLiteRegistration *registration;

    if (context->GetNodeAndRegistration(context, index, node, &registration) != kTfLiteOk) {
        return NULL;
    }
    return find_op(registration);
}

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
    node->op = op_at(context, params->nodes_to_replace->data[0], &replaced);
    if (node->op == NULL) {
        free(node);
        return NULL;
    }
    const bool counts = replaced->inputs->size == 3 && replaced->outputs->size == 1;
    node->input = counts ? replaced->inputs->data[0] : -1;
    node->weights = counts ? replaced->inputs->data[1] : -1;
    node->channels = counts ? replaced->inputs->data[2] : -1;
    node->output = counts ? replaced->outputs->data[0] : -1;
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

static TfLiteStatus prepare_node(TfLiteContext *context, TfLiteNode *tflite_node)
{
    kbc_node *node = tflite_node->user_data;

    if (node == NULL) {
        context->ReportError(context, "keras_bc: no memory for a node");
        return kTfLiteError;
    }
    node->context = context;
    return node->op->prepare(node) ? kTfLiteOk : kTfLiteError;
}

static TfLiteStatus invoke_node(TfLiteContext *context, TfLiteNode *tflite_node)
{
    kbc_node *node = tflite_node->user_data;

    node->context = context;
    const int8_t *x = kbc_tensor(node, node->input)->data;
    int8_t *y = kbc_tensor(node, node->output)->data;
    if (x == NULL || y == NULL) {
        kbc_refuse(node, "its input or output has no memory");
        return kTfLiteError;
    }
    return node->op->invoke(node, x, y) == KBC_OK ? kTfLiteOk : kTfLiteError;
}

static TfLiteStatus replace(TfLiteContext *context, TfLiteDelegate *delegate, int index)
{
    const TfLiteRegistration registration = {
        .init = init_node,
        .free = free_node,
        .prepare = prepare_node,
        .invoke = invoke_node,
        .custom_name = "keras_bc",
        .version = 1,
    };
    int storage[2] = {1, index}; /* a TfLiteIntArray of one */

    return context->ReplaceNodeSubsetsWithDelegateKernels(
        context, registration, (const TfLiteIntArray *)(const void *)storage, delegate);
}

/* The plan that the runtime shows changes with each replacement: work on a copy. */
static TfLiteStatus prepare_delegate(TfLiteContext *context, TfLiteDelegate *delegate)
{
    TfLiteIntArray *plan;
    TfLiteNode *node;

    if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) {
        return kTfLiteError;
    }
    const int count = plan->size;
    if (count == 0) {
        return kTfLiteOk;
    }
    int *indices = malloc((size_t)count * sizeof *indices);
    if (indices == NULL) {
        return kTfLiteError;
    }
    memcpy(indices, plan->data, (size_t)count * sizeof *indices);
    TfLiteStatus status = kTfLiteOk;
    for (int i = 0; i < count && status == kTfLiteOk; ++i) {
        if (op_at(context, indices[i], &node) != NULL) {
            status = replace(context, delegate, indices[i]);
        }
    }
    free(indices);
    return status;
}

KBC_EXPORT TfLiteDelegate *tflite_plugin_create_delegate(char **keys, char **values,
                                                         size_t options,
                                                         void (*report_error)(const char *))
{
    TfLiteDelegate *delegate = calloc(1, sizeof *delegate);

    (void)keys;
    (void)values;
    if (options > 0 && report_error != NULL) {
        report_error("keras_bc's delegate has no options.");
    }
    if (delegate != NULL) {
        delegate->Prepare = prepare_delegate;
        /* Without this flag a runtime prepares every node first, and stops at our custom ops. */
        delegate->flags = kTfLiteDelegateFlagsAllowDynamicTensors;
    }
    return delegate;
}

KBC_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate *delegate)
{
    free(delegate);
}
