/* 16 bytes in a register of x86-64: what the building of tables needs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_BYTES_H
#define KBC_BYTES_H

typedef __m128i kbc_bytes;

KBC_INLINE kbc_bytes kbc_load_bytes(const void *bytes)
{
    return _mm_loadu_si128((const __m128i *)bytes);
}

KBC_INLINE void kbc_store_bytes(uint8_t *to, kbc_bytes bytes)
{
    _mm_store_si128((__m128i *)(void *)to, bytes);
}

/* x[index], or 0 where the index is 128 */
KBC_INLINE kbc_bytes kbc_take(kbc_bytes x, kbc_bytes indices)
{
    return _mm_shuffle_epi8(x, indices);
}

KBC_INLINE kbc_bytes kbc_flip(kbc_bytes x, uint8_t bits)
{
    return _mm_xor_si128(x, _mm_set1_epi8((char)bits));
}

/* a + b of 16 bits */
KBC_INLINE kbc_bytes kbc_add_16(kbc_bytes a, kbc_bytes b)
{
    return _mm_add_epi16(a, b);
}

/* Of 8 and 8 numbers below 1024, of 16 bits: bits 0 to 4, and bits 5 to 9, as bytes. */
KBC_INLINE kbc_bytes kbc_low_bits(kbc_bytes a, kbc_bytes b)
{
    const __m128i mask = _mm_set1_epi16(31);

    return _mm_packus_epi16(_mm_and_si128(a, mask), _mm_and_si128(b, mask));
}

KBC_INLINE kbc_bytes kbc_high_bits(kbc_bytes a, kbc_bytes b)
{
    return _mm_packus_epi16(_mm_srli_epi16(a, 5), _mm_srli_epi16(b, 5));
}

/* Bytes 4 g to 4 g + 3 of a, and of b, in turn, for g of 0 and 1, or of 2 and 3. */
KBC_INLINE kbc_bytes kbc_zip_low(kbc_bytes a, kbc_bytes b)
{
    return _mm_unpacklo_epi32(a, b);
}

KBC_INLINE kbc_bytes kbc_zip_high(kbc_bytes a, kbc_bytes b)
{
    return _mm_unpackhi_epi32(a, b);
}

#endif /* KBC_BYTES_H */
