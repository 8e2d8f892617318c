/* SOFTMAX of TensorFlow Lite, int8, output scale 1/256 and zero point -128.
 *
 *     e[j] = exponentials[max(x) - x[j]]
 *     y[j] = min(floor(e[j] * (1 / (sum_j e[j] / 256)) + 1/2) - 128, 127)
 *
 * in float32, the sum from the first to the last, one rounding an operation: these are the
 * interpreter's bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"

static int32_t greatest(const int8_t *x, int32_t n)
{
    int32_t best = INT8_MIN;

    for (int32_t j = 0; j < n; ++j) {
        if (x[j] > best) {
            best = x[j];
        }
    }
    return best;
}

static void softmax(const float *exponentials, const int8_t *x, int8_t *y, int32_t n)
{
    const int32_t max = greatest(x, n);
    float sum = 0.0f;

    for (int32_t j = 0; j < n; ++j) {
        sum += exponentials[max - x[j]];
    }
    const float scale = 1.0f / (sum * (1.0f / 256.0f));
    for (int32_t j = 0; j < n; ++j) {
        /* Volatile, or the product and the sum below may become one fused step that rounds once. */
        const volatile float probability = exponentials[max - x[j]] * scale;
        const int32_t rounded = (int32_t)(probability + 0.5f) - 128;
        y[j] = (int8_t)(rounded > INT8_MAX ? INT8_MAX : rounded);
    }
}

kbc_status kbc_int8_softmax(const kbc_softmax_params *p, const int8_t *x, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; ++r) {
        softmax(p->exponentials, x, y, p->features);
        x += p->features;
        y += p->features;
    }
    return KBC_OK;
}
