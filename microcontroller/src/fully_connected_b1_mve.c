/* Fully connected, one-bit weights, one-bit activations: vectors count differing bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_b1_mve.h"

int32_t kbc_fully_connected_b1_mve_scratch(const kbc_fully_connected_params *p)
{
    return kbc_counts_scratch(p);
}

#if KBC_HAS_MVE

kbc_status kbc_fully_connected_b1_mve(const kbc_fully_connected_params *p, const void *x,
                                      const void *shortcut, void *y, void *scratch)
{
    return kbc_fully_connected_counts(p, x, shortcut, y, scratch, 1);
}

#endif
