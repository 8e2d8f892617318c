/* How the smaller of two operands is gone through again and again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_OPERANDS_H
#define KBC_OPERANDS_H

#include "kbc/kbc.h"

/* The index behind i, and 0 behind the last of n. A division would take far longer. */
static inline int32_t kbc_next(int32_t i, int32_t n)
{
    return i + 1 < n ? i + 1 : 0;
}

#endif /* KBC_OPERANDS_H */
