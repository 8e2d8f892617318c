/* From accumulators to bits: a threshold for each channel.
 *
 * Vectors take 10 instructions for 4 outputs. With d = 0 or -1 by the direction, a bit is 1 where
 * (acc ^ d) < (threshold ^ d), for ~ turns the order round and cannot overflow.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "one_bit.h"

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

#else

static uint32_t word_of(const int32_t *acc, const kbc_threshold *t, int32_t count)
{
    uint32_t word = 0;

    for (int32_t i = 0; i < count; ++i) {
        const int negative = t[i].direction > 0 ? acc[i] < t[i].threshold : acc[i] > t[i].threshold;
        word |= (uint32_t)negative << i;
    }
    return word;
}

#endif

void kbc_finish_b1(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                   int32_t count, const void *shortcut, void *y)
{
    const kbc_threshold *t = (const kbc_threshold *)f->channels + channel;

    (void)shortcut;
    ((uint32_t *)y)[pixel * kbc_words(f->size) + channel / 32] = word_of(sums, t, count);
}
