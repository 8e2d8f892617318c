/* Fully connected, one-bit weights, int8 activations: the reference.
 *
 *     acc[r][o] = sum_k w[o][k] * (x[r][k] - zx)
 *     y[r][o]   = requantize(acc[r][o])
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "one_bit.h"
#include "requantize.h"

int32_t kbc_fully_connected_s8_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

kbc_status kbc_fully_connected_s8(const kbc_fully_connected_params *p, const int8_t *x, int8_t *y,
                                  void *scratch)
{
    const int32_t words = kbc_words(p->in_features);

    (void)scratch;
    for (int32_t r = 0; r < p->rows; ++r) {
        const uint32_t *w = p->weights;
        for (int32_t o = 0; o < p->out_features; ++o) {
            const int32_t acc = kbc_one_bit_dot(w, 0, x, p->in_features, p->input_zero_point);
            *y++ = kbc_requantize(acc, &p->channels[o], &p->output);
            w += words;
        }
        x += p->in_features;
    }
    return KBC_OK;
}
