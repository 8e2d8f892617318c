/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#if KBC_AARCH64

#include "lanes_neon.h"
#include "lanes.h"

const kbc_instruction_set kbc_neon = KBC_INSTRUCTION_SET("neon");

#else
typedef int kbc_neon_is_of_another_cpu; /* C99 wants a declaration */
#endif
