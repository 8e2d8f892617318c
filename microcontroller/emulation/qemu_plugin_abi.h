/* The part of QEMU's public TCG plugin API that count_instructions.c uses.
 *
 * No distribution packages qemu-plugin.h, so its few functions are declared here; QEMU provides
 * them when it loads the plugin. Version 2 (QEMU 9.0) of the API replaced the global inline
 * counters by one counter a CPU, and version 3 (9.1) changed the signature of
 * qemu_plugin_insn_data. What not every version has is declared weak: its address is NULL where
 * it is missing, so that one plugin serves them all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef QEMU_PLUGIN_ABI_H
#define QEMU_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))
#define QEMU_PLUGIN_WEAK __attribute__((weak))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;         /* a block of instructions, translated once and run many times */
struct qemu_plugin_insn;       /* one instruction of a block */
struct qemu_plugin_scoreboard; /* memory with an element for each CPU */

typedef struct {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version; /* of the API */
} qemu_info_t; /* the part that is the same in all versions */

typedef struct {
    struct qemu_plugin_scoreboard *score;
    size_t offset; /* in the element */
} qemu_plugin_u64;

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int vcpu_index, void *userdata);
typedef void (*qemu_plugin_udata_cb_t)(qemu_plugin_id_t id, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_udata_cb_t cb, void *userdata);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            qemu_plugin_vcpu_udata_cb_t cb,
                                            enum qemu_plugin_cb_flags flags, void *userdata);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);

/* Version 1 alone. */
QEMU_PLUGIN_WEAK void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
                                                                 enum qemu_plugin_op op,
                                                                 void *counter, uint64_t addend);

/* From version 2 on. */
QEMU_PLUGIN_WEAK struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
QEMU_PLUGIN_WEAK uint64_t qemu_plugin_u64_get(qemu_plugin_u64 counter, unsigned int vcpu_index);
QEMU_PLUGIN_WEAK void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
    struct qemu_plugin_insn *insn, enum qemu_plugin_op op, qemu_plugin_u64 counter,
    uint64_t addend);

/* One function, which returns the bytes up to version 2, and copies them from version 3 on. */
const void *qemu_plugin_insn_data_v1(const struct qemu_plugin_insn *insn)
    __asm__("qemu_plugin_insn_data");
size_t qemu_plugin_insn_data_v3(const struct qemu_plugin_insn *insn, void *bytes, size_t count)
    __asm__("qemu_plugin_insn_data");

#endif /* QEMU_PLUGIN_ABI_H */
