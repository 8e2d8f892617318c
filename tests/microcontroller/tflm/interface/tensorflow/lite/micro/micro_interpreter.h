/* What a program calls to run a model.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INTERFACE_MICRO_INTERPRETER_H
#define INTERFACE_MICRO_INTERPRETER_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroInterpreter {
public:
    MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena,
                     size_t arena_bytes);
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
};

} /* namespace tflite */

#endif /* INTERFACE_MICRO_INTERPRETER_H */
