/* Runs the emitted model on every example of a file. Command line: INPUTS OUTPUTS [LAYERS]
 *
 * INPUTS holds any number of examples, all inputs of one together, and OUTPUTS gets as many, all
 * outputs of one together. LAYERS, if named, gets the output of each layer of each inference. At
 * the end the peak of the stack is printed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model.h"
#include "semihosting.h"
#include "startup.h"
#include "stopwatch.h"

static int32_t inputs, outputs;
static int32_t layers = -1; /* not traced */
static uint64_t arena[(MODEL_ARENA_BYTES + 7) / 8];

void harness_layer_done(const void *tensor, unsigned int bytes);

static SEMIHOSTING_NO_RETURN void fail(const char *message)
{
    semihosting_print("error: ");
    semihosting_print(message);
    semihosting_print("\n");
    semihosting_exit(1);
}

/* Cuts the next word off `*line`; the empty string when none is left. */
static const char *next_word(char **line)
{
    char *word = *line;
    while (*word == ' ')
        word++;
    char *end = word;
    while (*end != ' ' && *end != '\0')
        end++;
    *line = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static int32_t open_or_fail(const char *name, enum semihosting_mode mode)
{
    const int32_t handle = semihosting_open(name, mode);
    if (handle < 0)
        fail("cannot open a file; the command line is INPUTS OUTPUTS [LAYERS]");
    return handle;
}

static void open_files(void)
{
    char line[128];
    if (semihosting_command_line(line, sizeof line) != 0)
        fail("no command line, or more than 127 characters");
    char *rest = line;
    inputs = open_or_fail(next_word(&rest), SEMIHOSTING_READ);
    outputs = open_or_fail(next_word(&rest), SEMIHOSTING_WRITE);
    const char *trace = next_word(&rest);
    if (*trace != '\0')
        layers = open_or_fail(trace, SEMIHOSTING_WRITE);
}

void harness_layer_done(const void *tensor, unsigned int bytes)
{
    if (layers >= 0 && semihosting_write(layers, tensor, bytes) != 0)
        fail("cannot write a layer's output");
}

static void infer(void)
{
#define READ(input, bytes)                                   \
    if (semihosting_read(inputs, input(arena), (bytes)) != 0) \
        fail("the inputs end within one");
    MODEL_INPUTS(READ)
    KBC_STOPWATCH_START();
    const kbc_status status = model_invoke(arena);
    KBC_STOPWATCH_STOP();
    if (status != KBC_OK)
        fail("the model refuses to run");
#define WRITE(output, bytes)                                     \
    if (semihosting_write(outputs, output(arena), (bytes)) != 0) \
        fail("cannot write an output");
    MODEL_OUTPUTS(WRITE)
}

int main(void)
{
    open_files();
#define ADD_BYTES(input, bytes) +(bytes)
    const int32_t input_bytes = 0 MODEL_INPUTS(ADD_BYTES);
    for (int32_t left = semihosting_length(inputs); left > 0; left -= input_bytes)
        infer();
    semihosting_close(outputs);
    if (layers >= 0)
        semihosting_close(layers);
    semihosting_print("stack_bytes ");
    semihosting_print_hex(startup_peak_stack());
    semihosting_print("\n");
    return 0;
}
