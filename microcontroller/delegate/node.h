/* One delegated op: its tensors, its options, and the checks that every op makes.
 *
 * A check answers true, or reports one line and answers false; an op makes all of them in its
 * `prepare`, before a kernel may touch memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_NODE_H
#define KBC_NODE_H

#include "flexbuffers.h"
#include "kernels.h"
#include "tflite_abi.h"

typedef struct kbc_node kbc_node;

/* A custom op that the delegate runs. */
typedef struct {
    const char *name;
    bool (*prepare)(kbc_node *node);
    kbc_status (*invoke)(const kbc_node *node, const int8_t *x, int8_t *y);
} kbc_delegate_op;

extern const kbc_delegate_op kbc_delegate_fully_connected;
extern const kbc_delegate_op kbc_delegate_conv_2d;
extern const kbc_delegate_op kbc_delegate_depthwise_conv_2d;

struct kbc_node {
    TfLiteContext *context;
    const TfLiteDelegate *delegate;
    const kbc_delegate_op *op;
    kbc_flexbuffers_map options;
    bool has_options;
    /* Numbers of its tensors; -1 where the op has another count of inputs or outputs. */
    int input, weights, channels, output;
    /* The runtime notes the delegate in an output that something reads. */
    bool output_is_marked;
    /* What the kernel reads and writes, by the shapes that `prepare` has checked. */
    size_t input_bytes, output_bytes;
    kbc_any_function *kernel;
    void *scratch;
    union {
        kbc_fully_connected_params fully_connected;
        kbc_conv_2d_params conv_2d;
    } params;
};

/* The functions of every delegated op, for the runtime. */
extern const TfLiteRegistration kbc_delegated_node;

/* The op and the node at `index` of the graph; NULL where it is not ours. */
const kbc_delegate_op *kbc_op_at(TfLiteContext *context, int index, TfLiteNode **node);

/* No side of a tensor is longer, and no number of a window greater, so that positions in an image
 * fit 32 bits. */
enum { KBC_MAX_SIDE = 1 << 24, KBC_MAX_WINDOW = 1 << 15 };

/* Number 0..tensors_size - 1, which `kbc_check_common` has checked. */
TfLiteTensor *kbc_tensor(const kbc_node *node, int number);

bool kbc_holds(const TfLiteIntArray *numbers, int number);

/* Reports "<op> `<output tensor>`: <message>". Always false. */
bool kbc_refuse(const kbc_node *node, const char *format, ...);

/* The integer option `key`, which must lie in [least, greatest]. */
bool kbc_option(const kbc_node *node, const char *key, int32_t least, int32_t greatest,
                int32_t *value);

/* The options `<prefix>_h`, `<prefix>_w`, `<prefix>_stride_h` and so on. */
bool kbc_option_window(const kbc_node *node, const char *prefix, bool dilated,
                       kbc_window *window);

/* What all ops have in common: version, kind of weights, the tensors, and the output's bounds. */
bool kbc_check_common(const kbc_node *node, int32_t *input_zero_point, kbc_output *output);

/* One-bit weights int32 [out][words of `bits`] and channels int32 [out][3], both constant. */
bool kbc_check_constants(const kbc_node *node, int32_t out, int64_t bits);

/* Gives the output its shape, whose axes but the first must be as the file declares them. */
bool kbc_resize_output(const kbc_node *node, int rank, const int *shape);

/* Takes the kernel of `op` that reads weights as the file has them; its twin is in `*scratch`. */
bool kbc_choose_kernel(kbc_node *node, const char *op, kbc_any_function **scratch);

/* Memory for the kernel, until the next prepare. */
bool kbc_allocate_scratch(kbc_node *node, int32_t bytes);

#endif /* KBC_NODE_H */
