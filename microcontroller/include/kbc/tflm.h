/* The custom ops of an exported .tflite, for TensorFlow Lite Micro.
 *
 *     #include <string.h>
 *
 *     #include "kbc/tflm.h"
 *     #include "tensorflow/lite/micro/micro_interpreter.h"
 *     #include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
 *     #include "tensorflow/lite/schema/schema_generated.h"
 *
 *     extern const unsigned char model[];  // out/model.tflite, aligned to 16 bytes
 *     alignas(16) static uint8_t arena[16 * 1024];
 *
 *     const int8_t *Classify(const int8_t *image, size_t bytes)
 *     {
 *         static tflite::MicroMutableOpResolver<kbc::kOpCount + 1> resolver;
 *         static const bool complete =
 *             kbc::AddOps(resolver) == kTfLiteOk && resolver.AddReshape() == kTfLiteOk;
 *         static tflite::MicroInterpreter interpreter(tflite::GetModel(model), resolver, arena,
 *                                                     sizeof arena);
 *         static const bool ready = complete && interpreter.AllocateTensors() == kTfLiteOk;
 *
 *         if (!ready) {
 *             return nullptr;
 *         }
 *         memcpy(interpreter.input(0)->data.int8, image, bytes);
 *         return interpreter.Invoke() == kTfLiteOk ? interpreter.output(0)->data.int8 : nullptr;
 *     }
 *
 * The model's other ops are TensorFlow Lite Micro's own: add each of them, and count it.
 * Compile tflm/ops.cc and all C files of ops/ and src/, with the folder `include` and TensorFlow
 * Lite Micro's root on the include path, and with its own definitions: TF_LITE_STATIC_MEMORY
 * changes the layout of its structs.
 *
 * An op asks for its scratch memory in Prepare and for nothing in Eval. What no model may have is
 * refused in Prepare, in words that go to MicroPrintf. But a kernel is not told how long the
 * buffers of the file are: TensorFlow Lite Micro takes that on trust.
 *
 * Our ops give the integers that they give on the host. Of TensorFlow Lite Micro's own, CONV_2D and
 * FULLY_CONNECTED (layers of 8-bit weights) round a half below 0 down, where the host's round it
 * up: such an output may differ by 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_TFLM_H
#define KBC_TFLM_H

#include "tensorflow/lite/micro/micro_common.h"

namespace kbc {

/* Of the custom ops that AddOps registers. */
constexpr unsigned int kOpCount = 6;

/* One by one, for a model that has few of them: resolver.AddCustom("KbcConv2D", &kbc::kConv2D). */
extern const TFLMRegistration kFullyConnected;
extern const TFLMRegistration kConv2D;
extern const TFLMRegistration kDepthwiseConv2D;
extern const TFLMRegistration kMaxPool2D;
extern const TFLMRegistration kPack;
extern const TFLMRegistration kUnpack;

/* Registers all of them in a tflite::MicroMutableOpResolver with room for kOpCount more; a failure
 * is the resolver's, which reports it. */
template <typename Resolver>
TfLiteStatus AddOps(Resolver &resolver)
{
    const struct {
        const char *name;
        const TFLMRegistration *registration;
    } ops[kOpCount] = {
        {"KbcFullyConnected", &kFullyConnected},
        {"KbcConv2D", &kConv2D},
        {"KbcDepthwiseConv2D", &kDepthwiseConv2D},
        {"KbcMaxPool2D", &kMaxPool2D},
        {"KbcPack", &kPack},
        {"KbcUnpack", &kUnpack},
    };

    for (const auto &op : ops) {
        const TfLiteStatus status = resolver.AddCustom(op.name, op.registration);
        if (status != kTfLiteOk) {
            return status;
        }
    }
    return kTfLiteOk;
}

} /* namespace kbc */

#endif /* KBC_TFLM_H */
