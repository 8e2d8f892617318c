/* From accumulators to bits, as finish_b1.c, with thresholds that LPM reads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lpm.h"

#if KBC_HAS_LPM

void kbc_finish_b1_lpm(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                       int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_threshold *t = (const kbc_threshold *)f->channels + channel;
    uint8_t *out = (uint8_t *)y + 4 * (pixel * kbc_words(f->size) + channel / 32);

    (void)shortcut;
    uint8_t left = (uint8_t)count;
    for (uint8_t byte = 0; byte < 4; ++byte) {
        uint8_t bits = 0;
        for (uint8_t i = 0; i < 8; ++i, ++acc, ++t) {
            bits >>= 1;
            if (left > 0) {
                --left;
                bits |= (uint8_t)(kbc_lpm_negative(*acc, t) << 7);
            }
        }
        out[byte] = bits;
    }
}

#endif
