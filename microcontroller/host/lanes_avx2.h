/* 32 outputs side by side in a register of AVX2.
 *
 * What a look-up needs of an instruction set, under the same names in each lanes_*.h. A vector is
 * unpacked within each 16 bytes, so that the sums of 16 bits come as outputs 0-7 and 16-23, and 8-15
 * and 24-31: kbc_store_sums puts each where it belongs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_LANES_H
#define KBC_LANES_H

#include <immintrin.h>

#define KBC_TARGET __attribute__((target("avx2")))
#define KBC_INLINE static inline __attribute__((always_inline, target("avx2")))

/* Makes the compiler finish a value here. It would add up the look-ups of a step before it adds
 * them to the sums, and then spill what it has no registers for. */
#define KBC_FINISH(v) __asm__("" : "+x"(v))

enum { KBC_LANES = 32 };

typedef __m256i kbc_lanes;

/* Sums of 16 bits, one for each lane. */
typedef struct {
    __m256i low, high;
} kbc_sums;

KBC_INLINE kbc_lanes kbc_zero(void)
{
    return _mm256_setzero_si256();
}

KBC_INLINE kbc_sums kbc_no_sums(void)
{
    return (kbc_sums){_mm256_setzero_si256(), _mm256_setzero_si256()};
}

KBC_INLINE kbc_lanes kbc_load(const uint8_t *bytes)
{
    return _mm256_load_si256((const __m256i *)(const void *)bytes);
}

/* The same 16 bytes for each 16 lanes. */
KBC_INLINE kbc_lanes kbc_load_table(const uint8_t *table)
{
    return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(const void *)table));
}

/* table[lane], of indices below 16 */
KBC_INLINE kbc_lanes kbc_look_up(kbc_lanes table, kbc_lanes indices)
{
    return _mm256_shuffle_epi8(table, indices);
}

KBC_INLINE kbc_lanes kbc_low_nibbles(kbc_lanes v)
{
    return _mm256_and_si256(v, _mm256_set1_epi8(15));
}

KBC_INLINE kbc_lanes kbc_high_nibbles(kbc_lanes v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}

KBC_INLINE kbc_lanes kbc_add(kbc_lanes a, kbc_lanes b)
{
    return _mm256_add_epi8(a, b);
}

/* sums += bytes */
KBC_INLINE kbc_sums kbc_widen(kbc_sums sums, kbc_lanes bytes)
{
    const __m256i zero = _mm256_setzero_si256();

    sums.low = _mm256_add_epi16(sums.low, _mm256_unpacklo_epi8(bytes, zero));
    sums.high = _mm256_add_epi16(sums.high, _mm256_unpackhi_epi8(bytes, zero));
    return sums;
}

/* sums += low + 32 * high */
KBC_INLINE kbc_sums kbc_widen_both(kbc_sums sums, kbc_lanes low, kbc_lanes high)
{
    const __m256i weights = _mm256_set1_epi16(32 << 8 | 1);

    sums.low = _mm256_add_epi16(
        sums.low, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(low, high), weights));
    sums.high = _mm256_add_epi16(
        sums.high, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(low, high), weights));
    return sums;
}

KBC_INLINE void kbc_add_8(uint32_t *to, __m128i sums)
{
    __m256i *const at = (__m256i *)(void *)to;

    _mm256_storeu_si256(at, _mm256_add_epi32(_mm256_loadu_si256(at), _mm256_cvtepu16_epi32(sums)));
}

/* to[lane] += sums */
KBC_INLINE void kbc_store_sums(uint32_t *to, kbc_sums sums)
{
    kbc_add_8(to, _mm256_castsi256_si128(sums.low));
    kbc_add_8(to + 8, _mm256_castsi256_si128(sums.high));
    kbc_add_8(to + 16, _mm256_extracti128_si256(sums.low, 1));
    kbc_add_8(to + 24, _mm256_extracti128_si256(sums.high, 1));
}

#include "bytes_x86.h"
#include "requantize_x86.h"

#endif /* KBC_LANES_H */
