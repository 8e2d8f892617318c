/* Start-up for every RISC-V with a machine mode, and what its traps mean.
 *
 * The core begins at the first address of the flash, or where a loader jumps to it, with interrupts
 * off. Physical memory protection, where the core has it, makes the use of what lies below the
 * stack trap; it binds machine mode too because the entry is locked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "startup.h"

#if defined(__riscv)

#define GUARD_BYTES 4096u
#define LOCKED_TOP_OF_RANGE 0x88u /* no access from the last entry's address to this one's */

void reset(void);
void trap(void);
void prepare_core(void);
void trap_report(uint32_t pc, const uint32_t *sp);

/* The linker may reach variables from gp, once it is set: not before. */
__attribute__((naked, used, section(".vectors"))) void reset(void)
{
    __asm volatile(".option push\n\t"
                   ".option norelax\n\t"
                   "la gp, __global_pointer$\n\t"
                   ".option pop\n\t"
                   "la sp, __stack_top\n\t"
                   "andi sp, sp, -16\n\t"
                   "j prepare_core");
}

/* Makes the use of anything right below the stack trap; on a core without the protection it is
 * these instructions that trap, to the one behind them. */
static void guard_stack(void)
{
    const uint32_t bottom = (uint32_t)__stack_bottom;
    uint32_t behind;
    __asm volatile(".option push\n\t"
                   ".option arch, +zicsr\n\t"
                   "la %0, 1f\n\t"
                   "csrw mtvec, %0\n\t"
                   "csrw pmpaddr0, %1\n\t"
                   "csrw pmpaddr1, %2\n\t"
                   "csrw pmpcfg0, %3\n\t"
                   ".balign 4\n"
                   "1:\n\t"
                   ".option pop"
                   : "=&r"(behind)
                   : "r"((bottom - GUARD_BYTES) >> 2), "r"(bottom >> 2),
                     "r"(LOCKED_TOP_OF_RANGE << 8)
                   : "memory");
}

__attribute__((used)) void prepare_core(void)
{
    guard_stack();
    __asm volatile(".option push\n\t"
                   ".option arch, +zicsr\n\t"
                   "csrw mie, zero\n\t" /* a loader may leave its own interrupts on */
                   "csrw mtvec, %0\n\t"
#if defined(__riscv_flen)
                   "csrs mstatus, %1\n\t" /* floating point: FS = initial */
#endif
                   ".option pop" ::"r"(trap),
                   "r"(1u << 13)
                   : "memory");
    startup_run();
}

/* Without a debugger a semihosting call's breakpoint traps, and is returned to, and traps again,
 * until a host is there: it spares t0 and t1 for this. Any other trap is reported, on a good stack
 * pointer: this one may have left RAM. */
__attribute__((naked, used, aligned(4))) void trap(void)
{
    __asm volatile(".option push\n\t"
                   ".option arch, +zicsr\n\t"
                   "csrr t0, mepc\n\t"
                   "la t1, semihosting_breakpoint\n\t"
                   "bne t0, t1, 1f\n\t"
                   "mret\n"
                   "1:\n\t"
                   "mv a0, t0\n\t"
                   "mv a1, sp\n\t"
                   "la sp, __stack_top\n\t"
                   "andi sp, sp, -16\n\t"
                   "j trap_report\n\t"
                   ".option pop");
}

__attribute__((used)) void trap_report(uint32_t pc, const uint32_t *sp)
{
    startup_fail(sp < __stack_bottom, pc);
}

#endif /* __riscv */
