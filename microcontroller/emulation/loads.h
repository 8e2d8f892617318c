/* How many registers an instruction loads from memory: 0 where it is no load. A vector register
 * counts as one, an LDM or POP as many as it lists. A load counts that an IT block skips, too.
 *
 * Arm v8-M Architecture Reference Manual, C2 and F (MVE); The RISC-V Instruction Set Manual,
 * volume I, 2.6, 16.3 and 24.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LOADS_H
#define LOADS_H

#include <stdbool.h>
#include <stdint.h>

static unsigned int ones(uint32_t bits)
{
    return (unsigned int)__builtin_popcount(bits);
}

/* A 32-bit Thumb instruction starts with 0b111 and then not 00. */
static bool thumb_is_wide(uint32_t halfword)
{
    return halfword >> 11 >= 0x1d;
}

static unsigned int narrow_thumb_loads(uint32_t halfword)
{
    switch (halfword >> 12) {
    case 0x4: /* LDR of a literal */
        return (halfword & 0x0800) != 0;
    case 0x5: /* offsets in registers: three stores, then LDRSB and the loads */
        return (halfword & 0x0e00) >= 0x0600;
    case 0x6: /* offsets in the instruction: words, */
    case 0x7: /* bytes, */
    case 0x8: /* halfwords, */
    case 0x9: /* from the stack pointer */
        return (halfword & 0x0800) != 0;
    case 0xb: /* POP, with the program counter or without */
        return (halfword & 0x0e00) == 0x0c00 ? ones(halfword & 0x1ff) : 0;
    case 0xc: /* LDM */
        return (halfword & 0x0800) != 0 ? ones(halfword & 0xff) : 0;
    default:
        return 0;
    }
}

static unsigned int wide_thumb_loads(uint32_t first, uint32_t second)
{
    const bool indexed = (first & 0x0120) != 0; /* P or W: before, or with a write-back */
    const bool upwards = (first & 0x0080) != 0;
    if ((first & 0x0010) == 0)
        return 0;
    switch (first >> 9) {
    case 0x74: /* 1110100 */
        if ((first & 0x0040) == 0)
            return (first & 0xf) == 0xf ? 0 : ones(second); /* CLRM, or LDM */
        return indexed ? 2 : 1; /* LDRD, or LDREX, TBB, TBH and their like */
    case 0x7c:                  /* 1111100: PLD and PLI load to no register */
        return (first & 0x0060) == 0x0040 || second >> 12 != 0xf;
    case 0x76: /* 1110110 */
    case 0x7e: /* 1111110 */
        if (!indexed && !upwards)
            return 0; /* moves between two core registers and others */
        if ((second & 0x0e00) == 0x0e00)
            return 1; /* MVE: VLDR of all kinds, VLD2x and VLD4x */
        if ((second & 0x0e00) != 0x0a00)
            return 0;
        if ((first & 0x0120) == 0x0100)
            return 1;                                     /* VLDR */
        return (first & 0xf) == 0xf ? 0 : second & 0xff; /* VSCCLRM, or VLDM in words */
    default:
        return 0;
    }
}

/* Compressed instructions: what loads has the same three highest bits in the quadrants 0 and 2. */
static unsigned int riscv_loads(uint32_t word)
{
    if ((word & 3) == 3) { /* 32 bits: LOAD and LOAD-FP, and LR of AMO */
        const uint32_t opcode = word & 0x7f;
        return opcode == 0x03 || opcode == 0x07 || (opcode == 0x2f && word >> 27 == 0x02);
    }
    const uint32_t highest = (word & 0xffff) >> 13;
    return (word & 3) != 1 && 1 <= highest && highest <= 3;
}

#endif /* LOADS_H */
