/* The ops in TensorFlow Lite Micro: Init, Prepare and Eval over ops/ and the kernels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/tflm.h"

#include "../ops/node.h"
#include "tensorflow/lite/micro/micro_context.h"
#include "tensorflow/lite/micro/micro_log.h"

namespace kbc {
namespace {

constexpr int kNone = -1;

/* What lasts of a node, in the arena. */
struct State {
    kbc_call call;
    int scratch; /* the runtime's number of it, or kNone */
};

void Report(const kbc_node *node, const char *format, va_list arguments)
{
    MicroPrintf("keras_bc refuses this %s:", node->op->name);
    VMicroPrintf(format, arguments);
}

/* The runtime lends a TfLiteTensor for a moment, but its shape and its data last. */
kbc_tensor Describe(int number, const TfLiteTensor &tensor)
{
    kbc_tensor described = {};

    described.number = number;
    described.type = tensor.type;
    described.rank = tensor.dims != nullptr ? tensor.dims->size : 0;
    described.shape = tensor.dims != nullptr ? tensor.dims->data : nullptr;
    described.bytes = tensor.bytes;
    described.data = tensor.data.data;
    described.scale = tensor.params.scale;
    described.zero_point = tensor.params.zero_point;
    described.is_constant = described.is_in_file = tensor.allocation_type == kTfLiteMmapRo;
    return described;
}

/* Describes a tensor and gives it back; false where the arena has no room to look at it. */
bool DescribeAndReturn(tflite::MicroContext *micro, int number, TfLiteTensor *lent,
                       kbc_tensor *described)
{
    if (lent == nullptr) {
        return number < 0; /* an optional one that is left out */
    }
    *described = Describe(number, *lent);
    micro->DeallocateTempTfLiteTensor(lent);
    return true;
}

bool DescribeTensors(tflite::MicroContext *micro, const TfLiteNode *node, kbc_node *described)
{
    if (!kbc_counts_fit(described->op, node->inputs->size, node->outputs->size)) {
        return true; /* and kbc_prepare refuses what has none */
    }
    for (int i = 0; i < node->inputs->size; ++i) {
        if (!DescribeAndReturn(micro, node->inputs->data[i],
                               micro->AllocateTempInputTensor(node, i), &described->inputs[i])) {
            return false;
        }
    }
    return DescribeAndReturn(micro, node->outputs->data[0],
                             micro->AllocateTempOutputTensor(node, 0), &described->output);
}

/* Shapes are the file's here. */
bool CheckFirstAxis(const kbc_node *node)
{
    return node->output.shape[0] == node->output_shape[0] ||
           kbc_refuse(node, "axis 0 of the output is %d, expected %d", node->output.shape[0],
                      node->output_shape[0]);
}

TfLiteStatus PrepareOp(TfLiteContext *context, TfLiteNode *node, const kbc_op &op)
{
    tflite::MicroContext *micro = tflite::GetMicroContext(context);
    State *state = static_cast<State *>(node->user_data);
    kbc_node described;

    kbc_clear_node(&described, &op);
    described.report = Report;
    if (state == nullptr || !DescribeTensors(micro, node, &described)) {
        kbc_refuse(&described, "the arena is too small");
        return kTfLiteError;
    }
    if (node->custom_initial_data_size > 0) {
        kbc_read_options(&described, node->custom_initial_data,
                         static_cast<size_t>(node->custom_initial_data_size));
    }
    if (!kbc_prepare(&described) || !CheckFirstAxis(&described)) {
        return kTfLiteError;
    }
    state->call = described.call;
    state->scratch = kNone;
    const size_t bytes = static_cast<size_t>(state->call.scratch_bytes);
    return bytes == 0 ? kTfLiteOk : micro->RequestScratchBufferInArena(bytes, &state->scratch);
}

void *Init(TfLiteContext *context, const char *, size_t)
{
    return tflite::GetMicroContext(context)->AllocatePersistentBuffer(sizeof(State));
}

template <const kbc_op &op>
TfLiteStatus Prepare(TfLiteContext *context, TfLiteNode *node)
{
    return PrepareOp(context, node, op);
}

/* The tensor's memory; null where it has none, or where the node of another op has changed its
 * shape since ours was prepared. */
void *MemoryOf(const TfLiteEvalTensor *tensor, size_t prepared_bytes)
{
    size_t bytes = tensor->type == kTfLiteInt8 ? 1 : 4;

    for (int i = 0; i < tensor->dims->size; ++i) {
        bytes *= static_cast<size_t>(tensor->dims->data[i]);
    }
    return bytes == prepared_bytes ? tensor->data.data : nullptr;
}

TfLiteStatus Eval(TfLiteContext *context, TfLiteNode *node)
{
    tflite::MicroContext *micro = tflite::GetMicroContext(context);
    const State *state = static_cast<const State *>(node->user_data);
    const kbc_call *call = &state->call;
    const bool has_shortcut = call->shortcut_bytes > 0;
    const auto memory = [micro](int number, size_t bytes) {
        return MemoryOf(micro->GetEvalTensor(number), bytes);
    };
    const void *x = memory(node->inputs->data[KBC_X], call->x_bytes);
    const void *shortcut =
        has_shortcut ? memory(node->inputs->data[KBC_SHORTCUT], call->shortcut_bytes) : nullptr;
    void *y = memory(node->outputs->data[0], call->output_bytes);
    void *scratch = state->scratch == kNone ? nullptr : micro->GetScratchBuffer(state->scratch);

    if (x == nullptr || y == nullptr || (has_shortcut && shortcut == nullptr)) {
        MicroPrintf("%s: a tensor has other memory than when it was prepared", call->op->name);
        return kTfLiteError;
    }
    const kbc_status status = call->op->invoke(call, x, shortcut, y, scratch);
    return status == KBC_OK ? kTfLiteOk : kTfLiteError;
}

constexpr TFLMRegistration Registration(TfLiteStatus (*prepare)(TfLiteContext *, TfLiteNode *))
{
    TFLMRegistration registration = {};

    registration.init = Init;
    registration.prepare = prepare;
    registration.invoke = Eval;
    return registration;
}

} /* namespace */

/* constexpr: a chip whose start-up runs no constructors has them, too. */
constexpr TFLMRegistration kFullyConnected = Registration(Prepare<kbc_op_fully_connected>);
constexpr TFLMRegistration kConv2D = Registration(Prepare<kbc_op_conv_2d>);
constexpr TFLMRegistration kDepthwiseConv2D = Registration(Prepare<kbc_op_depthwise_conv_2d>);
constexpr TFLMRegistration kMaxPool2D = Registration(Prepare<kbc_op_max_pool_2d>);
constexpr TFLMRegistration kPack = Registration(Prepare<kbc_op_pack>);
constexpr TFLMRegistration kUnpack = Registration(Prepare<kbc_op_unpack>);

} /* namespace kbc */
