/* Fully connected, one-bit weights, int8 activations: by tables of partial sums.
 *
 * 8 inputs meet each of their 2^8 sign patterns in many outputs; a byte of weights looks their
 * signed sum up. Layout `columns`.
 *
 * Instructions: 176 a table of 8 inputs, and 13 an output and 32 inputs on ARMv7-M; 222 and 18.75
 * on ARMv6-M. With few outputs smaller tables take less: fully_connected_s8_nibbles.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fully_connected_tables.h"
#include "sums_of_8.h"

int32_t kbc_fully_connected_s8_tables_scratch(const kbc_fully_connected_params *p)
{
    return kbc_fully_connected_tables_bytes(p);
}

kbc_status kbc_fully_connected_s8_tables(const kbc_fully_connected_params *p, const void *x,
                                         const void *shortcut, void *y, void *scratch)
{
    return kbc_fully_connected_tables(p, x, shortcut, y, scratch, kbc_sum_8, 8, KBC_BIAS_OF_8);
}
