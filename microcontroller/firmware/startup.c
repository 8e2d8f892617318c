/* What start-up does on every core, once its stack pointer stands.
 *
 * The stack lies at the bottom of RAM (see firmware.ld), so that an overflow leaves RAM and faults
 * instead of overwriting variables.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "startup.h"

#include <string.h>

#if defined(__AVR__)
#include <avr/io.h>
#include <avr/pgmspace.h>
#endif

#define STACK_PAINT 0xa5a5a5a5u

extern char __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[];

int main(void);

static const void *stack_pointer(void)
{
    const void *sp;
#if defined(__AVR__)
    sp = (const void *)SP;
#elif defined(__riscv)
    __asm volatile("mv %0, sp" : "=r"(sp));
#else
    __asm volatile("mov %0, sp" : "=r"(sp));
#endif
    return sp;
}

/* Volatile, or the compiler would call memset, whose own frame lies in what is painted. */
static void paint_stack(void)
{
    volatile uint32_t *const end = (uint32_t *)((uintptr_t)stack_pointer() & ~(uintptr_t)3);
    for (volatile uint32_t *word = __stack_bottom; word < end; word++)
        *word = STACK_PAINT;
}

static void copy_from_flash(char *to, const char *from, size_t count)
{
#if defined(__AVR__)
    memcpy_P(to, from, count);
#else
    memcpy(to, from, count);
#endif
}

uint32_t startup_peak_stack(void)
{
    const uint32_t *word = __stack_bottom;
    while (word < __stack_top && *word == STACK_PAINT)
        word++;
    return (uint32_t)((const char *)__stack_top - (const char *)word);
}

SEMIHOSTING_NO_RETURN void startup_run(void)
{
    paint_stack();
    copy_from_flash(__data_start, __data_load, (size_t)(__data_end - __data_start));
    memset(__bss_start, 0, (size_t)(__bss_end - __bss_start));
    semihosting_exit((uint32_t)main());
}

SEMIHOSTING_NO_RETURN void startup_fail(int overflow, uint32_t pc)
{
    if (overflow) {
        semihosting_print("error: stack overflow\n");
    } else {
        semihosting_print("error: fault at ");
        semihosting_print_hex(pc);
        semihosting_print("\n");
    }
    semihosting_exit(2);
}
