/* In place of the compiler's: AVX-512 as plain C, by SIMDe (Debian's libsimde-dev). */
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
