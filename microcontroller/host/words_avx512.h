/* 16 words side by side in a register of AVX-512, whose ones it counts (VPOPCNTDQ).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_WORDS_H
#define KBC_WORDS_H

#include "lanes_avx512.h"

KBC_INLINE kbc_lanes kbc_word(uint32_t word)
{
    return _mm512_set1_epi32((int)word);
}

KBC_INLINE kbc_lanes kbc_add_words(kbc_lanes a, kbc_lanes b)
{
    return _mm512_add_epi32(a, b);
}

/* How many of the mask's bits are the same in both, by word: 0x82 is ~(w ^ x) & mask. */
KBC_INLINE kbc_lanes kbc_agreements(kbc_lanes w, kbc_lanes x, kbc_lanes mask)
{
    return _mm512_popcnt_epi32(_mm512_ternarylogic_epi32(w, x, mask, 0x82));
}

KBC_INLINE void kbc_store_words(uint32_t *to, kbc_lanes words)
{
    _mm512_storeu_si512(to, words);
}

#endif /* KBC_WORDS_H */
