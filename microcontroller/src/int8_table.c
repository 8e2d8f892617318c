/* Every int8 builtin of one variable: LOGISTIC, TANH, ELU and so on of TensorFlow Lite.
 *
 *     y[i] = table[x[i] + 128]
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"

kbc_status kbc_int8_table(const kbc_table_params *p, const int8_t *x, int8_t *y)
{
    for (int32_t i = 0; i < p->size; ++i) {
        y[i] = p->table[x[i] + 128];
    }
    return KBC_OK;
}
