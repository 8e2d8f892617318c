/* AVX-512 as Ice Lake and Zen 4 have it: it permutes bytes of a whole register (VBMI), and counts
 * the ones of words (VPOPCNTDQ).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "choice.h"

#if KBC_X86_64

#define KBC_VBMI 1
#define KBC_WORD_LANES 16
#define KBC_FEATURES "avx512f,avx512bw,avx512vbmi,avx512vpopcntdq,avx2"

#include "lanes_avx512.h"
#include "words_avx512.h"
#include "lanes.h"

const kbc_instruction_set kbc_avx512_icelake = KBC_INSTRUCTION_SET("avx512_icelake");

#else
typedef int kbc_avx512_icelake_is_of_another_cpu; /* C99 wants a declaration */
#endif
