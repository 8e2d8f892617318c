/* Fully connected, ternary weights, int8 inputs: the reference.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected.h"

int32_t kbc_fully_connected_s8_ternary_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_fully_connected_s8_ternary(const kbc_fully_connected_params *p, const void *x,
                                          const void *shortcut, void *y, void *scratch)
{
    (void)scratch;
    return kbc_fully_connected(p, x, kbc_bytes_s8(p->in_features), shortcut, y, kbc_dot_s8_ternary);
}
