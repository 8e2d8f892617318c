/* MAX_POOL_2D of TensorFlow Lite, int8.
 *
 *     y[oy][ox][c] = clamp(max of x[iy][ix][c] over the taps inside the image)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "int8_pool_2d.h"

static inline int32_t greater(int32_t a, int32_t b)
{
    return b > a ? b : a;
}

static void greatest_4(kbc_taps_2d t, const kbc_output *out, int8_t *y)
{
    int32_t a = INT8_MIN, b = INT8_MIN, c = INT8_MIN, d = INT8_MIN;

    for (; t.rows > 0; --t.rows, t.x += t.row_bytes) {
        const int8_t *x = t.x;
        for (int32_t left = t.columns; left > 0; --left, x += t.channels) {
            a = greater(a, x[0]);
            b = greater(b, x[1]);
            c = greater(c, x[2]);
            d = greater(d, x[3]);
        }
    }
    y[0] = kbc_saturate(a, out);
    y[1] = kbc_saturate(b, out);
    y[2] = kbc_saturate(c, out);
    y[3] = kbc_saturate(d, out);
}

static void greatest_1(kbc_taps_2d t, const kbc_output *out, int8_t *y)
{
    int32_t best = INT8_MIN;

    for (; t.rows > 0; --t.rows, t.x += t.row_bytes) {
        const int8_t *x = t.x;
        for (int32_t left = t.columns; left > 0; --left, x += t.channels) {
            best = greater(best, *x);
        }
    }
    *y = kbc_saturate(best, out);
}

kbc_status kbc_int8_max_pool_2d(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y)
{
    return kbc_int8_pool_2d(p, x, y, greatest_4, greatest_1);
}
