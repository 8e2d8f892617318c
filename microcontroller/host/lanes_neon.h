/* 16 outputs side by side in a register of AArch64: see lanes_avx2.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_LANES_H
#define KBC_LANES_H

#include <arm_neon.h>

#define KBC_TARGET
#define KBC_INLINE static inline __attribute__((always_inline))

#define KBC_FINISH(v) __asm__("" : "+w"(v))

enum { KBC_LANES = 16 };

typedef uint8x16_t kbc_lanes;

typedef struct {
    uint16x8_t low, high;
} kbc_sums;

KBC_INLINE kbc_lanes kbc_zero(void)
{
    return vdupq_n_u8(0);
}

KBC_INLINE kbc_sums kbc_no_sums(void)
{
    return (kbc_sums){vdupq_n_u16(0), vdupq_n_u16(0)};
}

KBC_INLINE kbc_lanes kbc_load(const uint8_t *bytes)
{
    return vld1q_u8(bytes);
}

KBC_INLINE kbc_lanes kbc_load_table(const uint8_t *table)
{
    return vld1q_u8(table);
}

KBC_INLINE kbc_lanes kbc_look_up(kbc_lanes table, kbc_lanes indices)
{
    return vqtbl1q_u8(table, indices);
}

KBC_INLINE kbc_lanes kbc_low_nibbles(kbc_lanes v)
{
    return vandq_u8(v, vdupq_n_u8(15));
}

KBC_INLINE kbc_lanes kbc_high_nibbles(kbc_lanes v)
{
    return vshrq_n_u8(v, 4);
}

KBC_INLINE kbc_lanes kbc_add(kbc_lanes a, kbc_lanes b)
{
    return vaddq_u8(a, b);
}

KBC_INLINE kbc_sums kbc_widen(kbc_sums sums, kbc_lanes bytes)
{
    sums.low = vaddw_u8(sums.low, vget_low_u8(bytes));
    sums.high = vaddw_high_u8(sums.high, bytes);
    return sums;
}

KBC_INLINE kbc_sums kbc_widen_both(kbc_sums sums, kbc_lanes low, kbc_lanes high)
{
    const uint8x16_t factor = vdupq_n_u8(32);

    sums = kbc_widen(sums, low);
    sums.low = vmlal_u8(sums.low, vget_low_u8(high), vget_low_u8(factor));
    sums.high = vmlal_high_u8(sums.high, high, factor);
    return sums;
}

KBC_INLINE void kbc_store_sums(uint32_t *to, kbc_sums sums)
{
    vst1q_u32(to, vaddw_u16(vld1q_u32(to), vget_low_u16(sums.low)));
    vst1q_u32(to + 4, vaddw_high_u16(vld1q_u32(to + 4), sums.low));
    vst1q_u32(to + 8, vaddw_u16(vld1q_u32(to + 8), vget_low_u16(sums.high)));
    vst1q_u32(to + 12, vaddw_high_u16(vld1q_u32(to + 12), sums.high));
}

/* 16 bytes: see bytes_x86.h. */
typedef uint8x16_t kbc_bytes;

KBC_INLINE kbc_bytes kbc_load_bytes(const void *bytes)
{
    return vld1q_u8(bytes);
}

KBC_INLINE void kbc_store_bytes(uint8_t *to, kbc_bytes bytes)
{
    vst1q_u8(to, bytes);
}

KBC_INLINE kbc_bytes kbc_take(kbc_bytes x, kbc_bytes indices)
{
    return vqtbl1q_u8(x, indices);
}

KBC_INLINE kbc_bytes kbc_flip(kbc_bytes x, uint8_t bits)
{
    return veorq_u8(x, vdupq_n_u8(bits));
}

KBC_INLINE kbc_bytes kbc_add_16(kbc_bytes a, kbc_bytes b)
{
    return vreinterpretq_u8_u16(vaddq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
}

KBC_INLINE kbc_bytes kbc_low_bits(kbc_bytes a, kbc_bytes b)
{
    return vandq_u8(vuzp1q_u8(a, b), vdupq_n_u8(31));
}

KBC_INLINE kbc_bytes kbc_high_bits(kbc_bytes a, kbc_bytes b)
{
    return vcombine_u8(vshrn_n_u16(vreinterpretq_u16_u8(a), 5),
                       vshrn_n_u16(vreinterpretq_u16_u8(b), 5));
}

KBC_INLINE kbc_bytes kbc_zip_low(kbc_bytes a, kbc_bytes b)
{
    return vreinterpretq_u8_u32(vzip1q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

KBC_INLINE kbc_bytes kbc_zip_high(kbc_bytes a, kbc_bytes b)
{
    return vreinterpretq_u8_u32(vzip2q_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
}

#include "requantize_neon.h"

#endif /* KBC_LANES_H */
