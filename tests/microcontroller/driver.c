/* Runs kernels on cases from stdin, and writes their outputs to stdout.
 *
 * A case: op and variant, 32 characters each; the bytes of weights, channels, x, shortcut and y,
 * and the number of parameters, int32 each; the parameters, int32 in the order of kbc.h without
 * pointers; weights; channels; x; shortcut. Channels of two numbers are thresholds, of five those
 * of floats. Every buffer is allocated to the byte, scratch too, so that the address sanitizer sees
 * each access outside of one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

typedef struct {
    char op[32], variant[32];
    int32_t weights_bytes, channels_bytes, x_bytes, shortcut_bytes, y_bytes, param_count;
} case_header;

typedef struct {
    void *weights, *channels;
    int32_t channel_bytes;
    int8_t *x, *shortcut, *y;
    const int32_t *param; /* the next one */
} test_case;

#define BUILTIN(op)                                      \
    {#op, "builtin", "", (kbc_any_function *)kbc_##op, \
     (kbc_any_function *)kbc_##op##_scratch}
#define BUILTIN_WITHOUT_SCRATCH(op) {#op, "builtin", "", (kbc_any_function *)kbc_##op, NULL}

static const kbc_kernel builtins[] = {
    BUILTIN(int8_fully_connected),
    BUILTIN(int8_conv_2d),
    BUILTIN(int8_depthwise_conv_2d),
    BUILTIN(int8_grouped_conv_2d),
    BUILTIN_WITHOUT_SCRATCH(int8_max_pool_2d),
    BUILTIN_WITHOUT_SCRATCH(int8_average_pool_2d),
    BUILTIN_WITHOUT_SCRATCH(int8_pad_2d),
    BUILTIN_WITHOUT_SCRATCH(int8_softmax),
};

static void fail(const char *message, const char *detail)
{
    fprintf(stderr, "driver: %s %s\n", message, detail);
    exit(1);
}

static void *garbage(int32_t bytes)
{
    void *memory = malloc((size_t)bytes);
    if (memory == NULL && bytes > 0) {
        fail("out of memory", "");
    }
    return bytes > 0 ? memset(memory, 0xa5, (size_t)bytes) : memory;
}

static void *read_block(int32_t bytes)
{
    void *memory = garbage(bytes);
    if (bytes > 0 && fread(memory, (size_t)bytes, 1, stdin) != 1) {
        fail("a case ends early", "");
    }
    return memory;
}

static kbc_window read_window(test_case *c)
{
    kbc_window window;
    memcpy(&window, c->param, sizeof window);
    c->param += sizeof window / sizeof(int32_t);
    return window;
}

static kbc_output read_output(test_case *c)
{
    const kbc_output output = {c->param[0], c->param[1], c->param[2]};
    c->param += 3;
    return output;
}

/* The output, and where a tensor is added to it 3 parameters more. */
static kbc_finish read_finish(const kbc_kernel *kernel, test_case *c, int32_t size)
{
    const bool builtin = strcmp(kernel->variant, "builtin") == 0;
    kbc_finish finish = {.function = builtin ? kbc_finish_int8 : kbc_finish_s8,
                         .channels = c->channels,
                         .size = size,
                         .output = read_output(c)};
    if (c->channel_bytes == 8 * size) {
        finish.function = kbc_finish_b1;
    } else if (c->channel_bytes == 20 * size) {
        finish.function = kbc_finish_f32;
    } else if (c->shortcut != NULL) {
        finish.function = kbc_finish_s8_shortcut;
        finish.shortcut = (kbc_shortcut){c->param[0], c->param[1], c->param[2]};
        c->param += 3;
    }
    return finish;
}

static kbc_status run_fully_connected(const kbc_kernel *kernel, test_case *c)
{
    kbc_fully_connected_params p = {.rows = c->param[0],
                                    .in_features = c->param[1],
                                    .out_features = c->param[2],
                                    .input_zero_point = c->param[3],
                                    .weights = c->weights};
    c->param += 4;
    p.finish = read_finish(kernel, c, p.out_features);
    kbc_fully_connected_scratch_function *scratch_bytes =
        (kbc_fully_connected_scratch_function *)kernel->scratch;
    kbc_fully_connected_function *run = (kbc_fully_connected_function *)kernel->function;
    void *scratch = garbage(scratch_bytes(&p));
    const kbc_status status = run(&p, c->x, c->shortcut, c->y, scratch);
    free(scratch);
    return status;
}

static kbc_status run_conv_2d(const kbc_kernel *kernel, test_case *c)
{
    kbc_conv_2d_params p;
    memset(&p, 0, sizeof p);
    int32_t *fields[] = {&p.batch,
                         &p.in_height,
                         &p.in_width,
                         &p.in_channels,
                         &p.conv_height,
                         &p.conv_width,
                         &p.out_height,
                         &p.out_width,
                         &p.out_channels,
                         &p.groups,
                         &p.input_dilation_height,
                         &p.input_dilation_width,
                         &p.input_zero_point};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i) {
        *fields[i] = *c->param++;
    }
    p.kernel = read_window(c);
    p.pool = read_window(c);
    p.weights = c->weights;
    p.finish = read_finish(kernel, c, p.out_channels);

    kbc_conv_2d_scratch_function *scratch_bytes = (kbc_conv_2d_scratch_function *)kernel->scratch;
    kbc_conv_2d_function *run = (kbc_conv_2d_function *)kernel->function;
    void *scratch = garbage(scratch_bytes(&p));
    const kbc_status status = run(&p, c->x, c->shortcut, c->y, scratch);
    free(scratch);
    return status;
}

static kbc_status run_pool_2d(const kbc_kernel *kernel, test_case *c)
{
    const int32_t *v = c->param;
    kbc_pool_2d_params p = {.batch = v[0],
                            .in_height = v[1],
                            .in_width = v[2],
                            .channels = v[3],
                            .out_height = v[4],
                            .out_width = v[5]};
    c->param += 6;
    p.window = read_window(c);
    p.output = read_output(c);
    return ((kbc_status(*)(const kbc_pool_2d_params *, const int8_t *, int8_t *))kernel->function)(
        &p, c->x, c->y);
}

static kbc_status run_pad_2d(const kbc_kernel *kernel, test_case *c)
{
    const int32_t *v = c->param;
    const kbc_pad_2d_params p = {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], (int8_t)v[8]};
    return ((kbc_status(*)(const kbc_pad_2d_params *, const int8_t *, int8_t *))kernel->function)(
        &p, c->x, c->y);
}

static kbc_status run_softmax(const kbc_kernel *kernel, test_case *c)
{
    const kbc_softmax_params p = {c->param[0], c->param[1], c->weights};
    return ((kbc_status(*)(const kbc_softmax_params *, const int8_t *, int8_t *))kernel->function)(
        &p, c->x, c->y);
}

/* What the name of an op ends with, or nearly, says which parameters it takes. */
static const struct {
    const char *part;
    kbc_status (*run)(const kbc_kernel *kernel, test_case *c);
} families[] = {
    {"fully_connected", run_fully_connected}, {"conv_2d", run_conv_2d}, {"pool_2d", run_pool_2d},
    {"pad_2d", run_pad_2d},                   {"softmax", run_softmax},
};

static kbc_status run(const kbc_kernel *kernel, test_case *c)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; ++i) {
        if (strstr(kernel->op, families[i].part) != NULL) {
            return families[i].run(kernel, c);
        }
    }
    fail("no parameters are known for", kernel->op);
    return KBC_INVALID;
}

static const kbc_kernel *find_in(const kbc_kernel *kernels, int32_t count, const case_header *h)
{
    for (int32_t i = 0; i < count; ++i) {
        if (strcmp(kernels[i].op, h->op) == 0 && strcmp(kernels[i].variant, h->variant) == 0) {
            return &kernels[i];
        }
    }
    return NULL;
}

static const kbc_kernel *find(const case_header *h)
{
    const kbc_kernel *kernel = find_in(kbc_kernels, kbc_kernel_count, h);
    if (kernel == NULL) {
        kernel = find_in(builtins, sizeof builtins / sizeof builtins[0], h);
    }
    if (kernel == NULL) {
        fail("no such kernel:", h->op);
    }
    return kernel;
}

int main(void)
{
    case_header h;
    while (fread(&h, sizeof h, 1, stdin) == 1) {
        int32_t *params = read_block(h.param_count * (int32_t)sizeof(int32_t));
        test_case c;
        c.param = params;
        c.weights = read_block(h.weights_bytes);
        c.channels = read_block(h.channels_bytes);
        c.channel_bytes = h.channels_bytes;
        c.x = read_block(h.x_bytes);
        c.shortcut = h.shortcut_bytes > 0 ? read_block(h.shortcut_bytes) : NULL;
        c.y = garbage(h.y_bytes);
        if (run(find(&h), &c) != KBC_OK) {
            fail("refused by", h.op);
        }
        fwrite(c.y, 1, (size_t)h.y_bytes, stdout);
        free(params);
        free(c.weights);
        free(c.channels);
        free(c.x);
        free(c.shortcut);
        free(c.y);
    }
    return 0;
}
