/* Runs one kernel once, between the two hints of the stopwatch, and writes its output to the file
 * that its command line names. kernels.py writes the case.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "case.h"
#include "semihosting.h"
#include "stopwatch.h"

int main(void)
{
    char name[128];
    if (semihosting_command_line(name, sizeof name) != 0) {
        semihosting_print("error: expected the name of a file\n");
        return 1;
    }
    KBC_STOPWATCH_START();
    const kbc_status status = CASE_CALL;
    KBC_STOPWATCH_STOP();
    if (status != KBC_OK) {
        semihosting_print("error: the kernel refuses to run\n");
        return 1;
    }
    const int32_t output = semihosting_open(name, SEMIHOSTING_WRITE);
    if (semihosting_write(output, case_y, sizeof case_y) != 0) {
        semihosting_print("error: cannot write the output\n");
        return 1;
    }
    return 0;
}
