/* A stopwatch in instructions and loads, as a QEMU plugin: -plugin count_instructions.so,out=FILE
 *
 * The guest starts and stops it with two hints (see firmware/stopwatch.h), which are no-ops on every
 * M-profile core and on every RISC-V. At each stop one line is added to FILE: the number of
 * instructions executed since the last start, and that of registers which they loaded (loads.h). The
 * hints themselves are not counted; an instruction that an IT block skips is. The counts are exact,
 * and the same from run to run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "loads.h"
#include "qemu_plugin_abi.h"

enum hint { NONE, START, STOP };

/* The instructions that the stopwatch is made of: 16 bits of Thumb, 32 of RISC-V. */
#define ARM_START 0xbf70u
#define ARM_STOP 0xbf60u
#define RISCV_START 0x07002013u
#define RISCV_STOP 0x06002013u

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1; /* the API's, that we ask for */

struct counter {
    uint64_t everywhere;     /* in version 1 */
    qemu_plugin_u64 per_cpu; /* from version 2 on */
    uint64_t started_at;
};

/* What counts of an instruction. */
struct kind {
    enum hint hint;
    unsigned int loads;
};

static int api_version; /* what QEMU has */
static struct kind (*kind_of)(const struct qemu_plugin_insn *);
static struct counter instructions, loads;
static FILE *out;

/* QEMU refuses a plugin for version 1 from version 2 on, and reads ours once we are loaded. */
__attribute__((constructor)) static void choose_version(void)
{
    if (qemu_plugin_scoreboard_new != NULL)
        qemu_plugin_version = 2;
}

static uint64_t reading(const struct counter *counter, unsigned int vcpu_index)
{
    return counter->per_cpu.score != NULL ? qemu_plugin_u64_get(counter->per_cpu, vcpu_index)
                                          : counter->everywhere;
}

static void start(unsigned int vcpu_index, void *userdata)
{
    (void)userdata;
    instructions.started_at = reading(&instructions, vcpu_index);
    loads.started_at = reading(&loads, vcpu_index);
}

static void stop(unsigned int vcpu_index, void *userdata)
{
    (void)userdata;
    fprintf(out, "%" PRIu64 " %" PRIu64 "\n",
            reading(&instructions, vcpu_index) - instructions.started_at,
            reading(&loads, vcpu_index) - loads.started_at);
}

/* Each time the instruction is executed, the counter shall go up. */
static void count(struct qemu_plugin_insn *insn, struct counter *counter, uint64_t by)
{
    if (counter->per_cpu.score != NULL)
        qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                            counter->per_cpu, by);
    else
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                   &counter->everywhere, by);
}

/* The first bytes of an instruction as a little-endian number. */
static uint32_t first_bytes(const struct qemu_plugin_insn *insn, size_t count)
{
    uint8_t bytes[4] = {0};
    if (api_version >= 3)
        qemu_plugin_insn_data_v3(insn, bytes, count);
    else
        memcpy(bytes, qemu_plugin_insn_data_v1(insn), count);
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* The first halfword tells the size; what QEMU 7.2 reports is wrong at the end of a page. */
static struct kind arm_kind(const struct qemu_plugin_insn *insn)
{
    const uint32_t first = first_bytes(insn, 2);
    if (first == ARM_START || first == ARM_STOP)
        return (struct kind){first == ARM_START ? START : STOP, 0};
    if (thumb_is_wide(first))
        return (struct kind){NONE, wide_thumb_loads(first, first_bytes(insn, 4) >> 16)};
    return (struct kind){NONE, narrow_thumb_loads(first)};
}

/* The lowest two bits are ones where an instruction has 32 bits. */
static struct kind riscv_kind(const struct qemu_plugin_insn *insn)
{
    const uint32_t half = first_bytes(insn, 2);
    const uint32_t word = (half & 3) == 3 ? first_bytes(insn, 4) : half;
    if (word == RISCV_START || word == RISCV_STOP)
        return (struct kind){word == RISCV_START ? START : STOP, 0};
    return (struct kind){NONE, riscv_loads(word)};
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const struct kind kind = kind_of(insn);
        switch (kind.hint) {
        case START:
            qemu_plugin_register_vcpu_insn_exec_cb(insn, start, QEMU_PLUGIN_CB_NO_REGS, NULL);
            break;
        case STOP:
            qemu_plugin_register_vcpu_insn_exec_cb(insn, stop, QEMU_PLUGIN_CB_NO_REGS, NULL);
            break;
        case NONE:
            count(insn, &instructions, 1);
            if (kind.loads > 0)
                count(insn, &loads, kind.loads);
        }
    }
}

static void at_exit(qemu_plugin_id_t id, void *userdata)
{
    (void)id;
    (void)userdata;
    fclose(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                                           int argc, char **argv)
{
    static const char key[] = "out=";
    if (argc != 1 || strncmp(argv[0], key, strlen(key)) != 0) {
        fprintf(stderr, "count_instructions: expected out=FILE\n");
        return -1;
    }
    out = fopen(argv[0] + strlen(key), "w");
    if (out == NULL) {
        perror("count_instructions");
        return -1;
    }
    api_version = info->version.cur;
    kind_of = strncmp(info->target_name, "riscv", 5) == 0 ? riscv_kind : arm_kind;
    if (qemu_plugin_version >= 2) {
        instructions.per_cpu.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
        loads.per_cpu.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
