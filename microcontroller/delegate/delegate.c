/* TensorFlow Lite external delegate: runs our custom ops in any runtime that loads it.
 *
 * Each op becomes a delegate node of its own, so that a runtime that keeps all tensors shows the
 * output of every layer (delegated_node.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "../host/host.h"
#include "delegated_node.h"

#ifdef _WIN32
#define KBC_EXPORT __declspec(dllexport)
#else
#define KBC_EXPORT __attribute__((visibility("default")))
#endif

static const kbc_op *const OPS[] = {
    &kbc_op_fully_connected,
    &kbc_op_conv_2d,
    &kbc_op_depthwise_conv_2d,
    &kbc_op_max_pool_2d,
    &kbc_op_pack,
    &kbc_op_unpack,
};

static const kbc_op *find_op(const TfLiteRegistration *registration)
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

const kbc_op *kbc_op_at(TfLiteContext *context, int index, TfLiteNode **node)
{
    TfLiteRegistration *registration;

    if (context->GetNodeAndRegistration(context, index, node, &registration) != kTfLiteOk) {
        return NULL;
    }
    return find_op(registration);
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

static TfLiteStatus replace(TfLiteContext *context, TfLiteDelegate *delegate, int index)
{
    int storage[2] = {1, index}; /* a TfLiteIntArray of one */

    return context->ReplaceNodeSubsetsWithDelegateKernels(
        context, kbc_delegated_node, (const TfLiteIntArray *)(const void *)storage, delegate);
}

static int writers(TfLiteContext *context, const TfLiteIntArray *plan, int number)
{
    TfLiteNode *node;
    TfLiteRegistration *registration;
    int count = 0;

    for (int i = 0; i < plan->size; ++i) {
        if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration) ==
            kTfLiteOk) {
            count += kbc_holds(node->outputs, number);
        }
    }
    return count;
}

/* Of two nodes that write a tensor each gives it a size, and the last one's counts: the other then
 * writes beyond it. The runtimes do not look. */
static bool check_outputs(TfLiteContext *context, const TfLiteIntArray *plan)
{
    TfLiteNode *node;

    for (int i = 0; i < plan->size; ++i) {
        const kbc_op *op = kbc_op_at(context, plan->data[i], &node);
        for (int k = 0; op != NULL && k < node->outputs->size; ++k) {
            if (writers(context, plan, node->outputs->data[k]) > 1) {
                context->ReportError(context, "%s: another node writes its output too", op->name);
                return false;
            }
        }
    }
    return true;
}

/* The plan that the runtime shows changes with each replacement: work on a copy. */
static TfLiteStatus replace_all(TfLiteContext *context, TfLiteDelegate *delegate,
                                const TfLiteIntArray *plan)
{
    TfLiteNode *node;
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
        if (kbc_op_at(context, indices[i], &node) != NULL) {
            status = replace(context, delegate, indices[i]);
        }
    }
    free(indices);
    return status;
}

static TfLiteStatus prepare_delegate(TfLiteContext *context, TfLiteDelegate *delegate)
{
    TfLiteIntArray *plan;

    if (context->GetExecutionPlan(context, &plan) != kTfLiteOk || !check_outputs(context, plan)) {
        return kTfLiteError;
    }
    return replace_all(context, delegate, plan);
}

/* The runtime's part comes first, so that both have one address. */
typedef struct {
    TfLiteDelegate base;
    kbc_host host;
} delegate;

static TfLiteDelegate *refuse(void (*report_error)(const char *), const char *message)
{
    if (report_error != NULL) {
        report_error(message);
    }
    return NULL;
}

KBC_EXPORT TfLiteDelegate *tflite_plugin_create_delegate(char **keys, char **values,
                                                         size_t options,
                                                         void (*report_error)(const char *))
{
    kbc_host host;

    (void)keys;
    (void)values;
    if (options > 0 && report_error != NULL) {
        report_error("keras_bc's delegate has no options.");
    }
    if (!kbc_choose_instruction_set(&host.set)) {
        return refuse(report_error, "KERAS_BC_KERNELS names none that this CPU has.");
    }
    delegate *made = calloc(1, sizeof *made);
    host.pool = kbc_pool_new();
    if (made == NULL || host.pool == NULL) {
        free(made);
        kbc_pool_free(host.pool);
        return refuse(report_error, "keras_bc's delegate has no memory.");
    }
    made->host = host;
    made->base.data_ = &made->host;
    made->base.Prepare = prepare_delegate;
    /* Without this flag a runtime prepares every node first, and stops at our custom ops. */
    made->base.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
    return &made->base;
}

KBC_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate *made)
{
    if (made != NULL) {
        kbc_pool_free(((delegate *)made)->host.pool);
        free(made);
    }
}
