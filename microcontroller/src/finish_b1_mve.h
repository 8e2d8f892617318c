/* From accumulators to bits by vectors (MVE): 10 instructions for 4 outputs.
 *
 * With d = 0 or -1 by the direction, a bit is 1 where (acc ^ d) < (threshold ^ d), for ~ turns the
 * order round and cannot overflow.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FINISH_B1_MVE_H
#define KBC_FINISH_B1_MVE_H

#include "kbc/kbc.h"

#if KBC_HAS_MVE

static uint32_t word_of(const int32_t *acc, const kbc_threshold *t, int32_t count)
{
    static const uint32_t rows[4] = {0, 8, 16, 24}, bits[4] = {1, 2, 4, 8};
    uint32_t word = 0;

    __asm__ volatile("vldrw.u32 q0, [%[rows]]\n"
                     "vadd.i32 q0, q0, %[before]\n"
                     "vldrw.u32 q4, [%[bits]]\n"
                     "dlstp.32 lr, %[count]\n"
                     "1:\n"
                     "vldrw.u32 q1, [%[acc]], #16\n"
                     "vldrw.u32 q2, [q0, #32]!\n"
                     "vldrw.u32 q3, [q0, #4]\n"
                     "vshr.s32 q3, q3, #31\n"
                     "veor q1, q1, q3\n"
                     "veor q2, q2, q3\n"
                     "vpt.s32 lt, q1, q2\n"
                     "vaddvat.u32 %[word], q4\n"
                     "vshl.i32 q4, q4, #4\n"
                     "letp lr, 1b\n"
                     : [word] "+Te"(word), [acc] "+r"(acc)
                     : [rows] "r"(rows), [bits] "r"(bits), [before] "r"((const char *)t - 32),
                       [count] "r"(count)
                     : "memory", "cc", "lr", "q0", "q1", "q2", "q3", "q4");
    return word;
}

#endif

#endif /* KBC_FINISH_B1_MVE_H */
