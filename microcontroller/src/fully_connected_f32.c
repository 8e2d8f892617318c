/* Fully connected, one-bit weights, float inputs: the reference.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define KBC_ACC float
#include "fully_connected.h"

int32_t kbc_fully_connected_f32_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_fully_connected_f32(const kbc_fully_connected_params *p, const void *x,
                                   const void *shortcut, void *y, void *scratch)
{
    (void)scratch;
    return kbc_fully_connected(p, x, kbc_bytes_f32(p->in_features), shortcut, y, kbc_dot_f32);
}
