/* The bounds of an output: those of int8, or narrower where an activation is fused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_SATURATE_H
#define KBC_SATURATE_H

#include "kbc/kbc.h"

static inline int8_t kbc_saturate(int32_t y, const kbc_output *out)
{
    y = y < out->min ? out->min : y;
    y = y > out->max ? out->max : y;
    KBC_OPAQUE(y); /* or each of the three ways converts it to int8 */
    return (int8_t)y;
}

#endif /* KBC_SATURATE_H */
