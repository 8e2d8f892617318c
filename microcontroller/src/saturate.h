/* The bounds of an output: those of int8, or narrower where an activation is fused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_SATURATE_H
#define KBC_SATURATE_H

#include "kbc/kbc.h"

static inline int8_t kbc_saturate(int64_t y, const kbc_output *out)
{
    if (y < out->min) {
        return (int8_t)out->min;
    }
    if (y > out->max) {
        return (int8_t)out->max;
    }
    return (int8_t)y;
}

#endif /* KBC_SATURATE_H */
