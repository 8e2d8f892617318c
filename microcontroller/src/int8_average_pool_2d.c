/* AVERAGE_POOL_2D of TensorFlow Lite, int8.
 *
 *     y[oy][ox][c] = clamp(sum / n), rounded half away from zero,
 *
 * with the sum of x[iy][ix][c] over the n taps inside the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "int8_pool_2d.h"

static inline int8_t divide(int32_t sum, int32_t n, const kbc_output *out)
{
    return kbc_saturate(sum < 0 ? (sum - n / 2) / n : (sum + n / 2) / n, out);
}

static void average_4(kbc_taps_2d t, const kbc_output *out, int8_t *y)
{
    const int32_t n = t.rows * t.columns;
    int32_t a = 0, b = 0, c = 0, d = 0;

    for (; t.rows > 0; --t.rows, t.x += t.row_bytes) {
        const int8_t *x = t.x;
        for (int32_t left = t.columns; left > 0; --left, x += t.channels) {
            a += x[0];
            b += x[1];
            c += x[2];
            d += x[3];
        }
    }
    y[0] = divide(a, n, out);
    y[1] = divide(b, n, out);
    y[2] = divide(c, n, out);
    y[3] = divide(d, n, out);
}

static void average_1(kbc_taps_2d t, const kbc_output *out, int8_t *y)
{
    const int32_t n = t.rows * t.columns;
    int32_t sum = 0;

    for (; t.rows > 0; --t.rows, t.x += t.row_bytes) {
        const int8_t *x = t.x;
        for (int32_t left = t.columns; left > 0; --left, x += t.channels) {
            sum += *x;
        }
    }
    *y = divide(sum, n, out);
}

kbc_status kbc_int8_average_pool_2d(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y)
{
    return kbc_int8_pool_2d(p, x, y, average_4, average_1);
}
