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

#if defined(KBC_OCTET_THUMB1)
/* r0 and r3 the accumulators, r1 the weights, r8 the table, r9 the accumulators' end. */
#define KBC_ENTER                                          \
    ".syntax unified \n"                                   \
    "push {r4-r7, lr} \n"                                  \
    "mov r4, r8 \n mov r5, r9 \n mov r6, r10 \n"          \
    "push {r4-r6} \n"                                      \
    "mov r8, r2 \n"                                        \
    "lsls r3, r3, #4 \n adds r3, r3, r0 \n mov r9, r3 \n" \
    "mov r3, r0 \n"
#define KBC_LEAVE                                  \
    "pop {r4-r6} \n"                               \
    "mov r8, r4 \n mov r9, r5 \n mov r10, r6 \n"  \
    "pop {r4-r7, pc} \n"
#endif

#if KBC_OCTET_TERNARY

/* acc[f] += table[w[2 f]] - table[w[2 f + 1]] for f < n, a multiple of 4. */
#if defined(KBC_OCTET_THUMB1)

KBC_NAKED static void kbc_octet_add(kbc_octet *acc, const uint8_t *w, const kbc_octet *table,
                                    int32_t n)
{
#define KBC_LOOK_UP(plus, minus)    \
    "mov r6, r10 \n"                \
    "ldrb r2, [r6, #" #plus "] \n"  \
    "ldrb r1, [r6, #" #minus "] \n" \
    "lsls r2, r2, #4 \n"            \
    "lsls r1, r1, #4 \n"            \
    "add r2, r8 \n"                 \
    "add r1, r8 \n"                 \
    ".rept 2 \n"                    \
    "ldm r3!, {r4, r5} \n"          \
    "ldm r2!, {r6, r7} \n"          \
    "adds r4, r4, r6 \n"            \
    "adds r5, r5, r7 \n"            \
    "ldm r1!, {r6, r7} \n"          \
    "subs r4, r4, r6 \n"            \
    "subs r5, r5, r7 \n"            \
    "stm r0!, {r4, r5} \n"          \
    ".endr \n"
    __asm__(KBC_ENTER
            "mov r10, r1 \n"
            "1: \n" KBC_LOOK_UP(0, 1) KBC_LOOK_UP(2, 3) KBC_LOOK_UP(4, 5) KBC_LOOK_UP(6, 7)
            "movs r6, #8 \n"
            "add r10, r6 \n"
            "cmp r0, r9 \n"
            "bne 1b \n" KBC_LEAVE);
#undef KBC_LOOK_UP
}

#else

KBC_OCTET_ALONE static void kbc_octet_add(kbc_octet *acc, const uint8_t *w,
                                          const kbc_octet *table, int32_t n)
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

#endif

#else

/* acc[f] += table[w[f]] for f < n, a multiple of 4. */
#if defined(KBC_OCTET_THUMB1)

KBC_NAKED static void kbc_octet_add(kbc_octet *acc, const uint8_t *w, const kbc_octet *table,
                                    int32_t n)
{
#define KBC_LOOK_UP(number)          \
    "ldrb r2, [r1, #" #number "] \n" \
    "lsls r2, r2, #4 \n"             \
    "add r2, r8 \n"                  \
    ".rept 2 \n"                     \
    "ldm r3!, {r4, r5} \n"           \
    "ldm r2!, {r6, r7} \n"           \
    "adds r4, r4, r6 \n"             \
    "adds r5, r5, r7 \n"             \
    "stm r0!, {r4, r5} \n"           \
    ".endr \n"
    __asm__(KBC_ENTER
            "1: \n" KBC_LOOK_UP(0) KBC_LOOK_UP(1) KBC_LOOK_UP(2) KBC_LOOK_UP(3)
            "adds r1, #4 \n"
            "cmp r0, r9 \n"
            "bne 1b \n" KBC_LEAVE);
#undef KBC_LOOK_UP
}

#else

KBC_OCTET_ALONE static void kbc_octet_add(kbc_octet *acc, const uint8_t *w,
                                          const kbc_octet *table, int32_t n)
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
#else
    for (; acc < end; ++acc) {
        kbc_octet_sum(acc, acc, &table[*w++]);
    }
#endif
}

#endif

#endif /* KBC_OCTET_TERNARY */

#endif /* KBC_OCTET_ADD_H */
