/* The life of a delegated op: init, prepare each time a shape changes, invoke, free.
 *
 * `prepare` checks all that the kernel relies on. Memory is given after it, so `invoke` checks that
 * there is as much as `prepare` saw.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "delegated_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../host/host.h"

typedef struct {
    const TfLiteDelegate *delegate;
    const kbc_op *op;
    const void *options;
    size_t options_size;
    /* Numbers of its tensors; -1 for those that it lacks, and all -1 where it has too few or too
     * many. */
    int inputs[KBC_MAX_INPUTS];
    int output;
    /* The runtime notes the delegate in an output that something reads. */
    bool output_is_marked;
    kbc_call call;
    void *scratch;
    /* Where the host has a faster way than the call. */
    kbc_layer layer;
    bool is_fast;
} delegated_node;

/* Only here may a delegate see the node that it replaces: keep what `prepare` needs of it. */
static void *init_node(TfLiteContext *context, const char *buffer, size_t length)
{
    const TfLiteDelegateParams *params = (const TfLiteDelegateParams *)(const void *)buffer;
    TfLiteNode *replaced;
    delegated_node *node = calloc(1, sizeof *node);

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
    const bool fit = kbc_counts_fit(node->op, inputs, replaced->outputs->size);
    for (int i = 0; i < KBC_MAX_INPUTS; ++i) {
        node->inputs[i] = fit && i < inputs ? replaced->inputs->data[i] : -1;
    }
    node->output = fit ? replaced->outputs->data[0] : -1;
    node->delegate = params->delegate;
    node->output_is_marked =
        node->output >= 0 && kbc_holds(params->output_tensors, node->output);
    if (replaced->custom_initial_data_size > 0) {
        node->options = replaced->custom_initial_data;
        node->options_size = (size_t)replaced->custom_initial_data_size;
    }
    return node;
}

static void free_node(TfLiteContext *context, void *buffer)
{
    delegated_node *node = buffer;

    (void)context;
    if (node != NULL) {
        free(node->scratch);
        kbc_layer_free(&node->layer);
        free(node);
    }
}

static TfLiteTensor *tensor_at(const TfLiteContext *context, int number)
{
    return number >= 0 && (size_t)number < context->tensors_size ? &context->tensors[number] : NULL;
}

/* Where the mark is not found, tensors are larger than we think and lie elsewhere: then none may be
 * touched, not even for its name. */
static bool tensors_lie_where_we_think(const TfLiteContext *context, const delegated_node *node)
{
    return !node->output_is_marked ||
           context->tensors[node->output].delegate == node->delegate;
}

static void describe(const TfLiteContext *context, int number, kbc_tensor *described)
{
    const TfLiteTensor *tensor = tensor_at(context, number);

    if (tensor == NULL) {
        return;
    }
    const bool is_in_file = tensor->allocation_type == kTfLiteMmapRo;
    *described = (kbc_tensor){
        .number = number,
        .type = (int)tensor->type,
        .rank = tensor->dims != NULL ? tensor->dims->size : 0,
        .shape = tensor->dims != NULL ? tensor->dims->data : NULL,
        .bytes = tensor->bytes,
        .data = tensor->data,
        .scale = tensor->params.scale,
        .zero_point = tensor->params.zero_point,
        .is_constant = is_in_file || tensor->allocation_type == kTfLitePersistentRo,
        .is_in_file = is_in_file,
    };
}

/* Reports "<op> `<output tensor>`: <message>". */
static void report_named(TfLiteContext *context, const kbc_op *op, const char *name,
                         const char *message)
{
    context->ReportError(context, "%s `%.80s`: %s", op->name, name != NULL ? name : "?", message);
}

static void report(const kbc_node *described, const char *format, va_list arguments)
{
    char message[256];

    vsnprintf(message, sizeof message, format, arguments);
    report_named(described->runtime, described->op, described->name, message);
}

static const char *name_of(const TfLiteContext *context, const delegated_node *node)
{
    const TfLiteTensor *output = tensor_at(context, node->output);

    return output != NULL ? output->name : NULL;
}

static void describe_node(TfLiteContext *context, const delegated_node *node, kbc_node *described)
{
    kbc_clear_node(described, node->op);
    for (int i = 0; i < KBC_MAX_INPUTS; ++i) {
        describe(context, node->inputs[i], &described->inputs[i]);
    }
    describe(context, node->output, &described->output);
    kbc_read_options(described, node->options, node->options_size);
    described->report = report;
    described->runtime = context;
    described->name = name_of(context, node);
}

static bool resize_output(TfLiteContext *context, const kbc_node *described)
{
    const size_t bytes = (size_t)described->output_rank * sizeof *described->output_shape;
    TfLiteIntArray *dims = malloc(sizeof *dims + bytes);

    if (dims == NULL) {
        return kbc_refuse(described, "no memory for a shape");
    }
    dims->size = described->output_rank;
    memcpy(dims->data, described->output_shape, bytes);
    return context->ResizeTensor(context, tensor_at(context, described->output.number), dims) ==
           kTfLiteOk;
}

/* Memory for the kernel, until the next prepare. */
static bool allocate_scratch(delegated_node *node, const kbc_node *described)
{
    const size_t bytes = (size_t)described->call.scratch_bytes;

    free(node->scratch);
    node->scratch = bytes > 0 ? malloc(bytes) : NULL;
    return bytes == 0 || node->scratch != NULL ||
           kbc_refuse(described, "no memory for its scratch");
}

static TfLiteStatus prepare_node(TfLiteContext *context, TfLiteNode *tflite_node)
{
    delegated_node *node = tflite_node->user_data;
    kbc_node described;

    if (node == NULL) {
        context->ReportError(context, "keras_bc: no memory for a node");
        return kTfLiteError;
    }
    if (!tensors_lie_where_we_think(context, node)) {
        context->ReportError(context, "keras_bc: this TensorFlow Lite lays its tensors out as none "
                                      "does that is known to us; take another version of it");
        return kTfLiteError;
    }
    node->call = (kbc_call){0}; /* until all is checked */
    describe_node(context, node, &described);
    if (!kbc_prepare(&described) || !resize_output(context, &described)) {
        return kTfLiteError;
    }
    node->is_fast = kbc_host_prepare(node->delegate->data_, &described,
                                     context->recommended_num_threads, &node->layer);
    if (!node->is_fast && !allocate_scratch(node, &described)) {
        return kTfLiteError;
    }
    node->call = described.call;
    return kTfLiteOk;
}

/* A node that was prepared after ours may have given the tensor another size. */
static bool has_memory(TfLiteContext *context, const delegated_node *node,
                       const TfLiteTensor *tensor, const char *what, size_t bytes)
{
    char message[128];

    if (tensor->data == NULL) {
        snprintf(message, sizeof message, "%s has no memory", what);
    } else if (tensor->bytes != bytes) {
        snprintf(message, sizeof message, "%s has %zu bytes, but %zu when it was prepared", what,
                 tensor->bytes, bytes);
    } else {
        return true;
    }
    report_named(context, node->op, name_of(context, node), message);
    return false;
}

static TfLiteStatus invoke_node(TfLiteContext *context, TfLiteNode *tflite_node)
{
    const delegated_node *node = tflite_node->user_data;
    const kbc_call *call = &node->call;
    const TfLiteTensor *x = tensor_at(context, node->inputs[KBC_X]);
    const TfLiteTensor *shortcut = tensor_at(context, node->inputs[KBC_SHORTCUT]);
    TfLiteTensor *y = tensor_at(context, node->output);

    if (!has_memory(context, node, x, "the input", call->x_bytes) ||
        !has_memory(context, node, y, "the output", call->output_bytes) ||
        (shortcut != NULL &&
         !has_memory(context, node, shortcut, "the shortcut", call->shortcut_bytes))) {
        return kTfLiteError;
    }
    const void *added = shortcut != NULL ? shortcut->data : NULL;
    if (node->is_fast) {
        const kbc_host *host = node->delegate->data_;
        kbc_layer_run(&node->layer, host->pool, x->data, added, y->data);
        return kTfLiteOk;
    }
    const kbc_status status = node->op->invoke(call, x->data, added, y->data, node->scratch);
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
