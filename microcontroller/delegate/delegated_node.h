/* A node of the graph that runs one of our ops.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_DELEGATED_NODE_H
#define KBC_DELEGATED_NODE_H

#include "node.h"
#include "tflite_abi.h"

/* The functions of every delegated op, for the runtime. */
extern const TfLiteRegistration kbc_delegated_node;

/* The op and the node at `index` of the graph; NULL where it is not ours. */
const kbc_op *kbc_op_at(TfLiteContext *context, int index, TfLiteNode **node);

bool kbc_holds(const TfLiteIntArray *numbers, int number);

#endif /* KBC_DELEGATED_NODE_H */
