/* Files, text and an exit code through the debugger or the emulator ("Semihosting for AArch32 and
 * AArch64", Arm 2024, and the RISC-V Semihosting Specification, which takes it over). Without
 * either a call faults, and is made again until a host answers. On AVR the simulator answers alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_SEMIHOSTING_H
#define KBC_SEMIHOSTING_H

#include <stdint.h>

/* _Noreturn is C11. */
#define SEMIHOSTING_NO_RETURN __attribute__((noreturn))

enum semihosting_mode { SEMIHOSTING_READ = 1, SEMIHOSTING_WRITE = 5 }; /* fopen's rb and wb */

/* The words after the program's name, separated by blanks; 0 when they fit. */
int32_t semihosting_command_line(char *line, uint32_t size);

/* A handle, or -1. */
int32_t semihosting_open(const char *name, enum semihosting_mode mode);
int32_t semihosting_close(int32_t handle);
int32_t semihosting_length(int32_t handle);

/* The number of bytes that were *not* read or written: 0 is success. */
int32_t semihosting_read(int32_t handle, void *bytes, uint32_t count);
int32_t semihosting_write(int32_t handle, const void *bytes, uint32_t count);

void semihosting_print(const char *text);
void semihosting_print_hex(uint32_t value);
SEMIHOSTING_NO_RETURN void semihosting_exit(uint32_t code);

#endif /* KBC_SEMIHOSTING_H */
