/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#if KBC_X86_64

#include "lanes_avx2.h"
#include "lanes.h"

const kbc_instruction_set kbc_avx2 = KBC_INSTRUCTION_SET("avx2");

#else
typedef int kbc_avx2_is_of_another_cpu; /* C99 wants a declaration */
#endif
