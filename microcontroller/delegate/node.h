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
    int least_inputs, most_inputs;
    bool (*prepare)(kbc_node *node);
    kbc_status (*invoke)(const kbc_node *node, const void *x, const int8_t *shortcut, void *y);
} kbc_delegate_op;

extern const kbc_delegate_op kbc_delegate_fully_connected;
extern const kbc_delegate_op kbc_delegate_conv_2d;
extern const kbc_delegate_op kbc_delegate_depthwise_conv_2d;
extern const kbc_delegate_op kbc_delegate_max_pool_2d;
extern const kbc_delegate_op kbc_delegate_pack;
extern const kbc_delegate_op kbc_delegate_unpack;

/* Of the ops with few-bit weights; the others have the first alone. */
enum { KBC_X, KBC_WEIGHTS, KBC_CHANNELS, KBC_SHORTCUT, KBC_MAX_INPUTS };

struct kbc_node {
    TfLiteContext *context;
    const TfLiteDelegate *delegate;
    const kbc_delegate_op *op;
    kbc_flexbuffers_map options;
    bool has_options;
    /* Numbers of its tensors; -1 for those that it lacks, and all -1 where it has too few or too
     * many. */
    int inputs[KBC_MAX_INPUTS];
    int output;
    /* The runtime notes the delegate in an output that something reads. */
    bool output_is_marked;
    /* What the kernel reads and writes, by the shapes that `prepare` has checked. */
    size_t x_bytes, shortcut_bytes, output_bytes;
    kbc_any_function *kernel;
    void *scratch;
    union {
        kbc_fully_connected_params fully_connected;
        kbc_conv_2d_params conv_2d;
        kbc_pool_2d_params pool_2d;
        kbc_pack_params pack;
        kbc_unpack_params unpack;
    } params;
};

/* The functions of every delegated op, for the runtime. */
extern const TfLiteRegistration kbc_delegated_node;

/* The op and the node at `index` of the graph; NULL where it is not ours. */
const kbc_delegate_op *kbc_op_at(TfLiteContext *context, int index, TfLiteNode **node);

/* No side of a tensor is longer, and no number of a window greater, so that positions in an image
 * fit 32 bits. */
enum { KBC_MAX_SIDE = 1 << 24, KBC_MAX_WINDOW = 1 << 15, KBC_MAX_RANK = 8 };

/* Number 0..tensors_size - 1, which a check has passed. */
TfLiteTensor *kbc_tensor(const kbc_node *node, int number);

/* The input, such as KBC_X; NULL where the op has none. */
TfLiteTensor *kbc_input(const kbc_node *node, int input);

TfLiteTensor *kbc_output_of(const kbc_node *node);

bool kbc_holds(const TfLiteIntArray *numbers, int number);

static inline bool kbc_is_bits(const TfLiteTensor *tensor)
{
    return tensor->type == kTfLiteInt32;
}

/* Reports "<op> `<output tensor>`: <message>". Always false. */
bool kbc_refuse(const kbc_node *node, const char *format, ...);

/* The integer option `key`, which must lie in [least, greatest]. */
bool kbc_option(const kbc_node *node, const char *key, int32_t least, int32_t greatest,
                int32_t *value);

/* The options `<prefix>_h`, `<prefix>_w`, `<prefix>_stride_h` and so on. */
bool kbc_option_window(const kbc_node *node, const char *prefix, bool dilated,
                       kbc_window *window);

/* The same for a pooling, each position of which must hold a pixel. */
bool kbc_option_pool(const kbc_node *node, kbc_window *pool);

/* What all ops have in common: the options' version, x, and the output: int8, or bits. */
bool kbc_check_common(const kbc_node *node);

/* An int8 activation has one scale, bits have none; any has sane sides. */
bool kbc_check_activation(const kbc_node *node, const TfLiteTensor *tensor, const char *what);

/* Expects int8, or bits. */
bool kbc_check_type(const kbc_node *node, const TfLiteTensor *tensor, const char *what, bool bits);

/* An int32 constant of this shape. */
bool kbc_check_constant(const kbc_node *node, int input, const char *what, int rank,
                        const int64_t *shape);

/* Gives the output its shape, whose axes but the first must be as the file declares them. */
bool kbc_resize_output(const kbc_node *node, int rank, const int *shape);

/* Takes the kernel of `op` that reads weights as the file has them; its twin is in `*scratch`. */
bool kbc_choose_kernel(kbc_node *node, const char *op, kbc_any_function **scratch);

/* Memory for the kernel, until the next prepare. */
bool kbc_allocate_scratch(kbc_node *node, int32_t bytes);

/* Positions of a window on an image's side; 0 where it does not fit. */
int32_t kbc_rows_of(const kbc_window *w, int32_t height);
int32_t kbc_columns_of(const kbc_window *w, int32_t width);

#endif /* KBC_NODE_H */
