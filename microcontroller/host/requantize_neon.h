/* From 32 accumulators to int8, or bits, in registers of AArch64: see requantize_x86.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_REQUANTIZE_LANES_H
#define KBC_REQUANTIZE_LANES_H

#include "instruction_set.h"

/* Rounded half up, and saturated to 32 bits. */
KBC_INLINE int32x2_t kbc_scale_2(int32x2_t v, int32x2_t multiplier, int32x2_t shift)
{
    return vqmovn_s64(vrshlq_s64(vmull_s32(v, multiplier), vnegq_s64(vmovl_s32(shift))));
}

KBC_INLINE int32x4_t kbc_requantize_4(const kbc_channels *c, const int32_t *acc, int32_t channel,
                                      const kbc_output *output)
{
    const int32x4_t v = vaddq_s32(vld1q_s32(acc), vld1q_s32(c->first + channel));
    const int32x4_t multiplier = vld1q_s32(c->second + channel);
    const int32x4_t shift = vld1q_s32(c->third + channel);
    const int32x4_t scaled = vcombine_s32(
        kbc_scale_2(vget_low_s32(v), vget_low_s32(multiplier), vget_low_s32(shift)),
        kbc_scale_2(vget_high_s32(v), vget_high_s32(multiplier), vget_high_s32(shift)));
    const int32x4_t y = vqaddq_s32(scaled, vdupq_n_s32(output->zero_point));

    return vminq_s32(vmaxq_s32(y, vdupq_n_s32(output->min)), vdupq_n_s32(output->max));
}

KBC_INLINE int8x8_t kbc_requantize_8(const kbc_channels *c, const int32_t *acc, int32_t channel,
                                     const kbc_output *output)
{
    return vmovn_s16(vcombine_s16(vmovn_s32(kbc_requantize_4(c, acc, channel, output)),
                                  vmovn_s32(kbc_requantize_4(c, acc + 4, channel + 4, output))));
}

static KBC_TARGET void finish_s8(const kbc_channels *c, const int32_t *acc, int32_t channel,
                                 const kbc_output *output, int8_t *y)
{
    for (int i = 0; i < 32; i += 8) {
        vst1_s8(y + i, kbc_requantize_8(c, acc + i, channel + i, output));
    }
}

static KBC_TARGET uint32_t finish_b1(const kbc_channels *c, const int32_t *acc, int32_t channel)
{
    static const uint32_t BITS[4] = {1, 2, 4, 8};
    const uint32x4_t bits = vld1q_u32(BITS);
    uint32_t word = 0;

    for (int i = 0; i < 32; i += 4) {
        const int32x4_t flipped = veorq_s32(vld1q_s32(acc + i), vld1q_s32(c->second + channel + i));
        const uint32x4_t below = vcltq_s32(flipped, vld1q_s32(c->first + channel + i));
        word |= vaddvq_u32(vandq_u32(below, bits)) << i;
    }
    return word;
}

#endif /* KBC_REQUANTIZE_LANES_H */
