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

/* Before a function that must not be merged into its callers. */
#ifndef KBC_NOINLINE
#if defined(__GNUC__)
#define KBC_NOINLINE __attribute__((noinline))
#else
#define KBC_NOINLINE
#endif
#endif

/* Called by an emitted model after each of its layers, with the layer's number, its finished
 * output tensor and the tensor's size in bytes. The firmware counts and traces with it; a
 * product leaves it empty. */
#ifndef KBC_LAYER_DONE
#define KBC_LAYER_DONE(index, tensor, bytes) ((void)0)
#endif

#endif /* KBC_PORT_H */
