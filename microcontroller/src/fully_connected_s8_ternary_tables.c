/* Fully connected, ternary weights, int8 activations: by tables of partial sums.
 *
 * A byte holds 5 weights and looks their sum up (sums_of_5.h). Layout `fives`: byte j % 4 of word
 * j / 4 of an output is its weights 5 j to 5 j + 4, in columns.
 *
 * Instructions: 165 a table of 5 inputs, and 13 an output and 20 inputs on ARMv7-M; 211 and 18.75
 * on ARMv6-M.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_tables.h"
#include "sums_of_5.h"

int32_t kbc_fully_connected_s8_ternary_tables_scratch(const kbc_fully_connected_params *p)
{
    return kbc_fully_connected_tables_bytes(p);
}

kbc_status kbc_fully_connected_s8_ternary_tables(const kbc_fully_connected_params *p,
                                                 const void *x, const void *shortcut, void *y,
                                                 void *scratch)
{
    return kbc_fully_connected_tables(p, x, shortcut, y, scratch, kbc_sum_5, 5, KBC_BIAS_OF_5);
}
