/* CONCATENATION of TensorFlow Lite, int8, of inputs with the output's scale and zero point.
 *
 *     y[r] = x[0][r] x[1][r] ...
 *
 * A row is what lies behind the axes in front of the one that is joined.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "kbc/kbc.h"

kbc_status kbc_int8_concatenation(const kbc_concatenation_params *p, const int8_t *const *x,
                                  int8_t *y)
{
    for (int32_t r = 0; r < p->rows; ++r) {
        for (int32_t i = 0; i < p->inputs; ++i) {
            const size_t size = (size_t)p->sizes[i];
            memcpy(y, x[i] + (size_t)r * size, size);
            y += size;
        }
    }
    return KBC_OK;
}
