/* Which inner loops are written for Arm's Thumb instruction set, beside their twins in C: where the
 * compiler runs out of registers, or moves words one by one that LDM and STM move together.
 *
 * KBC_THUMB is 1 on ARMv6-M (8 registers for most instructions), 2 on ARMv7-M and its successors,
 * and 0 elsewhere: Clang takes fewer registers from inline assembly than GCC, and other notations.
 * It may be defined as 0 to have the C compiled.
 *
 * Such a function is naked: the assembly is all of it, and it keeps to the calling convention.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_THUMB_H
#define KBC_THUMB_H

#ifndef KBC_THUMB
#if !defined(__GNUC__) || defined(__clang__) || defined(__ARM_BIG_ENDIAN)
#define KBC_THUMB 0
#elif !defined(__ARM_ARCH_PROFILE)
#define KBC_THUMB 0
#elif __ARM_ARCH_PROFILE != 'M'
#define KBC_THUMB 0
#elif defined(__thumb2__)
#define KBC_THUMB 2
#else
#define KBC_THUMB 1
#endif
#endif

#if KBC_THUMB
#define KBC_NAKED __attribute__((naked, noinline, unused))
#pragma GCC diagnostic ignored "-Wunused-parameter" /* assembly uses them unseen */
#endif

#endif /* KBC_THUMB_H */
