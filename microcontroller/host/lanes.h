/* All functions of an instruction set, whose lanes were included before.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_LANES_FUNCTIONS_H
#define KBC_LANES_FUNCTIONS_H

/* Outputs of a register that counts the ones of words. */
#ifndef KBC_WORD_LANES
#define KBC_WORD_LANES 0
#endif

#include "depthwise.h"
#include "pooling.h"
#include "sums.h"
#include "tables.h"
#if KBC_WORD_LANES
#include "counts.h"
#else
#define KBC_BIT_SHAPES_OF KBC_SHAPES_OF
#endif

#define KBC_INSTRUCTION_SET(name)                                             \
    {                                                                         \
        name, KBC_LANES, KBC_WORD_LANES, tables_s8, tables_b1,                \
        {                                                                     \
            {KBC_SHAPES_OF(sum_s8), KBC_SHAPES_OF(sum_s8_ternary)},           \
            {KBC_BIT_SHAPES_OF(sum_b1), KBC_BIT_SHAPES_OF(sum_b1_ternary)},   \
        },                                                                    \
        sum_depthwise, pool, take_back, finish_s8, finish_b1,                                \
    }

#endif /* KBC_LANES_FUNCTIONS_H */
