/* From accumulators to int8 by vectors (MVE): 17 instructions for 4 outputs.
 *
 * Of the 64-bit product they need the high word alone, h = floor(product / 2^32): where shift > 32
 * no bit below it can change
 *
 *     floor((product + 2^(shift - 1)) / 2^shift) = floor((h + 2^(shift - 33)) / 2^(shift - 32))
 *
 * A smaller shift becomes 33, and the accumulator moves to the left for it, where it may saturate:
 * with a multiplier of 2^30 or more such an output lies far beyond its bounds anyway.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FINISH_S8_MVE_H
#define KBC_FINISH_S8_MVE_H

#include "kbc/kbc.h"

#if KBC_HAS_MVE

static void finish(int8_t *out, const int32_t *acc, const kbc_channel *channels, int32_t count,
                   const kbc_output *output)
{
    static const uint32_t rows[4] = {0, 12, 24, 36};

    __asm__ volatile("vldrw.u32 q0, [%[rows]]\n"
                     "vadd.i32 q0, q0, %[before]\n"
                     "vdup.32 q5, %[min]\n"
                     "vdup.32 q6, %[max]\n"
                     "vmov.i32 q7, #32\n"
                     "dlstp.32 lr, %[count]\n"
                     "1:\n"
                     "vldrw.u32 q2, [q0, #48]!\n"
                     "vldrw.u32 q1, [%[acc]], #16\n"
                     "vadd.i32 q1, q1, q2\n" /* + bias */
                     "vldrw.u32 q3, [q0, #8]\n"
                     "vsub.i32 q3, q7, q3\n"
                     "vmvn.i32 q2, #0\n"
                     "vmin.s32 q4, q3, q2\n" /* 32 - shift, or -1 */
                     "vsub.i32 q3, q3, q4\n" /* how far to the left */
                     "vqshl.s32 q1, q1, q3\n"
                     "vldrw.u32 q2, [q0, #4]\n"
                     "vmulh.s32 q1, q1, q2\n"
                     "vrshl.s32 q1, q1, q4\n"
                     "vadd.i32 q1, q1, %[zero]\n"
                     "vmax.s32 q1, q1, q5\n"
                     "vmin.s32 q1, q1, q6\n"
                     "vstrb.32 q1, [%[out]], #4\n"
                     "letp lr, 1b\n"
                     : [out] "+l"(out), [acc] "+r"(acc)
                     : [rows] "r"(rows), [before] "r"((const char *)channels - 48),
                       [count] "r"(count), [zero] "r"(output->zero_point),
                       [min] "r"(output->min), [max] "r"(output->max)
                     : "memory", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");
}

#endif

#endif /* KBC_FINISH_S8_MVE_H */
