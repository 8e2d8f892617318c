/* FULLY_CONNECTED of TensorFlow Lite, int8, with per-channel weights of zero point 0 (equation in
 * fully_connected.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected.h"

int32_t kbc_int8_fully_connected_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_int8_fully_connected(const kbc_fully_connected_params *p, const void *x,
                                    const void *shortcut, void *y, void *scratch)
{
    (void)scratch;
    return kbc_fully_connected(p, x, kbc_bytes_s8(p->in_features), shortcut, y, kbc_dot_int8);
}
