/* Fully connected, one-bit weights, int8 activations: tables of sums that vectors look up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_s8_mve.h"

int32_t kbc_fully_connected_s8_mve_scratch(const kbc_fully_connected_params *p)
{
    return kbc_sums_scratch(p);
}

#if KBC_HAS_MVE

kbc_status kbc_fully_connected_s8_mve(const kbc_fully_connected_params *p, const void *x,
                                      const void *shortcut, void *y, void *scratch)
{
    return kbc_fully_connected_sums(p, x, shortcut, y, scratch, 1);
}

#endif
