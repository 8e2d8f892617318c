/* From accumulators to int8, as finish_s8.c, with channels that LPM reads.
 *
 * Sums of 16 bits whose product's highest two bytes are what counts, as they are of most channels,
 * take 8 multiplications of bytes and a shift of two of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lpm.h"
#include "requantize.h"

#if KBC_HAS_LPM

enum { FAR = 1 << 14 }; /* beyond any int8, in halves of a step */

/* floor(a * b / 2^32) */
static inline int16_t product_high_16(int16_t a, int32_t b)
{
#ifdef __AVR_HAVE_MUL__
    int16_t high;     /* bytes 4 and 5 of the product */
    uint16_t middle;  /* 2 and 3 */
    uint8_t low;      /* 1 */
    /* MULSU leaves the sign in the carry. */
    __asm__("muls %B[a], %D[b] \n movw %A[high], r0 \n"
            "mul %A[a], %C[b] \n movw %A[middle], r0 \n"
            "mul %A[a], %A[b] \n mov %[low], r1 \n"
            "mul %A[a], %B[b] \n add %[low], r0 \n adc %A[middle], r1 \n adc %B[middle], %[zero] \n"
            "mulsu %D[b], %A[a] \n sbc %B[high], %[zero] \n"
            "add %B[middle], r0 \n adc %A[high], r1 \n adc %B[high], %[zero] \n"
            "mulsu %B[a], %A[b] \n"
            "sbc %B[middle], %[zero] \n sbc %A[high], %[zero] \n sbc %B[high], %[zero] \n"
            "add %[low], r0 \n adc %A[middle], r1 \n"
            "adc %B[middle], %[zero] \n adc %A[high], %[zero] \n adc %B[high], %[zero] \n"
            "mulsu %B[a], %B[b] \n sbc %A[high], %[zero] \n sbc %B[high], %[zero] \n"
            "add %A[middle], r0 \n adc %B[middle], r1 \n"
            "adc %A[high], %[zero] \n adc %B[high], %[zero] \n"
            "mulsu %B[a], %C[b] \n sbc %B[high], %[zero] \n"
            "add %B[middle], r0 \n adc %A[high], r1 \n adc %B[high], %[zero] \n"
            "clr r1 \n"
            : [high] "=&r"(high), [middle] "=&r"(middle), [low] "=&r"(low)
            : [a] "a"(a), [b] "a"(b), [zero] "r"((uint8_t)0)
            : "r0");
    return high;
#else
    return (int16_t)(kbc_product_16(a, b) >> 16);
#endif
}

/* As kbc_halves, within -FAR..FAR. */
KBC_NOINLINE static int16_t any_halves(int32_t sum, int32_t multiplier, uint8_t shift)
{
    const int32_t y = kbc_halves(sum, multiplier, shift);

    return (int16_t)(y < -FAR ? -FAR : y > FAR ? FAR : y);
}

static inline int16_t halves(int32_t sum, int32_t multiplier, uint8_t shift)
{
    const uint8_t left = (uint8_t)(shift - 33);

    if (sum == (int16_t)sum && left < 16) {
        return (int16_t)(product_high_16((int16_t)sum, multiplier) >> left);
    }
    return any_halves(sum, multiplier, shift);
}

void kbc_finish_s8_lpm(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                       int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_channel *c = (const kbc_channel *)f->channels + channel;
    const int16_t half = (int16_t)(2 * f->output.zero_point + 1);
    const int16_t min = (int16_t)f->output.min, max = (int16_t)f->output.max;
    int8_t *out = (int8_t *)y + pixel * f->size + channel;

    (void)shortcut;
    for (uint8_t i = (uint8_t)count; i > 0; --i) {
        int32_t bias, multiplier;
        uint8_t shift; /* the lowest byte of four */
        __asm__("lpm %A0, Z+ \n lpm %B0, Z+ \n lpm %C0, Z+ \n lpm %D0, Z+ \n"
                "lpm %A1, Z+ \n lpm %B1, Z+ \n lpm %C1, Z+ \n lpm %D1, Z+ \n"
                "lpm %2, Z+ \n adiw %3, 3 \n"
                : "=&r"(bias), "=&r"(multiplier), "=&r"(shift), "+&z"(c));
        const int16_t v = (halves(*acc++ + bias, multiplier, shift) + half) >> 1;
        *out++ = (int8_t)(v < min ? min : v > max ? max : v);
    }
}

#endif
