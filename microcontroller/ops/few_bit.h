/* What the ops with few-bit weights have in common: weights, channels, output and shortcut.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FEW_BIT_H
#define KBC_FEW_BIT_H

#include "node.h"

/* The zero point of x, and its channels: its last axis, of bits an option. */
bool kbc_check_x(const kbc_node *node, int32_t *zero_point, int32_t *channels);

/* How many output channels there are, by the shape of the constant `channels`. */
bool kbc_count_outputs(const kbc_node *node, int32_t *outs);

/* Weights of `products` an output, and what becomes of the sums; the output has the shape
 * [..., outs], `rank` axes, or words of it. */
bool kbc_prepare_finish(kbc_node *node, int64_t products, int32_t outs, int rank, int *shape,
                        const void **weights, kbc_finish *finish);

/* The kernels of an op, by whether x is int8, bits or float32 and the weights are ternary. */
#define KBC_FEW_BIT_KERNELS(op)                                                                   \
    {                                                                                             \
        {op "_s8", op "_s8_ternary"}, {op "_b1", op "_b1_ternary"}, {op "_f32", op "_f32_ternary"} \
    }

/* One of them; its twin is in `*scratch`. */
bool kbc_choose_few_bit_kernel(kbc_node *node, const char *const names[3][2],
                               kbc_any_function **scratch);

#endif /* KBC_FEW_BIT_H */
