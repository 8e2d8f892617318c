/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#if KBC_X86_64

#include "lanes_avx512.h"
#include "lanes.h"

const kbc_instruction_set kbc_avx512 = KBC_INSTRUCTION_SET("avx512");

#else
typedef int kbc_avx512_is_of_another_cpu; /* C99 wants a declaration */
#endif
