/* 64 outputs side by side in a register of AVX-512 (F, BW): see lanes_avx2.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_LANES_H
#define KBC_LANES_H

#include <immintrin.h>

#ifndef KBC_FEATURES
#define KBC_FEATURES "avx512f,avx512bw,avx2"
#endif

/* A test brings other words for these three, and emulated intrinsics. */
#ifndef KBC_TARGET
#define KBC_TARGET __attribute__((target(KBC_FEATURES)))
#define KBC_INLINE static inline __attribute__((always_inline, target(KBC_FEATURES)))

#define KBC_FINISH(v) __asm__("" : "+v"(v))
#endif

enum { KBC_LANES = 64 };

typedef __m512i kbc_lanes;

typedef struct {
    __m512i low, high;
} kbc_sums;

KBC_INLINE kbc_lanes kbc_zero(void)
{
    return _mm512_setzero_si512();
}

KBC_INLINE kbc_sums kbc_no_sums(void)
{
    return (kbc_sums){_mm512_setzero_si512(), _mm512_setzero_si512()};
}

KBC_INLINE kbc_lanes kbc_load(const uint8_t *bytes)
{
    return _mm512_load_si512(bytes);
}

KBC_INLINE kbc_lanes kbc_load_table(const uint8_t *table)
{
    return _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)(const void *)table));
}

#if KBC_VBMI

/* Of an index 6 bits count, and the table stands four times in the register: so the two bits in
 * front of a nibble may be any. */
KBC_INLINE kbc_lanes kbc_look_up(kbc_lanes table, kbc_lanes indices)
{
    return _mm512_permutexvar_epi8(indices, table);
}

KBC_INLINE kbc_lanes kbc_low_nibbles(kbc_lanes v)
{
    return v;
}

KBC_INLINE kbc_lanes kbc_high_nibbles(kbc_lanes v)
{
    return _mm512_srli_epi16(v, 4);
}

#else

KBC_INLINE kbc_lanes kbc_look_up(kbc_lanes table, kbc_lanes indices)
{
    return _mm512_shuffle_epi8(table, indices);
}

KBC_INLINE kbc_lanes kbc_low_nibbles(kbc_lanes v)
{
    return _mm512_and_si512(v, _mm512_set1_epi8(15));
}

KBC_INLINE kbc_lanes kbc_high_nibbles(kbc_lanes v)
{
    return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(15));
}

#endif

KBC_INLINE kbc_lanes kbc_add(kbc_lanes a, kbc_lanes b)
{
    return _mm512_add_epi8(a, b);
}

KBC_INLINE kbc_sums kbc_widen(kbc_sums sums, kbc_lanes bytes)
{
    const __m512i zero = _mm512_setzero_si512();

    sums.low = _mm512_add_epi16(sums.low, _mm512_unpacklo_epi8(bytes, zero));
    sums.high = _mm512_add_epi16(sums.high, _mm512_unpackhi_epi8(bytes, zero));
    return sums;
}

KBC_INLINE kbc_sums kbc_widen_both(kbc_sums sums, kbc_lanes low, kbc_lanes high)
{
    const __m512i weights = _mm512_set1_epi16(32 << 8 | 1);

    sums.low = _mm512_add_epi16(
        sums.low, _mm512_maddubs_epi16(_mm512_unpacklo_epi8(low, high), weights));
    sums.high = _mm512_add_epi16(
        sums.high, _mm512_maddubs_epi16(_mm512_unpackhi_epi8(low, high), weights));
    return sums;
}

/* The outputs of 16 bytes: they lie together. */
#define KBC_ADD_8(to, sums, part)                                                                \
    _mm256_storeu_si256(                                                                         \
        (__m256i *)(void *)(to),                                                                 \
        _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(to)),                \
                         _mm256_cvtepu16_epi32(_mm512_extracti32x4_epi32((sums), (part)))))

KBC_INLINE void kbc_store_sums(uint32_t *to, kbc_sums sums)
{
    KBC_ADD_8(to, sums.low, 0);
    KBC_ADD_8(to + 8, sums.high, 0);
    KBC_ADD_8(to + 16, sums.low, 1);
    KBC_ADD_8(to + 24, sums.high, 1);
    KBC_ADD_8(to + 32, sums.low, 2);
    KBC_ADD_8(to + 40, sums.high, 2);
    KBC_ADD_8(to + 48, sums.low, 3);
    KBC_ADD_8(to + 56, sums.high, 3);
}

#include "bytes_x86.h"
#include "requantize_x86.h"

#endif /* KBC_LANES_H */
