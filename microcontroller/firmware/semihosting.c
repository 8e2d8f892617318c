/* SPDX-License-Identifier: Apache-2.0 */
#include "semihosting.h"

#include <string.h>

#if defined(__AVR__)
#include <avr/io.h>
#endif

enum operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_FLEN = 0x0c,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20,
};

#define ADP_STOPPED_APPLICATION_EXIT 0x20026u

/* The one breakpoint of all calls; start-up's handler of faults knows it by its name. AVR has none:
 * its simulator (emulation/run_avr.c) watches three registers that do nothing on a chip. */
__attribute__((noinline, noclone)) static int32_t call(enum operation operation,
                                                       const void *argument)
{
#if defined(__AVR__)
    GPIOR1 = (uint8_t)(uintptr_t)argument;
    GPIOR2 = (uint8_t)((uintptr_t)argument >> 8);
    GPIOR0 = (uint8_t)operation;
    __asm volatile("" ::: "memory");
    return *(const volatile int32_t *)argument;
#elif defined(__riscv)
    register uint32_t a0 __asm("a0") = operation;
    register const void *a1 __asm("a1") = argument;
    /* Three instructions of 32 bits each within a page tell it from other breakpoints. */
    __asm volatile(".option push\n\t"
                   ".option norvc\n\t"
                   ".balign 16\n\t"
                   "slli x0, x0, 0x1f\n\t"
                   ".global semihosting_breakpoint\n"
                   "semihosting_breakpoint:\n\t"
                   "ebreak\n\t"
                   "srai x0, x0, 7\n\t"
                   ".option pop"
                   : "+r"(a0)
                   : "r"(a1)
                   : "t0", "t1", "memory");
    return (int32_t)a0;
#else
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile(".global semihosting_breakpoint\n"
                   "semihosting_breakpoint:\n\t"
                   "bkpt 0xab"
                   : "+r"(r0)
                   : "r"(r1)
                   : "memory");
    return (int32_t)r0;
#endif
}

int32_t semihosting_command_line(char *line, uint32_t size)
{
    const uint32_t block[] = {(uintptr_t)line, size};
    return call(SYS_GET_CMDLINE, block);
}

int32_t semihosting_open(const char *name, enum semihosting_mode mode)
{
    const uint32_t block[] = {(uintptr_t)name, mode, strlen(name)};
    return call(SYS_OPEN, block);
}

int32_t semihosting_close(int32_t handle)
{
    const uint32_t block[] = {(uint32_t)handle};
    return call(SYS_CLOSE, block);
}

int32_t semihosting_length(int32_t handle)
{
    const uint32_t block[] = {(uint32_t)handle};
    return call(SYS_FLEN, block);
}

int32_t semihosting_read(int32_t handle, void *bytes, uint32_t count)
{
    const uint32_t block[] = {(uint32_t)handle, (uintptr_t)bytes, count};
    return call(SYS_READ, block);
}

int32_t semihosting_write(int32_t handle, const void *bytes, uint32_t count)
{
    const uint32_t block[] = {(uint32_t)handle, (uintptr_t)bytes, count};
    return call(SYS_WRITE, block);
}

void semihosting_print(const char *text)
{
    call(SYS_WRITE0, text);
}

void semihosting_print_hex(uint32_t value)
{
    char text[] = "0x00000000";
    for (char *digit = text + 9; value != 0; digit--, value >>= 4)
        *digit = "0123456789abcdef"[value & 15];
    semihosting_print(text);
}

SEMIHOSTING_NO_RETURN void semihosting_exit(uint32_t code)
{
    const uint32_t block[] = {ADP_STOPPED_APPLICATION_EXIT, code};
    for (;;)
        call(SYS_EXIT_EXTENDED, block);
}
