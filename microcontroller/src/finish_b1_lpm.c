/* From accumulators to bits, as finish_b1.c, with thresholds that LPM reads.
 *
 *     negative = acc < threshold, or acc > threshold: with direction -1 that is
 *     not (acc - threshold - 1 < 0), which is how the sign of the direction comes into both
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lpm.h"

#if KBC_HAS_LPM

/* The signs of `count` outputs, 1 to 8, the first one's lowest. */
static inline uint8_t byte_of(const int32_t **acc, const kbc_threshold **t, uint8_t count)
{
    uint8_t bits = 0;

    for (uint8_t i = count; i > 0; --i) {
        int32_t threshold;
        uint8_t direction, scratch;
        __asm__("lpm %A0, Z+ \n lpm %B0, Z+ \n lpm %C0, Z+ \n lpm %D0, Z+ \n"
                "lpm %1, Z+ \n adiw r30, 3 \n"
                "lsl %1 \n" /* its sign is the borrow now, and is left in bit 7 */
                "ld %2, X+ \n sbc %2, %A0 \n ld %2, X+ \n sbc %2, %B0 \n"
                "ld %2, X+ \n sbc %2, %C0 \n ld %2, X+ \n sbc %2, %D0 \n"
                "eor %2, %1 \n lsl %2 \n ror %3 \n"
                : "=&r"(threshold), "=&r"(direction), "=&r"(scratch), "+&r"(bits), "+&x"(*acc),
                  "+&z"(*t)
                :
                : "memory");
    }
    return (uint8_t)(bits >> (8 - count));
}

void kbc_finish_b1_lpm(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                       int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_threshold *t = (const kbc_threshold *)f->channels + channel;
    uint8_t *out = (uint8_t *)y + 4 * (pixel * kbc_words(f->size) + channel / 32);
    uint8_t left = (uint8_t)count;

    (void)shortcut;
    for (uint8_t byte = 0; byte < 4; ++byte) {
        const uint8_t now = left < 8 ? left : 8;
        out[byte] = now == 0 ? 0 : byte_of(&acc, &t, now);
        left = (uint8_t)(left - now);
    }
}

#endif
