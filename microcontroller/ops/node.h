/* One custom op of a model: its tensors, its options, and the checks that every op makes.
 *
 * The TensorFlow Lite delegate and TensorFlow Lite Micro each describe a node to its op, which
 * answers with all that a kernel needs. Nothing here asks for memory or knows a runtime.
 *
 * A check answers true, or reports one line and answers false; an op makes all of them in its
 * `prepare`, before a kernel may touch memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_NODE_H
#define KBC_NODE_H

#include <stdarg.h>

#include "../src/kernels.h"
#include "flexbuffers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kbc_node kbc_node;
typedef struct kbc_call kbc_call;

/* A custom op. */
typedef struct {
    const char *name;
    int least_inputs, most_inputs;
    bool (*prepare)(kbc_node *node);
    kbc_status (*invoke)(const kbc_call *call, const void *x, const void *shortcut, void *y,
                         void *scratch);
} kbc_op;

extern const kbc_op kbc_op_fully_connected;
extern const kbc_op kbc_op_conv_2d;
extern const kbc_op kbc_op_depthwise_conv_2d;
extern const kbc_op kbc_op_max_pool_2d;
extern const kbc_op kbc_op_pack;
extern const kbc_op kbc_op_unpack;

/* Of the ops with few-bit weights; the others have the first alone. */
enum { KBC_X, KBC_WEIGHTS, KBC_CHANNELS, KBC_SHORTCUT, KBC_MAX_INPUTS };

/* No side of a tensor is longer, and no number of a window greater, so that positions in an image
 * fit 32 bits. */
enum { KBC_MAX_SIDE = 1 << 24, KBC_MAX_WINDOW = 1 << 15, KBC_MAX_RANK = 8 };

/* Types by TensorFlow Lite's numbers. */
enum { KBC_FLOAT32 = 1, KBC_INT32 = 2, KBC_INT8 = 9 };

/* What a runtime says of a tensor. */
typedef struct {
    int number; /* in the model: equal ones are the same tensor; -1 where the op has none */
    int type;
    int rank;
    const int *shape; /* NULL where the runtime knows none */
    size_t bytes;
    const void *data; /* of what is in the file */
    float scale;      /* 0 where it is not quantized */
    int32_t zero_point;
    bool is_constant;
    bool is_in_file; /* and so its data are known, and stay where they are */
} kbc_tensor;

/* What is left of a node when it has been prepared: all that runs it. */
struct kbc_call {
    const kbc_op *op;
    kbc_any_function *kernel;
    int32_t scratch_bytes; /* aligned to 4, the caller's; 0 for none */
    /* What the kernel reads and writes, by the shapes that were checked. */
    size_t x_bytes, shortcut_bytes, output_bytes;
    union {
        kbc_fully_connected_params fully_connected;
        kbc_conv_2d_params conv_2d;
        kbc_pool_2d_params pool_2d;
        kbc_pack_params pack;
        kbc_unpack_params unpack;
    } params;
};

struct kbc_node {
    const kbc_op *op;
    kbc_tensor inputs[KBC_MAX_INPUTS];
    kbc_tensor output;
    kbc_flexbuffers_map options;
    bool has_options;
    /* Formats are for any printf: of d, ld and s alone. */
    void (*report)(const kbc_node *node, const char *format, va_list arguments);
    void *runtime;    /* for `report` */
    const char *name; /* the same */
    /* What `prepare` makes of it. */
    kbc_call call;
    int output_rank;
    int output_shape[KBC_MAX_RANK];
};

/* A node without tensors and options. */
void kbc_clear_node(kbc_node *node, const kbc_op *op);

/* Whether a node of the op may have so many; if not, leave it without tensors. */
bool kbc_counts_fit(const kbc_op *op, int inputs, int outputs);

/* Reads the node's options, which must outlive it; NULL and 0 where it has none. */
void kbc_read_options(kbc_node *node, const void *bytes, size_t size);

/* Checks all of a node, and makes its call and the shape of its output: that of the file but for
 * the first axis, which is x's. */
bool kbc_prepare(kbc_node *node);

/* The input, such as KBC_X; NULL where the op has none. */
const kbc_tensor *kbc_input(const kbc_node *node, int input);

/* NULL where there is none. */
const kbc_tensor *kbc_output_of(const kbc_node *node);

static inline bool kbc_is_bits(const kbc_tensor *tensor)
{
    return tensor->type == KBC_INT32;
}

/* Reports a message. Always false. */
bool kbc_refuse(const kbc_node *node, const char *format, ...);

/* The integer option `key`, which must lie in [least, greatest]. */
bool kbc_option(const kbc_node *node, const char *key, int32_t least, int32_t greatest,
                int32_t *value);

/* What all ops have in common: the options' version, x, and the output: int8, bits or float32. */
bool kbc_check_common(const kbc_node *node);

/* An int8 activation has one scale, others have none. */
bool kbc_check_activation(const kbc_node *node, const kbc_tensor *tensor, const char *what);

bool kbc_check_type(const kbc_node *node, const kbc_tensor *tensor, const char *what, int type);

/* A constant of this type, int32 or float32, and shape. */
bool kbc_check_constant(const kbc_node *node, int input, const char *what, int type, int rank,
                        const int64_t *shape);

/* Gives the output its shape, whose axes but the first must be as the file declares them. */
bool kbc_shape_output(kbc_node *node, int rank, const int *shape);

/* Takes the kernel of `op` that reads weights as the file has them; its twin is in `*scratch`. */
bool kbc_choose_kernel(kbc_node *node, const char *op, kbc_any_function **scratch);

#ifdef __cplusplus
}
#endif

#endif /* KBC_NODE_H */
