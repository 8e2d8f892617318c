/* What differs between compilers and chips. A porter edits this file and no other.
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

/* Makes the compiler forget how a pointer was computed, so that it keeps the pointer in a register
 * instead of computing it anew at each use. It may be empty: only speed is lost. */
#ifndef KBC_OPAQUE
#if defined(__GNUC__)
#define KBC_OPAQUE(pointer) __asm__("" : "+r"(pointer))
#else
#define KBC_OPAQUE(pointer) ((void)0)
#endif
#endif

/* Called by an emitted model after each of its layers, with the layer's number, its finished
 * output tensor and the tensor's size in bytes. The firmware counts and traces with it; a
 * product leaves it empty. */
#ifndef KBC_LAYER_DONE
#define KBC_LAYER_DONE(index, tensor, bytes) ((void)0)
#endif

#endif /* KBC_PORT_H */
