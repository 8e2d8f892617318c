/* Looks up the tables of eight filters (see filter_tables.h): the innermost loop of convolutions of
 * bits, which counts 32 inputs of 8 filters for each pixel.
 *
 *     Cortex-M4  32 instructions, 0.125 / MAC      11 to find the entries, 11 to add them as bytes,
 *     Cortex-M3  34, 0.133                         7 (9) to add these to the sums, 3 for the loop
 *     Cortex-M0  55, 0.215                         22, 14, 14 and 5: no operand shifts on the way
 *
 * gcc 12 makes 38 of the C below for a Cortex-M4: it does not load or store the sums at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "filter_tables.h"

#if defined(__thumb2__)

#if KBC_SUMS_OVERLAP
#define ADD_TO_SUMS                                                                                \
    "add   r4, r4, r3                 \n"                                                          \
    "and   r3, r3, #0xff00ff00        \n"                                                          \
    "add   r5, r5, r3, lsr #8         \n"                                                          \
    "ldr   r3, [r2, #12]              \n"                                                          \
    "add   r6, r6, r7                 \n"                                                          \
    "and   r7, r7, #0xff00ff00        \n"                                                          \
    "add   r7, r3, r7, lsr #8         \n"
#else
#define ADD_TO_SUMS                                                                                \
    "uxtab16 r4, r4, r3               \n"                                                          \
    "uxtab16 r5, r5, r3, ror #8       \n"                                                          \
    "ldr   r3, [r2, #12]              \n"                                                          \
    "uxtab16 r6, r6, r7               \n"                                                          \
    "uxtab16 r7, r3, r7, ror #8       \n"
#endif

/* r0, r8 to r11: the tables. r1: x, r12 bytes on at each pixel. r2: sums, up to lr. */
__attribute__((naked)) void kbc_add_counts(const kbc_filter_tables *t __attribute__((unused)),
                                           const kbc_pixels *p __attribute__((unused)))
{
    __asm__(".syntax unified                  \n"
            "push  {r4-r11, lr}               \n"
            "ldm   r1, {r4, r5, r6}           \n" /* x, sums, rows */
            "ldr   r12, [r1, #20]             \n"
            "add   r8, r0, #512               \n"
            "add   r9, r0, #768               \n"
            "add   r10, r0, #1024             \n"
            "add   r11, r0, #1280             \n"
            "sub   sp, sp, #16                \n"
            "1:                               \n" /* a row */
            "stm   sp, {r1, r4, r5, r6}       \n"
            "ldr   r3, [r1, #12]              \n"
            "mov   r1, r4                     \n"
            "mov   r2, r5                     \n"
            "add   lr, r5, r3, lsl #4         \n"
            "2:                               \n" /* a pixel */
            "ldr   r4, [r1]                   \n"
            "add   r1, r1, r12                \n"
            "and   r3, r4, #127               \n"
            "lsr   r5, r4, #25                \n"
            "ldr   r3, [r0, r3, lsl #2]       \n"
            "ldr   r5, [r11, r5, lsl #2]      \n"
            "ubfx  r6, r4, #7, #6             \n"
            "ubfx  r7, r4, #13, #6            \n"
            "add   r3, r3, r5                 \n" /* 7 + 7 */
            "ldr   r6, [r8, r6, lsl #2]       \n"
            "ldr   r7, [r9, r7, lsl #2]       \n"
            "ubfx  r4, r4, #19, #6            \n"
            "and   r5, r3, #0xf0f0f0f0        \n"
            "add   r6, r6, r7                 \n" /* 6 + 6 */
            "ldr   r4, [r10, r4, lsl #2]      \n" /* 6 */
            "lsr   r7, r5, #4                 \n"
            "add   r3, r3, r6                 \n"
            "and   r6, r6, #0xf0f0f0f0        \n"
            "add   r3, r3, r4                 \n"
            "and   r4, r4, #0xf0f0f0f0        \n"
            "add   r7, r7, r6, lsr #4         \n"
            "add   r7, r7, r4, lsr #4         \n" /* the odd lanes, as bytes */
            "ldm   r2, {r4, r5, r6}           \n"
            "sub   r3, r3, r7, lsl #4         \n" /* the even ones */
            ADD_TO_SUMS
            "stmia r2!, {r4, r5, r6, r7}      \n"
            "cmp   r2, lr                     \n"
            "bne   2b                         \n"
            "ldm   sp, {r1, r4, r5, r6}       \n"
            "ldr   r2, [r1, #16]              \n"
            "ldr   r3, [r1, #24]              \n"
            "add   r4, r4, r2                 \n"
            "add   r5, r5, r3                 \n"
            "subs  r6, r6, #1                 \n"
            "bne   1b                         \n"
            "add   sp, sp, #16                \n"
            "pop   {r4-r11, pc}               \n");
}

#elif defined(__thumb__)

/* r8 to r12: the tables. lr: x. r1: sums. r6, r7: masks. On the stack, from its top: bytes from a
 * pixel to the next, the end of a row's sums, p, and x, sums and rows. */
__attribute__((naked)) void kbc_add_counts(const kbc_filter_tables *t __attribute__((unused)),
                                           const kbc_pixels *p __attribute__((unused)))
{
    __asm__(".syntax unified                  \n"
            "push  {r4-r7, lr}                \n"
            "mov   r2, r8                     \n"
            "mov   r3, r9                     \n"
            "mov   r4, r10                    \n"
            "mov   r5, r11                    \n"
            "push  {r2-r5}                    \n"
            "sub   sp, sp, #24                \n"
            "mov   r8, r0                     \n"
            "movs  r2, #255                   \n"
            "adds  r2, r2, #1                 \n" /* 256 */
            "adds  r0, r0, r2                 \n"
            "adds  r0, r0, r2                 \n"
            "mov   r9, r0                     \n"
            "adds  r0, r0, r2                 \n"
            "mov   r10, r0                    \n"
            "adds  r0, r0, r2                 \n"
            "mov   r11, r0                    \n"
            "adds  r0, r0, r2                 \n"
            "mov   r12, r0                    \n"
            "movs  r6, #0xfc                  \n"
            "ldr   r7, 3f                     \n"
            "ldr   r0, [r1, #20]              \n"
            "str   r0, [sp]                   \n"
            "str   r1, [sp, #8]               \n"
            "ldr   r2, [r1]                   \n"
            "ldr   r3, [r1, #4]               \n"
            "ldr   r4, [r1, #8]               \n"
            "1:                               \n" /* a row: r1 is p, r2 x, r3 sums, r4 rows */
            "add   r0, sp, #12                \n"
            "stmia r0!, {r2, r3, r4}          \n"
            "mov   lr, r2                     \n"
            "ldr   r0, [r1, #12]              \n"
            "lsls  r0, r0, #4                 \n"
            "movs  r1, r3                     \n"
            "adds  r0, r0, r1                 \n"
            "str   r0, [sp, #4]               \n"
            "2:                               \n" /* a pixel */
            "mov   r0, lr                     \n"
            "ldr   r2, [r0]                   \n"
            "lsls  r3, r2, #25                \n"
            "lsrs  r3, r3, #23                \n"
            "add   r3, r3, r8                 \n"
            "ldr   r3, [r3]                   \n"
            "lsrs  r4, r2, #25                \n"
            "lsls  r4, r4, #2                 \n"
            "add   r4, r4, r12                \n"
            "ldr   r4, [r4]                   \n"
            "adds  r3, r3, r4                 \n" /* 7 + 7 */
            "lsrs  r5, r3, #4                 \n"
            "ands  r5, r5, r7                 \n"
            "lsrs  r4, r2, #5                 \n"
            "ands  r4, r4, r6                 \n"
            "add   r4, r4, r9                 \n"
            "ldr   r4, [r4]                   \n"
            "lsrs  r0, r2, #11                \n"
            "ands  r0, r0, r6                 \n"
            "add   r0, r0, r10                \n"
            "ldr   r0, [r0]                   \n"
            "adds  r4, r4, r0                 \n" /* 6 + 6 */
            "adds  r3, r3, r4                 \n"
            "lsrs  r4, r4, #4                 \n"
            "ands  r4, r4, r7                 \n"
            "adds  r5, r5, r4                 \n"
            "lsrs  r2, r2, #17                \n"
            "ands  r2, r2, r6                 \n"
            "add   r2, r2, r11                \n"
            "ldr   r2, [r2]                   \n" /* 6 */
            "adds  r3, r3, r2                 \n"
            "lsrs  r2, r2, #4                 \n"
            "ands  r2, r2, r7                 \n"
            "adds  r5, r5, r2                 \n" /* the odd lanes, as bytes */
            "lsls  r4, r5, #4                 \n"
            "subs  r3, r3, r4                 \n" /* the even ones */
            "ldr   r4, 4f                     \n"
            "ldr   r0, [r1]                   \n"
            "ldr   r2, [r1, #4]               \n"
            "adds  r0, r0, r3                 \n"
            "lsrs  r3, r3, #8                 \n"
            "ands  r3, r3, r4                 \n"
            "adds  r2, r2, r3                 \n"
            "ldr   r3, [r1, #8]               \n"
            "adds  r3, r3, r5                 \n"
            "lsrs  r5, r5, #8                 \n"
            "ands  r5, r5, r4                 \n"
            "ldr   r4, [r1, #12]              \n"
            "adds  r5, r5, r4                 \n"
            "stmia r1!, {r0, r2, r3, r5}      \n"
            "ldr   r0, [sp]                   \n"
            "add   lr, lr, r0                 \n"
            "ldr   r0, [sp, #4]               \n"
            "cmp   r1, r0                     \n"
            "bne   2b                         \n"
            "add   r0, sp, #8                 \n"
            "ldmia r0!, {r1, r2, r3, r4}      \n"
            "ldr   r0, [r1, #16]              \n"
            "adds  r2, r2, r0                 \n"
            "ldr   r0, [r1, #24]              \n"
            "adds  r3, r3, r0                 \n"
            "subs  r4, r4, #1                 \n"
            "bne   1b                         \n"
            "add   sp, sp, #24                \n"
            "pop   {r2-r5}                    \n"
            "mov   r8, r2                     \n"
            "mov   r9, r3                     \n"
            "mov   r10, r4                    \n"
            "mov   r11, r5                    \n"
            "pop   {r4-r7, pc}                \n"
            ".balign 4                        \n"
            "3: .word 0x0f0f0f0f              \n"
            "4: .word 0x00ff00ff              \n");
}

#else

static inline uint32_t odd_lanes(uint32_t lanes)
{
    return lanes >> 4 & 0x0f0f0f0fu;
}

static inline uint32_t odd_bytes(uint32_t bytes)
{
    return bytes >> 8 & 0x00ff00ffu;
}

void kbc_add_counts(const kbc_filter_tables *t, const kbc_pixels *p)
{
    const uint32_t *a = t->a, *b = t->b, *c = t->c, *d = t->d, *e = t->e;
    const uint8_t *x_row = (const uint8_t *)p->x;
    uint8_t *sums_row = (uint8_t *)p->sums;

    for (int32_t row = p->rows; row > 0; --row) {
        const uint8_t *x = x_row;
        kbc_sums *sums = (kbc_sums *)(void *)sums_row;
        for (const kbc_sums *end = sums + p->columns; sums < end; ++sums) {
            const uint32_t v = *(const uint32_t *)(const void *)x;
            const uint32_t sevens = a[v & 127] + e[v >> 25];
            const uint32_t sixes = b[v >> 7 & 63] + c[v >> 13 & 63];
            const uint32_t six = d[v >> 19 & 63];
            const uint32_t odd = odd_lanes(sevens) + odd_lanes(sixes) + odd_lanes(six);
            const uint32_t even = sevens + sixes + six - (odd << 4);
            sums->lanes[0] += even;
            sums->lanes[1] += odd_bytes(even);
            sums->lanes[2] += odd;
            sums->lanes[3] += odd_bytes(odd);
            x += p->x_column;
        }
        x_row += p->x_row;
        sums_row += p->sums_row;
    }
}

#endif
