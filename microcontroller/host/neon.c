/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#if KBC_AARCH64

#include "lanes_neon.h"

#include "tables.h"

#include "sums.h"

const kbc_instruction_set kbc_neon = KBC_INSTRUCTION_SET("neon");

#else
typedef int nothing; /* C99 wants a declaration */
#endif
