/* What our ops use of TensorFlow Lite's C structs, declared anew: names and types, not layouts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INTERFACE_COMMON_H
#define INTERFACE_COMMON_H

#include <stddef.h>
#include <stdint.h>

enum TfLiteStatus { kTfLiteOk, kTfLiteError };
enum TfLiteType { kTfLiteNoType, kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8 = 9 };
enum TfLiteAllocationType { kTfLiteMemNone, kTfLiteMmapRo, kTfLiteArenaRw };

struct TfLiteContext;

struct TfLiteIntArray {
    int size;
    int data[1];
};

struct TfLiteQuantizationParams {
    float scale;
    int32_t zero_point;
};

union TfLitePtrUnion {
    int8_t *int8;
    void *data;
};

struct TfLiteTensor {
    TfLiteType type;
    TfLitePtrUnion data;
    TfLiteIntArray *dims;
    TfLiteQuantizationParams params;
    TfLiteAllocationType allocation_type;
    size_t bytes;
};

struct TfLiteEvalTensor {
    TfLitePtrUnion data;
    TfLiteIntArray *dims;
    TfLiteType type;
};

struct TfLiteNode {
    TfLiteIntArray *inputs;
    TfLiteIntArray *outputs;
    void *user_data;
    const void *custom_initial_data;
    int custom_initial_data_size;
};

#endif /* INTERFACE_COMMON_H */
