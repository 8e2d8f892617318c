/* What lies between sums and outputs, on 32 channels: loops that compilers make vectors of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_POOLING_H
#define KBC_POOLING_H

#include "instruction_set.h"

static KBC_TARGET void pool(uint32_t *restrict greatest, const uint32_t *restrict sums,
                            int32_t columns, int32_t stride)
{
    for (; columns > 0; --columns, sums += stride) {
        for (int i = 0; i < 32; ++i) {
            greatest[i] = sums[i] > greatest[i] ? sums[i] : greatest[i];
        }
    }
}

static KBC_TARGET void take_back(int32_t *restrict acc, const uint32_t *restrict sums,
                                 const int32_t *restrict offsets, int32_t shift)
{
    for (int i = 0; i < 32; ++i) {
        acc[i] = ((int32_t)sums[i] + offsets[i]) >> shift;
    }
}

#endif /* KBC_POOLING_H */
