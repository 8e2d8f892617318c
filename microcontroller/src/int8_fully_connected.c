/* FULLY_CONNECTED of TensorFlow Lite, int8, with per-channel weights of zero point 0
 * (equation in int8_dots.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "int8_dots.h"

int32_t kbc_int8_fully_connected_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_int8_fully_connected(const kbc_fully_connected_params *p, const void *x,
                                    const void *shortcut, void *y, void *scratch)
{
    const int8_t *row = x;

    (void)scratch;
    for (int32_t r = 0; r < p->rows; ++r, row += p->in_features) {
        kbc_int8_outputs(&p->finish, p->weights, row, p->in_features, p->input_zero_point, r,
                         shortcut, y);
    }
    return KBC_OK;
}
