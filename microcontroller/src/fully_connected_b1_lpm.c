/* Fully connected, one-bit weights, one-bit inputs: in plain C, with weights that LPM reads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_lpm.h"

int32_t kbc_fully_connected_b1_lpm_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

#if KBC_HAS_LPM

static uint8_t ones(uint8_t v)
{
    v = (uint8_t)(v - (v >> 1 & 0x55));
    v = (uint8_t)((v & 0x33) + (v >> 2 & 0x33));
    return (uint8_t)((v + (v >> 4)) & 0x0f);
}

/* Pad bits are 0 in both, and no difference. */
static int32_t dot_b1(const uint8_t *w, const void *inputs, int16_t k, int16_t zx)
{
    const uint8_t *x = inputs;
    int16_t differences = 0;

    (void)zx;
    for (int16_t left = k; left > 0; left = (int16_t)(left - 8)) {
        differences = (int16_t)(differences + ones(kbc_lpm_byte(w++) ^ *x++));
    }
    return k - 2 * (int32_t)differences;
}

kbc_status kbc_fully_connected_b1_lpm(const kbc_fully_connected_params *p, const void *x,
                                      const void *shortcut, void *y, void *scratch)
{
    (void)scratch;
    return kbc_fully_connected_lpm(p, x, 4 * kbc_words(p->in_features), shortcut, y, dot_b1);
}

#endif
