/* From 32 accumulators to int8, or bits, in registers of AVX2.
 *
 *     y = clamp(zero_point + ((acc + bias) * multiplier + 2^(shift - 1) >> shift), min, max)
 *
 * AVX2 shifts 64 bits to the right only as unsigned numbers: 2^63 is added before, and what became
 * of it taken off behind.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_REQUANTIZE_LANES_H
#define KBC_REQUANTIZE_LANES_H

#include "instruction_set.h"

KBC_INLINE __m256i kbc_load_8(const int32_t *v)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)v);
}

/* Of the even ones of 8 numbers, each in 64 bits: clamp(v * multiplier >> shift). */
KBC_INLINE __m256i kbc_scale_4(__m256i v, __m256i multiplier, __m256i shift, __m256i least,
                               __m256i greatest)
{
    const __m256i one = _mm256_set1_epi64x(1), top = _mm256_slli_epi64(one, 63);
    const __m256i right = _mm256_and_si256(shift, _mm256_set1_epi64x(63));
    const __m256i half = _mm256_srli_epi64(_mm256_sllv_epi64(one, right), 1);
    const __m256i product = _mm256_add_epi64(_mm256_mul_epi32(v, multiplier), half);
    const __m256i moved = _mm256_srlv_epi64(_mm256_xor_si256(product, top), right);
    __m256i y = _mm256_sub_epi64(moved, _mm256_srlv_epi64(top, right));

    y = _mm256_blendv_epi8(y, least, _mm256_cmpgt_epi64(least, y));
    return _mm256_blendv_epi8(y, greatest, _mm256_cmpgt_epi64(y, greatest));
}

KBC_INLINE __m256i kbc_requantize_8(const kbc_channels *c, const int32_t *acc, int32_t channel,
                                    const kbc_output *output)
{
    const __m256i least = _mm256_set1_epi64x(output->min - output->zero_point);
    const __m256i greatest = _mm256_set1_epi64x(output->max - output->zero_point);
    const __m256i v = _mm256_add_epi32(kbc_load_8(acc), kbc_load_8(c->first + channel));
    const __m256i multiplier = kbc_load_8(c->second + channel);
    const __m256i shift = kbc_load_8(c->third + channel);
    const __m256i even = kbc_scale_4(v, multiplier, shift, least, greatest);
    const __m256i odd =
        kbc_scale_4(_mm256_srli_epi64(v, 32), _mm256_srli_epi64(multiplier, 32),
                    _mm256_srli_epi64(shift, 32), least, greatest);

    return _mm256_add_epi32(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa),
                            _mm256_set1_epi32(output->zero_point));
}

static KBC_TARGET void finish_s8(const kbc_channels *c, const int32_t *acc, int32_t channel,
                                 const kbc_output *output, int8_t *y)
{
    __m256i part[4];

    for (int i = 0; i < 4; ++i) {
        part[i] = kbc_requantize_8(c, acc + 8 * i, channel + 8 * i, output);
    }
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(part[0], part[1]),
                                             _mm256_packs_epi32(part[2], part[3]));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)(void *)y, _mm256_permutevar8x32_epi32(bytes, order));
}

static KBC_TARGET uint32_t finish_b1(const kbc_channels *c, const int32_t *acc, int32_t channel)
{
    uint32_t word = 0;

    for (int i = 0; i < 32; i += 8) {
        const __m256i flipped =
            _mm256_xor_si256(kbc_load_8(acc + i), kbc_load_8(c->second + channel + i));
        const __m256i below = _mm256_cmpgt_epi32(kbc_load_8(c->first + channel + i), flipped);
        word |= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(below)) << i;
    }
    return word;
}

#endif /* KBC_REQUANTIZE_LANES_H */
