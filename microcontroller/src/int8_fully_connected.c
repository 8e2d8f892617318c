/* FULLY_CONNECTED of TensorFlow Lite, int8, with per-channel weights of zero point 0.
 *
 *     acc[r][o] = sum_k w[o][k] * (x[r][k] - zx)
 *     y[r][o]   = requantize_twice(acc[r][o])
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "int8_dot.h"
#include "requantize.h"

int32_t kbc_int8_fully_connected_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_int8_fully_connected(const kbc_fully_connected_params *p, const int8_t *x, int8_t *y,
                                    void *scratch)
{
    const int32_t n = p->in_features;

    (void)scratch;
    for (int32_t r = 0; r < p->rows; ++r) {
        const int8_t *w = p->weights;
        for (int32_t o = 0; o < p->out_features; ++o) {
            const int32_t acc = kbc_int8_dot(w, x, n, p->input_zero_point);
            *y++ = kbc_requantize_twice(acc, &p->channels[o], &p->output);
            w += n;
        }
        x += n;
    }
    return KBC_OK;
}
