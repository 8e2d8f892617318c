/* A stopwatch in instructions, as a QEMU plugin: -plugin count_instructions.so,out=FILE
 *
 * The guest starts and stops it with two unallocated hints (see firmware/stopwatch.h), which are
 * no-ops on every M-profile core. At each stop one line with the number of instructions executed
 * since the last start is added to FILE. The hints themselves are not counted; an instruction
 * that an IT block skips is. The counts are exact, and the same from run to run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "qemu_plugin_abi.h"

#define STOP 0xbf60u
#define START 0xbf70u

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

static uint64_t executed;
static uint64_t started_at;
static FILE *out;

static void start(unsigned int vcpu_index, void *userdata)
{
    (void)vcpu_index;
    (void)userdata;
    started_at = executed;
}

static void stop(unsigned int vcpu_index, void *userdata)
{
    (void)vcpu_index;
    (void)userdata;
    fprintf(out, "%" PRIu64 "\n", executed - started_at);
}

/* The first halfword tells a 16-bit hint from everything else: a 32-bit Thumb instruction starts
 * with 0b111 and then not 00. The size that QEMU 7.2 reports is wrong at the end of a page. */
static unsigned int first_halfword(const struct qemu_plugin_insn *insn)
{
    const uint8_t *bytes = qemu_plugin_insn_data(insn);
    return bytes[0] | (unsigned int)bytes[1] << 8;
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        switch (first_halfword(insn)) {
        case START:
            qemu_plugin_register_vcpu_insn_exec_cb(insn, start, QEMU_PLUGIN_CB_NO_REGS, NULL);
            break;
        case STOP:
            qemu_plugin_register_vcpu_insn_exec_cb(insn, stop, QEMU_PLUGIN_CB_NO_REGS, NULL);
            break;
        default:
            qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                       &executed, 1);
        }
    }
}

static void at_exit(qemu_plugin_id_t id, void *userdata)
{
    (void)id;
    (void)userdata;
    fclose(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
                                           char **argv)
{
    static const char key[] = "out=";
    (void)info;
    if (argc != 1 || strncmp(argv[0], key, strlen(key)) != 0) {
        fprintf(stderr, "count_instructions: expected out=FILE\n");
        return -1;
    }
    out = fopen(argv[0] + strlen(key), "w");
    if (out == NULL) {
        perror("count_instructions");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
