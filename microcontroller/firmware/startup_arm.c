/* Start-up for every Cortex-M, and what its faults mean.
 *
 * At reset these cores run from an internal oscillator with interrupts off, and need no more than
 * a vector table, .data and .bss. Where something answers below the stack, the memory protection
 * unit makes it fault, or on ARMv8-M the stack's own limit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "startup.h"

#if defined(__arm__)

#define SYSTEM_REGISTER(address) (*(volatile uint32_t *)(address))
#define VTOR SYSTEM_REGISTER(0xe000ed08)
#define CFSR SYSTEM_REGISTER(0xe000ed28) /* reads 0 on a core without it */
#define CFSR_STACK_LIMIT (1u << 20)
#define CFSR_MMFAR_VALID (1u << 7)
#define MMFAR SYSTEM_REGISTER(0xe000ed34)
#define CPACR SYSTEM_REGISTER(0xe000ed88)
#define MPU_TYPE SYSTEM_REGISTER(0xe000ed90) /* 0 on a core without the unit */
#define MPU_CTRL SYSTEM_REGISTER(0xe000ed94)
#define MPU_RBAR SYSTEM_REGISTER(0xe000ed9c)
#define MPU_RASR SYSTEM_REGISTER(0xe000eda0)

#define GUARD_BYTES 4096u
#define MPU_4_KB_WITHOUT_ACCESS (1u << 28 | 11u << 1 | 1u) /* execute never, 2^(11 + 1), enabled */
#define MPU_REGION_0 (1u << 4)
#define MPU_ENABLE_OVER_DEFAULT_MAP 5u

void reset(void);
void fault(void);
void fault_report(const uint32_t *frame, uint32_t pc);

static const struct {
    const void *stack_top;
    void (*handlers[15])(void);
} vectors __attribute__((section(".vectors"), used)) = {
    __stack_top,
    {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault,
     fault, fault},
};

/* Makes the use of anything right below the stack fault. */
static void guard_stack(void)
{
#if __ARM_ARCH >= 8
    __asm volatile("msr msplim, %0" ::"r"(__stack_bottom));
#else
    if (MPU_TYPE != 0) {
        MPU_RBAR = ((uint32_t)__stack_bottom - GUARD_BYTES) | MPU_REGION_0;
        MPU_RASR = MPU_4_KB_WITHOUT_ACCESS;
        MPU_CTRL = MPU_ENABLE_OVER_DEFAULT_MAP;
    }
#endif
}

static void prepare_core(void)
{
    /* A loader that starts us without a reset may leave its own interrupts pending. */
    __asm volatile("cpsid i");
#if __ARM_ARCH >= 7
    VTOR = (uint32_t)&vectors; /* ARMv6-M has none */
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    CPACR |= 0xfu << 20; /* full access to CP10 and CP11: floating point and vectors */
#endif
    guard_stack();
    __asm volatile("dsb\n\tisb" ::: "memory");
}

void reset(void)
{
    prepare_core();
    startup_run();
}

/* Without a debugger a semihosting call's breakpoint faults as well, and the report's would lock
 * the core up. So it is returned to, and faults again, until a host is there: sleeping in between
 * would shut the debugger out of some chips. Any other fault is reported, on a good stack pointer:
 * this one may have left RAM. What the core pushed, pc among it, is read before it is overwritten.
 */
__attribute__((naked)) void fault(void)
{
    __asm volatile("mov r0, sp\n\t"
                   "ldr r2, =__stack_bottom\n\t"
                   "cmp r0, r2\n\t"
                   "blo 1f\n\t"
                   "ldr r1, [r0, #24]\n\t" /* pc */
                   "ldr r2, =semihosting_breakpoint\n\t"
                   "cmp r1, r2\n\t"
                   "bne 1f\n\t"
                   "bx lr\n"
                   "1:\n\t"
                   "ldr r2, =__stack_top\n\t"
                   "mov sp, r2\n\t"
                   "bl fault_report");
}

/* A core with a stack limit never goes below it, and pushes nothing that would. Without one, a push
 * of many registers may fault where what the core pushes then just fits. */
static int stack_overflowed(const uint32_t *frame)
{
#if __ARM_ARCH >= 8
    if ((CFSR & CFSR_STACK_LIMIT) != 0)
        return 1;
#else
    if ((CFSR & CFSR_MMFAR_VALID) != 0 && (uint32_t)__stack_bottom - MMFAR <= GUARD_BYTES)
        return 1;
#endif
    return frame < __stack_bottom;
}

/* `frame` is where the core pushed r0-r3, r12, lr, pc and xpsr. */
void fault_report(const uint32_t *frame, uint32_t pc)
{
    startup_fail(stack_overflowed(frame), pc);
}

#endif /* __arm__ */
