/* Which instruction sets a compiler can make, and which of them this CPU runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CHOICE_H
#define KBC_CHOICE_H

#include "instruction_set.h"

#if defined(__GNUC__) && defined(__x86_64__)
#define KBC_X86_64 1
#else
#define KBC_X86_64 0
#endif

#if defined(__GNUC__) && defined(__aarch64__) && defined(__AARCH64EL__)
#define KBC_AARCH64 1
#else
#define KBC_AARCH64 0
#endif

extern const kbc_instruction_set kbc_avx2, kbc_avx512, kbc_avx512_icelake, kbc_neon;

/* The best that this CPU has; NULL for plain C. The environment's KERAS_BC_KERNELS may ask for one
 * by its name, or for "plain"; false where this CPU has none of that name. */
bool kbc_choose_instruction_set(const kbc_instruction_set **chosen);

#endif /* KBC_CHOICE_H */
