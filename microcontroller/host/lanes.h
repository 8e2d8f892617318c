/* All functions of an instruction set, whose lanes were included before.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_LANES_FUNCTIONS_H
#define KBC_LANES_FUNCTIONS_H

#include "depthwise.h"
#include "pooling.h"
#include "sums.h"
#include "tables.h"

#define KBC_INSTRUCTION_SET(name)                                             \
    {                                                                         \
        name, KBC_LANES, tables_s8, tables_b1,                                \
        {                                                                     \
            {KBC_SHAPES_OF(sum_s8), KBC_SHAPES_OF(sum_s8_ternary)},           \
            {KBC_SHAPES_OF(sum_b1), KBC_SHAPES_OF(sum_b1_ternary)},           \
        },                                                                    \
        sum_depthwise, pool, take_back, finish_s8, finish_b1,                                \
    }

#endif /* KBC_LANES_FUNCTIONS_H */
