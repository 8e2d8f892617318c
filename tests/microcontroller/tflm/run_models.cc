/* Runs models in TensorFlow Lite Micro, on the host or on an emulated board.
 *
 * jobs.bin holds any number of jobs: the sizes of a model, of its inputs and of the arena, int32,
 * then the first two; the inputs are any number of examples, all inputs of one together. In place
 * of their size, -1 asks for one example of all bytes 0x80. results.bin gets for each example the
 * size of its outputs, int32, and these, all outputs together; then 0, or -1 where the model was
 * refused. The number of a job is printed before all that is said about it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kbc/tflm.h"
#include "tensorflow/lite/micro/debug_log.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "semihosting.h"
}

namespace {

using Resolver = tflite::MicroMutableOpResolver<kbc::kOpCount + 21>;

constexpr int32_t kModelBytes = MODEL_BYTES, kArenaBytes = 1 << 20;

alignas(16) uint8_t model[kModelBytes];
alignas(16) uint8_t arena[kArenaBytes];
int32_t jobs, results;

[[noreturn]] void Fail(const char *message)
{
    semihosting_print("error: ");
    semihosting_print(message);
    semihosting_print("\n");
    semihosting_exit(1);
}

void Read(void *bytes, uint32_t count)
{
    if (semihosting_read(jobs, bytes, count) != 0) {
        Fail("jobs.bin ends within a job");
    }
}

void Write(const void *bytes, uint32_t count)
{
    if (semihosting_write(results, bytes, count) != 0) {
        Fail("cannot write results.bin");
    }
}

void WriteSize(int32_t size)
{
    Write(&size, sizeof size);
}

TfLiteStatus AddBuiltins(Resolver &resolver)
{
    const TfLiteStatus statuses[] = {
        resolver.AddAdd(),
        resolver.AddAveragePool2D(),
        resolver.AddConcatenation(),
        resolver.AddConv2D(),
        resolver.AddDepthwiseConv2D(),
        resolver.AddElu(),
        resolver.AddFullyConnected(),
        resolver.AddHardSwish(),
        resolver.AddLeakyRelu(),
        resolver.AddLogistic(),
        resolver.AddMaxPool2D(),
        resolver.AddMul(),
        resolver.AddPad(),
        resolver.AddPrelu(),
        resolver.AddQuantize(),
        resolver.AddReshape(),
        resolver.AddResizeNearestNeighbor(),
        resolver.AddSlice(),
        resolver.AddSoftmax(),
        resolver.AddSub(),
        resolver.AddTanh(),
    };

    for (const TfLiteStatus status : statuses) {
        if (status != kTfLiteOk) {
            return status;
        }
    }
    return kTfLiteOk;
}

int32_t BytesOf(tflite::MicroInterpreter &interpreter, bool inputs)
{
    size_t bytes = 0;

    for (size_t i = 0; i < (inputs ? interpreter.inputs_size() : interpreter.outputs_size()); ++i) {
        bytes += (inputs ? interpreter.input(i) : interpreter.output(i))->bytes;
    }
    return static_cast<int32_t>(bytes);
}

void SetInput(TfLiteTensor *input, bool from_job)
{
    if (from_job) {
        Read(input->data.data, static_cast<uint32_t>(input->bytes));
    } else {
        memset(input->data.data, 0x80, input->bytes);
    }
}

/* False where the model does not run. */
bool RunExample(tflite::MicroInterpreter &interpreter, bool from_job)
{
    for (size_t i = 0; i < interpreter.inputs_size(); ++i) {
        SetInput(interpreter.input(i), from_job);
    }
    const size_t used = interpreter.arena_used_bytes();
    if (interpreter.Invoke() != kTfLiteOk) {
        return false;
    }
    if (interpreter.arena_used_bytes() != used) {
        Fail("the arena grew while the model ran");
    }
    WriteSize(BytesOf(interpreter, false));
    for (size_t i = 0; i < interpreter.outputs_size(); ++i) {
        const TfLiteTensor *output = interpreter.output(i);
        Write(output->data.data, static_cast<uint32_t>(output->bytes));
    }
    return true;
}

void Skip(int32_t bytes)
{
    for (uint8_t byte; bytes > 0; --bytes) {
        Read(&byte, 1);
    }
}

void RunJob(const Resolver &resolver, int32_t input_bytes, int32_t arena_bytes)
{
    tflite::MicroInterpreter interpreter(tflite::GetModel(model), resolver, arena,
                                         static_cast<size_t>(arena_bytes));
    bool runs = interpreter.AllocateTensors() == kTfLiteOk;
    const int32_t each = runs ? BytesOf(interpreter, true) : 1;

    if (runs && input_bytes < 0) {
        runs = RunExample(interpreter, false);
    }
    if (input_bytes > 0 && input_bytes % each != 0) {
        Fail("the inputs end within an example");
    }
    for (; runs && input_bytes > 0; input_bytes -= each) {
        runs = RunExample(interpreter, true);
    }
    Skip(input_bytes);
    WriteSize(runs ? 0 : -1);
}

} /* namespace */

/* Ours instead of the library's, which need what a bare board has not. */
extern "C" int DebugVsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    return vsnprintf(buffer, size, format, arguments);
}

extern "C" void DebugLog(const char *format, va_list arguments)
{
    char text[256];

    vsnprintf(text, sizeof text, format, arguments);
    semihosting_print(text);
}

int main()
{
    Resolver resolver;
    int32_t sizes[3]; /* of a model, its inputs and the arena */
    char text[32];

    jobs = semihosting_open("jobs.bin", SEMIHOSTING_READ);
    results = semihosting_open("results.bin", SEMIHOSTING_WRITE);
    if (jobs < 0 || results < 0) {
        Fail("cannot open jobs.bin or results.bin");
    }
    if (kbc::AddOps(resolver) != kTfLiteOk || AddBuiltins(resolver) != kTfLiteOk) {
        Fail("cannot register the ops");
    }
    for (int number = 0; semihosting_read(jobs, sizes, sizeof sizes) == 0; ++number) {
        snprintf(text, sizeof text, "job %d\n", number);
        semihosting_print(text);
        if (sizes[0] > kModelBytes || sizes[2] > kArenaBytes) {
            Fail("a model or an arena is too large");
        }
        Read(model, static_cast<uint32_t>(sizes[0]));
        RunJob(resolver, sizes[1], sizes[2]);
    }
    semihosting_close(results);
    return 0;
}
