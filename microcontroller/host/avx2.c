/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#if KBC_X86_64

#include "lanes_avx2.h"

#include "tables.h"

#include "sums.h"

const kbc_instruction_set kbc_avx2 = KBC_INSTRUCTION_SET("avx2");

#else
typedef int nothing; /* C99 wants a declaration */
#endif
