/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

/* The reference bears the op's own name. */
#define kbc_fully_connected_s8_reference kbc_fully_connected_s8
#define kbc_fully_connected_s8_reference_scratch kbc_fully_connected_s8_scratch
#define kbc_fully_connected_s8_ternary_reference kbc_fully_connected_s8_ternary
#define kbc_fully_connected_s8_ternary_reference_scratch kbc_fully_connected_s8_ternary_scratch
#define kbc_fully_connected_b1_reference kbc_fully_connected_b1
#define kbc_fully_connected_b1_reference_scratch kbc_fully_connected_b1_scratch
#define kbc_fully_connected_b1_ternary_reference kbc_fully_connected_b1_ternary
#define kbc_fully_connected_b1_ternary_reference_scratch kbc_fully_connected_b1_ternary_scratch
#define kbc_conv_2d_s8_reference kbc_conv_2d_s8
#define kbc_conv_2d_s8_reference_scratch kbc_conv_2d_s8_scratch
#define kbc_conv_2d_s8_ternary_reference kbc_conv_2d_s8_ternary
#define kbc_conv_2d_s8_ternary_reference_scratch kbc_conv_2d_s8_ternary_scratch
#define kbc_conv_2d_b1_reference kbc_conv_2d_b1
#define kbc_conv_2d_b1_reference_scratch kbc_conv_2d_b1_scratch
#define kbc_conv_2d_b1_ternary_reference kbc_conv_2d_b1_ternary
#define kbc_conv_2d_b1_ternary_reference_scratch kbc_conv_2d_b1_ternary_scratch

/* A row whose guard is 0 leaves nothing, not even a reference to its function. */
#define ROW_0(op, variant, layout)
#define ROW_1(op, variant, layout)                         \
    {#op, #variant, #layout, (kbc_any_function *)kbc_##op##_##variant, \
     (kbc_any_function *)kbc_##op##_##variant##_scratch},
#define ROW(guard) ROW_##guard
#define KBC_KERNEL(op, variant, layout, guard) ROW(guard)(op, variant, layout)

const kbc_kernel kbc_kernels[] = {
#include "kernels.def"
};

const int32_t kbc_kernel_count = sizeof kbc_kernels / sizeof kbc_kernels[0];

/* The second of its arguments, which is 1 for the layout `canonical` alone: only IS_canonical is
 * a macro. */
#define SECOND(first, second, ...) second
#define IS_canonical ~, 1
#define IS_CANONICAL(probe) SECOND(probe, 0, ~)
#define SELECT_0(guard) ROW_0
#define SELECT_1(guard) ROW(guard)
#define SELECT_(canonical, guard) SELECT_##canonical(guard)
#define SELECT(canonical, guard) SELECT_(canonical, guard)
#undef KBC_KERNEL
#define KBC_KERNEL(op, variant, layout, guard) \
    SELECT(IS_CANONICAL(IS_##layout), guard)(op, variant, layout)

const kbc_kernel kbc_canonical_kernels[] = {
#include "kernels.def"
};

const int32_t kbc_canonical_kernel_count =
    sizeof kbc_canonical_kernels / sizeof kbc_canonical_kernels[0];
