/* Fully connected, ternary weights, one-bit inputs: by the CPU's own popcount.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_popcount.h"

int32_t kbc_fully_connected_b1_ternary_popcount_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return 0;
}

KBC_NOINLINE static void sum_8(int32_t *sums, const uint32_t *w, int32_t outs, const uint32_t *x,
                               int32_t words)
{
    kbc_sum_differences_8(sums, w, outs, x, words, 2);
}

kbc_status kbc_fully_connected_b1_ternary_popcount(const kbc_fully_connected_params *p,
                                                   const void *x, const void *shortcut, void *y,
                                                   void *scratch)
{
    (void)scratch;
    return kbc_fully_connected_popcount(p, x, shortcut, y, 2, sum_8);
}
