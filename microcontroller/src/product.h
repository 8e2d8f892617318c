/* The high bits of a product of two 32-bit numbers.
 *
 * KBC_LONG_PRODUCT is 0 where no instruction multiplies two words into two: ARMv6-M and AVR, where
 * a 64-bit product is a call of the compiler's library, and one of 16 bits by 32 takes a third.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_PRODUCT_H
#define KBC_PRODUCT_H

#include <stdint.h>

#ifndef KBC_LONG_PRODUCT
#if defined(__AVR__) || (defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1)
#define KBC_LONG_PRODUCT 0
#else
#define KBC_LONG_PRODUCT 1
#endif
#endif

/* floor(a * b / 2^16) of an `a` of 16 bits. */
static inline int32_t kbc_product_16(int32_t a, int32_t b)
{
    return a * (b >> 16) + (a * (b & 0xffff) >> 16);
}

/* floor(a * b / 2^32) */
#if KBC_LONG_PRODUCT

static inline int32_t kbc_product_high(int32_t a, int32_t b)
{
    return (int32_t)((int64_t)a * b >> 32);
}

#else

/* By halves, a = 2^16 a1 + a0. No sum below overflows: 2^15 (2^16 - 1) + 2^16 - 1 < 2^31. */
static inline int32_t kbc_product_high(int32_t a, int32_t b)
{
    const int32_t a1 = a >> 16, b1 = b >> 16;
    const uint32_t a0 = (uint32_t)a & 0xffffu, b0 = (uint32_t)b & 0xffffu;
    const int32_t middle = a1 * (int32_t)b0 + (int32_t)(a0 * b0 >> 16);
    const int32_t other = (int32_t)a0 * b1 + (middle & 0xffff);

    return a1 * b1 + (middle >> 16) + (other >> 16);
}

#endif

/* floor(a * b / 2^31 + 1/2) */
static inline int32_t kbc_product_31(int32_t a, int32_t b)
{
    if (KBC_LONG_PRODUCT) {
        return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
    }
    if (a == (int16_t)a) {
        return (kbc_product_16(a, b) + (1 << 14)) >> 15;
    }
    const uint32_t high = (uint32_t)kbc_product_high(a, b), low = (uint32_t)a * (uint32_t)b;
    return (int32_t)((high << 1 | low >> 31) + (low >> 30 & 1u));
}

#endif /* KBC_PRODUCT_H */
