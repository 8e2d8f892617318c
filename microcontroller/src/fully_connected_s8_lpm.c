/* Fully connected, one-bit weights, int8 inputs: in plain C, with weights that LPM reads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_lpm.h"

int32_t kbc_fully_connected_s8_lpm_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

#if KBC_HAS_LPM

static int32_t dot_s8(const uint8_t *w, const void *inputs, int16_t k, int16_t zx)
{
    const int8_t *x = inputs;
    int32_t acc = 0;

    while (k > 0) {
        uint8_t bits = kbc_lpm_byte(w++);
        int16_t sum = 0; /* of 8 inputs at most */
        for (uint8_t i = (uint8_t)(k < 8 ? k : 8); i > 0; --i, bits >>= 1) {
            const int16_t d = (int16_t)(*x++ - zx);
            sum = (int16_t)((bits & 1) != 0 ? sum - d : sum + d);
        }
        acc += sum;
        k = (int16_t)(k - 8);
    }
    return acc;
}

kbc_status kbc_fully_connected_s8_lpm(const kbc_fully_connected_params *p, const void *x,
                                      const void *shortcut, void *y, void *scratch)
{
    (void)scratch;
    return kbc_fully_connected_lpm(p, x, p->in_features, shortcut, y, dot_s8);
}

#endif
