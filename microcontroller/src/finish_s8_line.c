/* From accumulators to int8 along a line: one multiplication, with all that is added in it.
 *
 * With a = 47 - shift what a kbc_channel says (see requantize.h) is, before it is saturated,
 *
 *     y = ((acc << a) * multiplier + offset) >> 47
 *     offset = ((bias << a) * multiplier) + 2^46 + zero_point * 2^47
 *
 * The emitter takes it for layers of which no sum can overflow, and where a >= 8: all terms of the
 * sum are multiples of 2^8 then, so that the offset's lowest byte has room for a without a change
 * of what is rounded down (keras_bc.deploy.finishes).
 *
 * The floor: load the line, shift, multiply and add, saturate, store, and a load for 4 accumulators,
 * 5.25 instructions an output on ARMv7-M; what requantize.h does takes 13, or 24 where shift < 33.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"
#include "thumb.h"

#define KBC_LINE_SHIFT 47

static int8_t output_of(int32_t acc, const kbc_line *line)
{
    const int64_t offset = (int64_t)((uint64_t)line->high << 32 | line->low);
    const int32_t moved = (int32_t)((uint32_t)acc << (line->low & 0xff));
    const int64_t y = ((int64_t)moved * (int32_t)line->multiplier + offset) >> KBC_LINE_SHIFT;

    return (int8_t)(y < INT8_MIN ? INT8_MIN : y > INT8_MAX ? INT8_MAX : y);
}

#if KBC_THUMB == 2

#define OUTPUT(acc)                            \
    "ldmia %[line]!, {r4, r5, r6} \n"          \
    "lsl " acc ", " acc ", r4 \n"              \
    "smlal r4, r5, " acc ", r6 \n"             \
    "ssat r5, #8, r5, asr #15 \n"              \
    "strb r5, [%[out]], #1 \n"

/* Four outputs at a time. */
static void fours(int8_t *out, const int32_t *acc, const kbc_line *line, const int32_t *end)
{
    while (acc < end) {
        __asm__ volatile("ldmia %[acc]!, {r8, r9, r10, r12} \n" /* and r11 for a frame */
                         OUTPUT("r8") OUTPUT("r9") OUTPUT("r10") OUTPUT("r12")
                         : [out] "+&r"(out), [acc] "+&r"(acc), [line] "+&r"(line)
                         :
                         : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
    }
}

#else

static void fours(int8_t *out, const int32_t *acc, const kbc_line *line, const int32_t *end)
{
    while (acc < end) {
        *out++ = output_of(*acc++, line++);
    }
}

#endif

void kbc_finish_s8_line(const kbc_finish *f, const void *sums, int32_t pixel, int32_t channel,
                        int32_t count, const void *shortcut, void *y)
{
    const int32_t *acc = sums;
    const kbc_line *line = (const kbc_line *)f->channels + channel;
    int8_t *out = (int8_t *)y + pixel * f->size + channel;

    (void)shortcut;
    fours(out, acc, line, acc + count / 4 * 4);
    for (int32_t i = count / 4 * 4; i < count; ++i) {
        out[i] = output_of(acc[i], &line[i]);
    }
}
