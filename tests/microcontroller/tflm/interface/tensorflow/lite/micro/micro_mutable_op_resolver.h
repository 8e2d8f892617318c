/* The table of ops that a program fills.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INTERFACE_MICRO_MUTABLE_OP_RESOLVER_H
#define INTERFACE_MICRO_MUTABLE_OP_RESOLVER_H

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

class MicroOpResolver {};

template <unsigned int size>
class MicroMutableOpResolver : public MicroOpResolver {
public:
    TfLiteStatus AddCustom(const char *name, const TFLMRegistration *registration);
    TfLiteStatus AddReshape();
};

} /* namespace tflite */

#endif /* INTERFACE_MICRO_MUTABLE_OP_RESOLVER_H */
