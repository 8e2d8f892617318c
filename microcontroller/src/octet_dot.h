/* Look-ups that are added up in registers: all the weights of a filter, 4 bits a table.
 *
 * The floor on ARMv7-M: a bit field, its address, a load of the entry, four additions and the next
 * table, 8 instructions for 32 multiply-accumulates; on ARMv6-M 11.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_OCTET_DOT_H
#define KBC_OCTET_DOT_H

#include "octet_tables.h"

enum { KBC_NIBBLE = 4, KBC_NIBBLES = 16, KBC_WORD_TABLES = 8 };

#if defined(KBC_OCTET_THUMB2)
#define KBC_LOOK_UP(bit)                          \
    "ubfx %[i], %[w], #" #bit ", #4\n\t"          \
    "add %[i], %[t], %[i], lsl #4\n\t"            \
    "ldm %[i], {r9, r10, r12, lr}\n\t"            \
    "add %[t], #256\n\t"                          \
    "add r4, r9\n\t"                              \
    "add r5, r10\n\t"                             \
    "add r6, r12\n\t"                             \
    "add r8, lr\n\t"
#elif defined(KBC_OCTET_THUMB1)
#define KBC_LOOK_UP                               \
    "add r0, r8\n\t"                              \
    "ldm r0!, {r2, r3}\n\t"                       \
    "add r4, r2\n\t"                              \
    "add r5, r3\n\t"                              \
    "ldm r0!, {r2, r3}\n\t"                       \
    "add r6, r2\n\t"                              \
    "add r7, r3\n\t"                              \
    "add r8, r9\n\t"
#endif

/* to[f] = begin + sum_k table[k][bits 4 k of w[f]] for f < n. */
KBC_OCTET_ALONE static void kbc_octet_dots(kbc_octet *to, const uint32_t *w, int32_t words,
                                           const kbc_octet *tables, uint32_t begin, int32_t n)
{
    const uint32_t both = begin * 0x10001u;
    const kbc_octet *const stop = tables + words * KBC_WORD_TABLES * KBC_NIBBLES;

    for (const kbc_octet *end = to + n; to < end; ++to) {
        const kbc_octet *table = tables;
#if defined(KBC_OCTET_THUMB2)
        register uint32_t a __asm__("r4") = both;
        register uint32_t b __asm__("r5") = both;
        register uint32_t c __asm__("r6") = both;
        register uint32_t d __asm__("r8") = both;
        while (table < stop) {
            uint32_t i;
            __asm__(KBC_LOOK_UP(0) KBC_LOOK_UP(4) KBC_LOOK_UP(8) KBC_LOOK_UP(12) KBC_LOOK_UP(16)
                    KBC_LOOK_UP(20) KBC_LOOK_UP(24) KBC_LOOK_UP(28)
                    : "+r"(a), "+r"(b), "+r"(c), "+r"(d), [t] "+&r"(table), [i] "=&r"(i)
                    : [w] "r"(*w++)
                    : "r9", "r10", "r12", "lr", "cc", "memory");
        }
#elif defined(KBC_OCTET_THUMB1)
        register uint32_t a __asm__("r4") = both;
        register uint32_t b __asm__("r5") = both;
        register uint32_t c __asm__("r6") = both;
        register uint32_t d __asm__("r7") = both;
        while (table < stop) {
            register const kbc_octet *t __asm__("r0") = table;
            register uint32_t v __asm__("r1") = *w++;
            __asm__("mov r8, r0\n\t"
                    "mov r0, #240\n\t"
                    "mov r10, r0\n\t"
                    "lsl r2, r1, #4\n\t"
                    "and r0, r2\n\t"
                    "mov r2, #128\n\t"
                    "add r2, #128\n\t"
                    "mov r9, r2\n\t" KBC_LOOK_UP
                    ".rept 7\n\t"
                    "mov r0, r10\n\t"
                    "and r0, r1\n\t"
                    "lsr r1, #4\n\t" KBC_LOOK_UP
                    ".endr\n\t"
                    "mov r0, r8"
                    : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(t), "+r"(v)
                    :
                    : "r2", "r3", "r8", "r9", "r10", "cc", "memory");
            table = t;
        }
#else
        uint32_t a = both, b = both, c = both, d = both;
        while (table < stop) {
            const uint32_t v = *w++;
            for (int32_t bit = 0; bit < 32; bit += KBC_NIBBLE, table += KBC_NIBBLES) {
                const kbc_octet *entry = &table[v >> bit & 15];
                a += entry->word[0];
                b += entry->word[1];
                c += entry->word[2];
                d += entry->word[3];
            }
        }
#endif
        to->word[0] = a;
        to->word[1] = b;
        to->word[2] = c;
        to->word[3] = d;
    }
}

#endif /* KBC_OCTET_DOT_H */
