/* Tables of 256 sums, and the passes over all outputs that look them up by the weights' bytes.
 *
 *     acc[o] += t[0].sum[w[0][o]] + t[1].sum[w[1][o]] + t[2].sum[w[2][o]] + t[3].sum[w[3][o]]
 *
 * A pass takes 4 tables, which is as many as the registers hold beside 4 accumulators: 3
 * instructions a look-up on ARMv7-M (byte, sum, addition), 4 on ARMv6-M, which cannot scale an
 * index, and about 1 an output around them. So 8 inputs to a table make 0.41 instructions a weight
 * on ARMv7-M, and 0.59 on ARMv6-M. 8 tables a pass halve the traffic of accumulators, but leave no
 * registers to move 4 of them at once: 2 % won, for twice the scratch.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_BYTE_TABLES_H
#define KBC_BYTE_TABLES_H

#include "sum_tables.h"
#include "thumb.h"

enum { KBC_TABLES = 4 }; /* of a pass: the bytes of a word */

typedef union {
    uint32_t pair[128];
    uint16_t sum[256];
} kbc_byte_table;

#if KBC_THUMB == 2

/* Two look-ups at a time, so that the second load follows on the first. */
#define LOOK_UP_2(acc, t0, t1)                                    \
    "ldrb r11, [r1], #1 \n ldrb r12, [r1], #1 \n"                 \
    "ldrh r11, [" t0 ", r11, lsl #1] \n ldrh r12, [" t1 ", r12, lsl #1] \n" \
    "add " acc ", r11 \n add " acc ", r12 \n"
#define LOOK_UP(acc) LOOK_UP_2(acc, "r3", "r4") LOOK_UP_2(acc, "r5", "r6")

KBC_NAKED static void kbc_look_up(uint32_t *acc, const uint32_t *w, int32_t outs,
                                  const kbc_byte_table *t)
{
    __asm__("push {r4-r11, lr} \n"
            "add r4, r3, #512 \n"
            "add r5, r3, #1024 \n"
            "add r6, r3, #1536 \n"
            "bic lr, r2, #3 \n"
            "and r2, r2, #3 \n"
            "add lr, r0, lr, lsl #2 \n"
            "cmp r0, lr \n"
            "beq 2f \n"
            "1: ldm r0, {r7-r10} \n"
            LOOK_UP("r7") LOOK_UP("r8") LOOK_UP("r9") LOOK_UP("r10")
            "stm r0!, {r7-r10} \n"
            "cmp r0, lr \n"
            "bne 1b \n"
            "2: subs r2, r2, #1 \n"
            "bmi 3f \n"
            "ldr r7, [r0] \n"
            LOOK_UP("r7")
            "str r7, [r0], #4 \n"
            "b 2b \n"
            "3: pop {r4-r11, pc} \n");
}

#elif KBC_THUMB == 1

#define LOOK_UP(byte, t) \
    "ldrb r3, [r1, #" byte "] \n lsls r3, r3, #1 \n ldrh r3, [" t ", r3] \n adds r2, r2, r3 \n"
#define LOOK_UP_4(b0, b1, b2, b3)                                                        \
    "ldr r2, [r0] \n" LOOK_UP(b0, "r4") LOOK_UP(b1, "r5") LOOK_UP(b2, "r6") LOOK_UP(b3, "r7") \
    "stmia r0!, {r2} \n"

KBC_NAKED static void kbc_look_up(uint32_t *acc, const uint32_t *w, int32_t outs,
                                  const kbc_byte_table *t)
{
    __asm__(".syntax unified \n"
            "push {r4-r7, lr} \n"
            "lsls r2, r2, #2 \n"
            "adds r2, r0, r2 \n"
            "mov r12, r2 \n"
            "movs r2, #2 \n"
            "lsls r2, r2, #8 \n"
            "adds r4, r3, #0 \n"
            "adds r5, r4, r2 \n"
            "adds r6, r5, r2 \n"
            "adds r7, r6, r2 \n"
            "mov r3, r12 \n"
            "subs r3, r3, r0 \n"
            "lsrs r3, r3, #4 \n" /* 4 outputs at a time */
            "lsls r3, r3, #4 \n"
            "beq 2f \n"
            "adds r3, r0, r3 \n"
            "mov lr, r3 \n"
            "1: \n"
            LOOK_UP_4("0", "1", "2", "3")
            LOOK_UP_4("4", "5", "6", "7")
            LOOK_UP_4("8", "9", "10", "11")
            LOOK_UP_4("12", "13", "14", "15")
            "adds r1, r1, #16 \n"
            "cmp r0, lr \n"
            "bne 1b \n"
            "2: cmp r0, r12 \n"
            "beq 3f \n"
            LOOK_UP_4("0", "1", "2", "3")
            "adds r1, r1, #4 \n"
            "b 2b \n"
            "3: pop {r4-r7, pc} \n");
}

#else

static void kbc_look_up(uint32_t *acc, const uint32_t *words, int32_t outs,
                        const kbc_byte_table *t)
{
    const kbc_byte_table *a = t, *b = t + 1, *c = t + 2, *d = t + 3;
    const uint8_t *w = (const uint8_t *)words;
    const uint32_t *const last = acc + outs, *const last4 = acc + outs / 4 * 4;
    KBC_OPAQUE(b); /* an indexed load has no room for an offset as well */
    KBC_OPAQUE(c);
    KBC_OPAQUE(d);

    for (; acc < last4; acc += 4) {
        acc[0] += (uint32_t)a->sum[w[0]] + b->sum[w[1]] + c->sum[w[2]] + d->sum[w[3]];
        acc[1] += (uint32_t)a->sum[w[4]] + b->sum[w[5]] + c->sum[w[6]] + d->sum[w[7]];
        acc[2] += (uint32_t)a->sum[w[8]] + b->sum[w[9]] + c->sum[w[10]] + d->sum[w[11]];
        acc[3] += (uint32_t)a->sum[w[12]] + b->sum[w[13]] + c->sum[w[14]] + d->sum[w[15]];
        w += 16;
    }
    for (; acc < last; ++acc) {
        *acc += (uint32_t)a->sum[w[0]] + b->sum[w[1]] + c->sum[w[2]] + d->sum[w[3]];
        w += 4;
    }
}

#endif

#undef LOOK_UP
#undef LOOK_UP_2
#undef LOOK_UP_4

#endif /* KBC_BYTE_TABLES_H */
