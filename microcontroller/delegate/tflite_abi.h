/* The part of TensorFlow Lite's C interface that an external delegate meets, declared anew.
 *
 * The runtimes' wheels ship no headers, and their structs only ever grow at the end ("semi-ABI
 * stable", says tensorflow/lite/core/c/common.h). What is reached through a pointer may grow
 * unseen, so that one declaration serves all versions; it is an opaque pointer here, or left out
 * where it comes last. But tensors lie in an array: a TfLiteTensor that grew would move all of them
 * but the first, and delegated_node.c looks out for that. The layout is the one that tflite-runtime
 * 2.14, TensorFlow 2.21 and LiteRT 2.3 share on 64 bits. Names are theirs, so that their
 * documentation applies.
 *
 * Not used on purpose: TfLiteAffineQuantization, whose arrays changed their layout between those
 * versions. The legacy `params` of a tensor hold what a per-tensor activation needs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_TFLITE_ABI_H
#define KBC_TFLITE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;

typedef enum { kTfLiteFloat32 = 1, kTfLiteInt32 = 2, kTfLiteInt8 = 9 } TfLiteType;

typedef enum { kTfLiteMmapRo = 1, kTfLitePersistentRo = 5 } TfLiteAllocationType;

enum { kTfLiteBuiltinCustom = 32 };
enum { kTfLiteDelegateFlagsAllowDynamicTensors = 1 };

typedef struct TfLiteContext TfLiteContext;
typedef struct TfLiteDelegate TfLiteDelegate;

typedef struct {
    int size;
    int data[];
} TfLiteIntArray;

typedef struct {
    float scale;
    int32_t zero_point;
} TfLiteQuantizationParams;

typedef struct {
    int type;
    void *params;
} TfLiteQuantization;

typedef struct {
    TfLiteType type;
    void *data;
    TfLiteIntArray *dims;
    TfLiteQuantizationParams params;
    TfLiteAllocationType allocation_type;
    size_t bytes;
    const void *allocation;
    const char *name;
    TfLiteDelegate *delegate;
    int buffer_handle;
    bool data_is_stale;
    bool is_variable;
    TfLiteQuantization quantization;
    void *sparsity;
    const TfLiteIntArray *dims_signature;
} TfLiteTensor;

typedef struct {
    TfLiteIntArray *inputs;
    TfLiteIntArray *outputs;
    TfLiteIntArray *intermediates;
    TfLiteIntArray *temporaries;
    void *user_data;
    void *builtin_data;
    const void *custom_initial_data;
    int custom_initial_data_size;
} TfLiteNode;

/* Handed over by value: it has every field that the newest runtime copies. */
typedef struct {
    void *(*init)(TfLiteContext *context, const char *buffer, size_t length);
    void (*free)(TfLiteContext *context, void *buffer);
    TfLiteStatus (*prepare)(TfLiteContext *context, TfLiteNode *node);
    TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
    const char *(*profiling_string)(const TfLiteContext *context, const TfLiteNode *node);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *registration_external;
    void *async_kernel;
    uint64_t inplace_operator;
} TfLiteRegistration;

/* What a delegate kernel's `init` receives as its buffer. */
typedef struct {
    TfLiteDelegate *delegate;
    TfLiteIntArray *nodes_to_replace;
    TfLiteIntArray *input_tensors;
    TfLiteIntArray *output_tensors;
} TfLiteDelegateParams;

struct TfLiteContext {
    size_t tensors_size;
    TfLiteStatus (*GetExecutionPlan)(TfLiteContext *context, TfLiteIntArray **execution_plan);
    TfLiteTensor *tensors;
    void *impl_;
    /* Takes `new_size` over, and frees it with free(). */
    TfLiteStatus (*ResizeTensor)(TfLiteContext *context, TfLiteTensor *tensor,
                                 TfLiteIntArray *new_size);
    void (*ReportError)(TfLiteContext *context, const char *format, ...);
    TfLiteStatus (*AddTensors)(TfLiteContext *context, int tensors_to_add,
                               int *first_new_tensor_index);
    TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext *context, int node_index,
                                           TfLiteNode **node, TfLiteRegistration **registration);
    TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext *context,
                                                          TfLiteRegistration registration,
                                                          const TfLiteIntArray *nodes_to_replace,
                                                          TfLiteDelegate *delegate);
    int recommended_num_threads; /* the interpreter's num_threads; -1 where nobody said */
};

struct TfLiteDelegate {
    void *data_;
    TfLiteStatus (*Prepare)(TfLiteContext *context, TfLiteDelegate *delegate);
    TfLiteStatus (*CopyFromBufferHandle)(TfLiteContext *context, TfLiteDelegate *delegate,
                                         int buffer_handle, TfLiteTensor *tensor);
    TfLiteStatus (*CopyToBufferHandle)(TfLiteContext *context, TfLiteDelegate *delegate,
                                       int buffer_handle, TfLiteTensor *tensor);
    void (*FreeBufferHandle)(TfLiteContext *context, TfLiteDelegate *delegate,
                             int *buffer_handle);
    int64_t flags;
    void *opaque_delegate_builder;
};

#endif /* KBC_TFLITE_ABI_H */
