/* Runs a program on a simulated AVR: run_avr MCU IMAGE COUNTS [WORD...]
 *
 * IMAGE is what goes into the flash. The program calls its host by the operations of semihosting
 * (firmware/semihosting.c): it writes the address of the arguments into GPIOR1 and GPIOR2 and then
 * the operation into GPIOR0, and finds the result in the first argument's place. Its command line is
 * the WORDs. Two operations of our own are the stopwatch's: at each stop the cycles since the last
 * start, which simavr counts exactly, are a line of the file COUNTS.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GPIOR0 = 0x3e, GPIOR1 = 0x4a, GPIOR2 = 0x4b }; /* of an ATmega, as addresses of data */

enum operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_FLEN = 0x0c,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20,
    STOPWATCH_START = 0x70,
    STOPWATCH_STOP = 0x60,
};

enum { OPERATION_CYCLES = 2 }; /* from one operation of the stopwatch to the next: LDI and OUT */
enum { FILES = 8 };

static FILE *files[FILES]; /* by handle, 0 is none */
static FILE *counts;
static char line[1024];
static uint64_t started_at;
static int exit_code = -1; /* running */

static void fail(const char *message, const char *what)
{
    fprintf(stderr, "error: %s %s\n", message, what);
    exit(1);
}

/* Argument i of a call, 32 bits each. */
static uint32_t argument(const avr_t *avr, uint16_t block, int i)
{
    const uint8_t *bytes = &avr->data[block + 4 * i];
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The bytes of the AVR's memory that a call names. */
static uint8_t *memory(const avr_t *avr, uint32_t at, uint32_t size)
{
    if (at > avr->ramend || size > avr->ramend + 1u - at)
        fail("a call names memory outside of", avr->mmcu);
    return &avr->data[at];
}

static uint32_t open_file(const avr_t *avr, uint16_t block)
{
    const uint32_t size = argument(avr, block, 2);
    char name[256] = {0};
    if (size >= sizeof name)
        return UINT32_MAX;
    memcpy(name, memory(avr, argument(avr, block, 0), size), size);
    for (uint32_t handle = 1; handle < FILES; handle++)
        if (files[handle] == NULL) {
            files[handle] = fopen(name, argument(avr, block, 1) < 4 ? "rb" : "wb");
            return files[handle] == NULL ? UINT32_MAX : handle;
        }
    return UINT32_MAX;
}

static uint32_t length(FILE *file)
{
    const long here = ftell(file);
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    fseek(file, here, SEEK_SET);
    return (uint32_t)size;
}

/* What is asked of an open file; reading and writing give the bytes that were not. */
static uint32_t on_file(const avr_t *avr, uint8_t operation, uint16_t block)
{
    const uint32_t handle = argument(avr, block, 0);
    if (handle >= FILES || files[handle] == NULL)
        return UINT32_MAX;
    FILE *const file = files[handle];
    if (operation == SYS_FLEN)
        return length(file);
    if (operation == SYS_CLOSE) {
        files[handle] = NULL;
        return fclose(file) == 0 ? 0 : UINT32_MAX;
    }
    const uint32_t size = argument(avr, block, 2);
    uint8_t *const bytes = memory(avr, argument(avr, block, 1), size);
    if (operation == SYS_READ)
        return size - (uint32_t)fread(bytes, 1, size, file);
    const uint32_t left = size - (uint32_t)fwrite(bytes, 1, size, file);
    return fflush(file) == 0 ? left : size;
}

static uint32_t command_line(const avr_t *avr, uint16_t block)
{
    const size_t size = strlen(line) + 1;
    if (size > argument(avr, block, 1))
        return UINT32_MAX;
    memcpy(memory(avr, argument(avr, block, 0), (uint32_t)size), line, size);
    return 0;
}

static uint32_t call(const avr_t *avr, uint8_t operation, uint16_t block)
{
    switch (operation) {
    case SYS_OPEN:
        return open_file(avr, block);
    case SYS_GET_CMDLINE:
        return command_line(avr, block);
    case SYS_EXIT_EXTENDED:
        exit_code = (int)argument(avr, block, 1);
        return 0;
    default:
        return on_file(avr, operation, block);
    }
}

static void operate(avr_t *avr, avr_io_addr_t address, uint8_t operation, void *unused)
{
    const uint16_t block = (uint16_t)(avr->data[GPIOR1] | avr->data[GPIOR2] << 8);
    (void)address;
    (void)unused;
    if (operation == STOPWATCH_START) {
        started_at = avr->cycle;
    } else if (operation == STOPWATCH_STOP) {
        if (counts != NULL)
            fprintf(counts, "%" PRIu64 "\n", avr->cycle - started_at - OPERATION_CYCLES);
    } else if (operation == SYS_WRITE0) {
        fputs((const char *)memory(avr, block, 1), stderr);
    } else {
        const uint32_t result = call(avr, operation, block);
        memcpy(memory(avr, block, 4), (const uint8_t[]){(uint8_t)result, (uint8_t)(result >> 8),
               (uint8_t)(result >> 16), (uint8_t)(result >> 24)}, 4);
    }
}

static void load(avr_t *avr, const char *name)
{
    FILE *const file = fopen(name, "rb");
    if (file == NULL)
        fail("cannot read", name);
    const uint32_t size = length(file);
    uint8_t *const image = malloc(size);
    if (image == NULL || size > avr->flashend + 1 || fread(image, 1, size, file) != size)
        fail("cannot load", name);
    avr_loadcode(avr, image, size, 0);
    avr->codeend = avr->flashend;
    fclose(file);
    free(image);
}

static void quiet(avr_t *avr, const int level, const char *format, va_list arguments)
{
    (void)avr;
    if (level <= LOG_ERROR)
        vfprintf(stderr, format, arguments);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("expected MCU IMAGE COUNTS [WORD...] after", argv[0]);
    for (int i = 4; i < argc; i++) {
        if (strlen(line) + strlen(argv[i]) + 2 > sizeof line)
            fail("the command line is too long:", argv[i]);
        strcat(strcat(line, i > 4 ? " " : ""), argv[i]);
    }
    avr_global_logger_set(quiet);
    avr_t *const avr = avr_make_mcu_by_name(argv[1]);
    if (avr == NULL)
        fail("simavr does not know the", argv[1]);
    avr_init(avr);
    avr->frequency = 16000000;
    load(avr, argv[2]);
    avr_register_io_write(avr, GPIOR0, operate, NULL);
    if (*argv[3] != '\0' && (counts = fopen(argv[3], "w")) == NULL)
        fail("cannot write", argv[3]);
    while (exit_code < 0) {
        const int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed)
            fail("the core stops; simavr calls this", state == cpu_Done ? "done" : "crashed");
    }
    if (counts != NULL && fclose(counts) != 0)
        fail("cannot write", argv[3]);
    return exit_code;
}
