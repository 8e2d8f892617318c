/* Look-ups that are added to accumulators in memory, one table for many filters.
 *
 * The floor: a load of the byte, its address, a load of the entry, one of the accumulators, four
 * additions, a store. That is 9 instructions for 8 n multiply-accumulates on ARMv7-M, which loads
 * and stores four words at once, and 13 on ARMv6-M, which has registers for two. Ternary weights
 * look up twice, 16 and 24.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_OCTET_ADD_H
#define KBC_OCTET_ADD_H

#include "octet_tables.h"

#if KBC_OCTET_TERNARY

/* acc[f] += table[w[2 f]] - table[w[2 f + 1]] for f < n, a multiple of 4. */
KBC_OCTET_ALONE static void kbc_octet_add(kbc_octet *acc, const uint8_t *w, const kbc_octet *table, int32_t n)
{
    const kbc_octet *const end = acc + n;

#if defined(KBC_OCTET_THUMB2)
    uint32_t i;
    __asm__ volatile("1:\n\t"
                     ".rept 4\n\t"
                     "ldrb %[i], [%[w]], #1\n\t"
                     "ldm %[acc], {r4-r6, r8}\n\t"
                     "add %[i], %[table], %[i], lsl #4\n\t"
                     "ldm %[i], {r9, r10, r12, lr}\n\t"
                     "add r4, r9\n\t"
                     "add r5, r10\n\t"
                     "add r6, r12\n\t"
                     "add r8, lr\n\t"
                     "ldrb %[i], [%[w]], #1\n\t"
                     "add %[i], %[table], %[i], lsl #4\n\t"
                     "ldm %[i], {r9, r10, r12, lr}\n\t"
                     "sub r4, r9\n\t"
                     "sub r5, r10\n\t"
                     "sub r6, r12\n\t"
                     "sub r8, lr\n\t"
                     "stm %[acc]!, {r4-r6, r8}\n\t"
                     ".endr\n\t"
                     "cmp %[acc], %[end]\n\t"
                     "bne 1b"
                     : [acc] "+&r"(acc), [w] "+&r"(w), [i] "=&r"(i)
                     : [table] "r"(table), [end] "r"(end)
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
#elif defined(KBC_OCTET_THUMB1)
    register const kbc_octet *t __asm__("r4") = table;
    register const kbc_octet *stop __asm__("r5") = end;
    const kbc_octet *from = acc;
    uint32_t i;
#define KBC_LOOK_UP(plus, minus)                  \
    "mov r6, r10\n\t"                             \
    "ldrb %[i], [r6, #" #plus "]\n\t"             \
    "ldrb %[w], [r6, #" #minus "]\n\t"            \
    "lsl %[i], %[i], #4\n\t"                      \
    "lsl %[w], %[w], #4\n\t"                      \
    "add %[i], r8\n\t"                            \
    "add %[w], r8\n\t"                            \
    ".rept 2\n\t"                                 \
    "ldm %[from]!, {r4, r5}\n\t"                  \
    "ldm %[i]!, {r6, r7}\n\t"                     \
    "add r4, r6\n\t"                              \
    "add r5, r7\n\t"                              \
    "ldm %[w]!, {r6, r7}\n\t"                     \
    "sub r4, r6\n\t"                              \
    "sub r5, r7\n\t"                              \
    "stm %[acc]!, {r4, r5}\n\t"                   \
    ".endr\n\t"
    __asm__ volatile("mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, %[w]\n"
                     "1:\n\t" KBC_LOOK_UP(0, 1) KBC_LOOK_UP(2, 3) KBC_LOOK_UP(4, 5)
                     KBC_LOOK_UP(6, 7)
                     "mov r6, #8\n\t"
                     "add r10, r6\n\t"
                     "cmp %[acc], r9\n\t"
                     "bne 1b"
                     : [acc] "+&l"(acc), [from] "+&l"(from), [w] "+&l"(w), [i] "=&l"(i),
                       [t] "+&l"(t), [stop] "+&l"(stop)
                     :
                     : "r6", "r7", "r8", "r9", "r10", "cc", "memory");
#undef KBC_LOOK_UP
#else
    for (; acc < end; ++acc) {
        acc->word[0] += table[w[0]].word[0] - table[w[1]].word[0];
        acc->word[1] += table[w[0]].word[1] - table[w[1]].word[1];
        acc->word[2] += table[w[0]].word[2] - table[w[1]].word[2];
        acc->word[3] += table[w[0]].word[3] - table[w[1]].word[3];
        w += 2;
    }
#endif
}

#else

/* acc[f] += table[w[f]] for f < n, a multiple of 4. */
KBC_OCTET_ALONE static void kbc_octet_add(kbc_octet *acc, const uint8_t *w, const kbc_octet *table, int32_t n)
{
    const kbc_octet *const end = acc + n;

#if defined(KBC_OCTET_THUMB2)
    uint32_t i;
    __asm__ volatile("1:\n\t"
                     ".rept 4\n\t"
                     "ldrb %[i], [%[w]], #1\n\t"
                     "ldm %[acc], {r4-r6, r8}\n\t"
                     "add %[i], %[table], %[i], lsl #4\n\t"
                     "ldm %[i], {r9, r10, r12, lr}\n\t"
                     "add r4, r9\n\t"
                     "add r5, r10\n\t"
                     "add r6, r12\n\t"
                     "add r8, lr\n\t"
                     "stm %[acc]!, {r4-r6, r8}\n\t"
                     ".endr\n\t"
                     "cmp %[acc], %[end]\n\t"
                     "bne 1b"
                     : [acc] "+&r"(acc), [w] "+&r"(w), [i] "=&r"(i)
                     : [table] "r"(table), [end] "r"(end)
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
#elif defined(KBC_OCTET_THUMB1)
    register const kbc_octet *t __asm__("r4") = table;
    register const kbc_octet *stop __asm__("r5") = end;
    const kbc_octet *from = acc;
    uint32_t i;
#define KBC_LOOK_UP(number)                       \
    "ldrb %[i], [%[w], #" #number "]\n\t"         \
    "lsl %[i], %[i], #4\n\t"                      \
    "add %[i], r8\n\t"                            \
    ".rept 2\n\t"                                 \
    "ldm %[from]!, {r4, r5}\n\t"                  \
    "ldm %[i]!, {r6, r7}\n\t"                     \
    "add r4, r6\n\t"                              \
    "add r5, r7\n\t"                              \
    "stm %[acc]!, {r4, r5}\n\t"                   \
    ".endr\n\t"
    __asm__ volatile("mov r8, r4\n\t"
                     "mov r9, r5\n"
                     "1:\n\t" KBC_LOOK_UP(0) KBC_LOOK_UP(1) KBC_LOOK_UP(2) KBC_LOOK_UP(3)
                     "add %[w], #4\n\t"
                     "cmp %[acc], r9\n\t"
                     "bne 1b"
                     : [acc] "+&l"(acc), [from] "+&l"(from), [w] "+&l"(w), [i] "=&l"(i),
                       [t] "+&l"(t), [stop] "+&l"(stop)
                     :
                     : "r6", "r7", "r8", "r9", "cc", "memory");
#undef KBC_LOOK_UP
#else
    for (; acc < end; ++acc) {
        kbc_octet_sum(acc, acc, &table[*w++]);
    }
#endif
}


#endif /* KBC_OCTET_TERNARY */

#endif /* KBC_OCTET_ADD_H */
