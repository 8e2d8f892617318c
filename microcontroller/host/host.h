/* What the delegate asks of this folder: to run a node faster than plain C does.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_HOST_H
#define KBC_HOST_H

#include "../ops/node.h"
#include "choice.h"
#include "layer.h"

/* All nodes of a delegate share it. */
typedef struct {
    const kbc_instruction_set *set; /* NULL: plain C */
    kbc_pool *pool;
} kbc_host;

/* Makes the layer of a node that kbc_prepare has checked. False where plain C runs it, because no
 * instruction set is made for it here, or for want of memory. */
bool kbc_host_prepare(const kbc_host *host, const kbc_node *node, int32_t threads,
                      kbc_layer *layer);

#endif /* KBC_HOST_H */
