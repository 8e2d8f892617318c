/* Prints for each op that multiplies whether the host has a faster way than plain C: 1 or 0. */
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

enum { CHANNELS = 40, SIZE = 6, WORDS = 9 * 2 * CHANNELS };

static const uint32_t weights[WORDS];
static const kbc_channel channels[CHANNELS];
static const kbc_finish finish = {kbc_finish_s8, channels, CHANNELS, {0, -128, 127}, {0}};

static kbc_conv_2d_params image(int32_t groups)
{
    return (kbc_conv_2d_params){
        .batch = 1,
        .in_height = SIZE,
        .in_width = SIZE,
        .in_channels = CHANNELS,
        .conv_height = SIZE - 2,
        .conv_width = SIZE - 2,
        .out_height = SIZE - 2,
        .out_width = SIZE - 2,
        .out_channels = CHANNELS,
        .groups = groups,
        .input_dilation_height = 1,
        .input_dilation_width = 1,
        .kernel = {.height = 3, .width = 3, .stride_height = 1, .stride_width = 1,
                   .dilation_height = 1, .dilation_width = 1},
        .pool = {.height = 1, .width = 1, .stride_height = 1, .stride_width = 1,
                 .dilation_height = 1, .dilation_width = 1},
        .weights = weights,
        .finish = finish,
    };
}

static int is_fast(const kbc_host *host, const kbc_op *op, int32_t groups)
{
    kbc_node node;
    kbc_layer layer = {0};

    kbc_clear_node(&node, op);
    node.inputs[KBC_X] = (kbc_tensor){.number = 0, .type = KBC_INT8, .rank = 4};
    node.inputs[KBC_WEIGHTS] = (kbc_tensor){.number = 1, .type = KBC_INT32, .rank = 2};
    if (op == &kbc_op_fully_connected) {
        node.call.params.fully_connected = (kbc_fully_connected_params){
            .rows = 1,
            .in_features = CHANNELS,
            .out_features = CHANNELS,
            .weights = weights,
            .finish = finish,
        };
    } else {
        node.call.params.conv_2d = image(groups);
    }
    const int fast = kbc_host_prepare(host, &node, 1, &layer);
    kbc_layer_free(&layer);
    return fast;
}

int main(void)
{
    kbc_host host = {NULL, kbc_pool_new()};

    if (!kbc_choose_instruction_set(&host.set)) {
        return EXIT_FAILURE;
    }
    printf("%d %d %d %d\n", is_fast(&host, &kbc_op_fully_connected, 1),
           is_fast(&host, &kbc_op_conv_2d, 1), is_fast(&host, &kbc_op_conv_2d, CHANNELS),
           is_fast(&host, &kbc_op_depthwise_conv_2d, CHANNELS));
    kbc_pool_free(host.pool);
    return EXIT_SUCCESS;
}
