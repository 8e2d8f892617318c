/* What an op may ask TensorFlow Lite Micro for.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INTERFACE_MICRO_CONTEXT_H
#define INTERFACE_MICRO_CONTEXT_H

#include "tensorflow/lite/c/common.h"

namespace tflite {

class MicroContext {
public:
    virtual void *AllocatePersistentBuffer(size_t bytes) = 0;
    virtual TfLiteStatus RequestScratchBufferInArena(size_t bytes, int *number) = 0;
    virtual void *GetScratchBuffer(int number) = 0;
    TfLiteTensor *AllocateTempInputTensor(const TfLiteNode *node, int index);
    TfLiteTensor *AllocateTempOutputTensor(const TfLiteNode *node, int index);
    virtual void DeallocateTempTfLiteTensor(TfLiteTensor *tensor) = 0;
    virtual TfLiteEvalTensor *GetEvalTensor(int number) = 0;

protected:
    ~MicroContext() = default;
};

MicroContext *GetMicroContext(const TfLiteContext *context);

} /* namespace tflite */

#endif /* INTERFACE_MICRO_CONTEXT_H */
