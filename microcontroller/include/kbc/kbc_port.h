/* What differs between compilers and chips. A porter edits this file and no other. Every macro
 * can be defined from outside as well, by -D or by -include with a header of your own: that lasts
 * where the next export writes this file anew.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_PORT_H
#define KBC_PORT_H

/* Where the emitted model's constants go. The default leaves them in .rodata, which is flash on
 * a microcontroller. */
#ifndef KBC_FLASH
#define KBC_FLASH
#endif

/* Where the constants go, and the parameters too, of a model exported with --const-in-flash: a
 * read-only section with a name of its own, so that a linker script can place it in flash whatever
 * it does with .rodata. Kernels read it by ordinary pointers.
 *
 * It stays undefined, and such a model does not compile, for other compilers, whose words for it
 * a porter fills in, and for the AVRs whose flash is no memory that a pointer reaches: there the
 * linker lets start-up copy every constant into RAM. */
#ifndef KBC_IN_FLASH
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
#define KBC_IN_FLASH /* an operating system loads the program */
#elif defined(__GNUC__) && (!defined(__AVR__) || defined(__AVR_PM_BASE_ADDRESS__))
#define KBC_IN_FLASH __attribute__((section(".rodata.kbc")))
#endif
#endif

/* Makes the compiler forget how a pointer, or a number, was computed, so that it keeps it in a
 * register instead of computing it anew at each use. It may be empty: only speed is lost. */
#ifndef KBC_OPAQUE
#if defined(__GNUC__)
#define KBC_OPAQUE(value) __asm__("" : "+r"(value))
#else
#define KBC_OPAQUE(value) ((void)0)
#endif
#endif

/* 1 on AVRs whose flash is no memory that a pointer reaches: LPM reads its first 64 KB. A model that
 * is built for one has its constants in KBC_LPM_FLASH, and calls kernels that read them so. */
#ifndef KBC_HAS_LPM
#if defined(__AVR_HAVE_LPMX__) && defined(__AVR_HAVE_MUL__) && !defined(__AVR_PM_BASE_ADDRESS__)
#define KBC_HAS_LPM 1
#else
#define KBC_HAS_LPM 0
#endif
#endif
#ifndef KBC_LPM_FLASH
#define KBC_LPM_FLASH __attribute__((section(".progmem.data")))
#endif

/* Gives an inner loop all the registers: what is inlined shares them with what it is inlined into.
 * It may be empty: only speed is lost. */
#ifndef KBC_NOINLINE
#if defined(__GNUC__)
#define KBC_NOINLINE __attribute__((noinline))
#else
#define KBC_NOINLINE
#endif
#endif

/* 1 where the CPU counts the ones of a word in one instruction, which `__builtin_popcount` is then:
 * RISC-V's Zbb. */
#ifndef KBC_HAS_POPCOUNT
#if defined(__riscv_zbb)
#define KBC_HAS_POPCOUNT 1
#else
#define KBC_HAS_POPCOUNT 0
#endif
#endif

/* Has the compiler load nothing that follows before what precedes is done, which would take more
 * registers. It may be empty: only speed is lost. */
#ifndef KBC_IN_ORDER
#if defined(__GNUC__)
#define KBC_IN_ORDER() __asm__ volatile("" ::: "memory")
#else
#define KBC_IN_ORDER() ((void)0)
#endif
#endif

/* Keeps a function that is hardly ever called out of the loops that call it, whose registers it
 * would take. It may be empty: only speed is lost. */
#ifndef KBC_RARE
#if defined(__GNUC__)
#define KBC_RARE __attribute__((cold, noinline))
#else
#define KBC_RARE
#endif
#endif

/* 1 where the core has the integer vectors of Arm's M profile (Helium), as a Cortex-M55 may, and the
 * compiler has GCC's inline assembly, and optimizes: else too few registers are left to that. */
#ifndef KBC_HAS_MVE
#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__) && defined(__OPTIMIZE__) && \
    !defined(__ARM_BIG_ENDIAN)
#define KBC_HAS_MVE 1
#else
#define KBC_HAS_MVE 0
#endif
#endif

/* 1 where one instruction multiplies two words and adds the product to two more, and another shifts
 * and saturates: ARMv7-M and its successors, whose vectors do better. */
#ifndef KBC_HAS_LONG_ADD
#if defined(__thumb2__) && defined(__ARM_ARCH_PROFILE) && !KBC_HAS_MVE
#define KBC_HAS_LONG_ADD (__ARM_ARCH_PROFILE == 'M')
#else
#define KBC_HAS_LONG_ADD 0
#endif
#endif

/* 1 where the headers and the library of Arm's CMSIS-NN are there, and the int8 builtins may call
 * them. */
#ifndef KBC_HAS_CMSIS_NN
#define KBC_HAS_CMSIS_NN 0
#endif

/* Called by an emitted model after each of its layers, with the layer's number, its finished
 * output tensor and the tensor's size in bytes. The firmware counts and traces with it; a
 * product leaves it empty. */
#ifndef KBC_LAYER_DONE
#define KBC_LAYER_DONE(index, tensor, bytes) ((void)0)
#endif

#endif /* KBC_PORT_H */
