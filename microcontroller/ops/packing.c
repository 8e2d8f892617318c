/* KbcPack: int8 or float32 x [..., c] -> bits y [..., words]. KbcUnpack is the way back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "node.h"

/* Bits on one side, and all axes of x but the last; `*rows` is how many pixels these have. */
static bool prepare_rows(const kbc_node *node, bool packs, int *shape, int32_t *rows)
{
    const kbc_tensor *x = kbc_input(node, KBC_X), *y = kbc_output_of(node);

    if (!kbc_check_common(node) ||
        !kbc_check_type(node, packs ? y : x, packs ? "the output" : "the input", KBC_INT32)) {
        return false;
    }
    if (kbc_is_bits(packs ? x : y)) {
        return kbc_refuse(node, "its input and its output are bits");
    }
    *rows = 1;
    for (int i = 0; i < x->rank - 1; ++i) {
        shape[i] = x->shape[i];
        *rows *= x->shape[i];
    }
    return true;
}

static bool prepare_pack(kbc_node *node)
{
    kbc_pack_params *p = &node->call.params.pack;
    int shape[KBC_MAX_RANK];

    if (!prepare_rows(node, true, shape, &p->rows)) {
        return false;
    }
    const kbc_tensor *x = kbc_input(node, KBC_X);
    const int rank = x->rank;
    p->channels = x->shape[rank - 1];
    p->zero_point = (int8_t)x->zero_point;
    node->call.kernel =
        (kbc_any_function *)(x->type == KBC_FLOAT32 ? kbc_pack_f32 : kbc_pack);
    shape[rank - 1] = (p->channels + 31) / 32;
    return kbc_shape_output(node, rank, shape);
}

static bool prepare_unpack(kbc_node *node)
{
    kbc_unpack_params *p = &node->call.params.unpack;
    int32_t positive, negative;
    int shape[KBC_MAX_RANK];

    if (!prepare_rows(node, false, shape, &p->rows) ||
        !kbc_option(node, "positive", INT8_MIN, INT8_MAX, &positive) ||
        !kbc_option(node, "negative", INT8_MIN, INT8_MAX, &negative)) {
        return false;
    }
    const kbc_tensor *x = kbc_input(node, KBC_X), *y = kbc_output_of(node);
    const int words = x->shape[x->rank - 1];
    p->channels = shape[x->rank - 1] = y->shape[y->rank - 1];
    p->positive = (int8_t)positive;
    p->negative = (int8_t)negative;
    node->call.kernel =
        (kbc_any_function *)(y->type == KBC_FLOAT32 ? kbc_unpack_f32 : kbc_unpack);
    if ((p->channels + 31) / 32 != words) {
        return kbc_refuse(node, "%ld channels are not in words of %d", (long)p->channels, words);
    }
    return kbc_shape_output(node, x->rank, shape);
}

static kbc_status invoke_pack(const kbc_call *call, const void *x, const void *shortcut, void *y,
                              void *scratch)
{
    (void)shortcut, (void)scratch;
    return ((kbc_pack_function *)call->kernel)(&call->params.pack, x, y);
}

static kbc_status invoke_unpack(const kbc_call *call, const void *x, const void *shortcut,
                                void *y, void *scratch)
{
    (void)shortcut, (void)scratch;
    return ((kbc_unpack_function *)call->kernel)(&call->params.unpack, x, y);
}

const kbc_op kbc_op_pack = {"KbcPack", 1, 1, prepare_pack, invoke_pack};
const kbc_op kbc_op_unpack = {"KbcUnpack", 1, 1, prepare_unpack, invoke_unpack};
