/* memory.h - small allocations, which always succeed: when there is no memory for one, the process ends with a line in the log and MEMORY_EXIT.
 *
 * That is safe at any instant, as kill -9 is, and a supervisor starts the host again; checks after each of them could hardly be tested. What a
 * client, a vendor or a script decides the size of goes into a buffer (buffer.h), which has a maximum and a budget, and fails. Any thread. */
#pragma once

#include <stddef.h>

#define MEMORY_EXIT 71 /* EX_OSERR of sysexits.h */

/* Ends the process: for a library that has found no memory, where going on would be a lie. */
_Noreturn void memory_exhausted(void);

/* All bytes 0; free() it. Of an array: `count` items of `size` bytes. */
__attribute__((malloc, returns_nonnull)) void *memory_new(size_t size);
__attribute__((malloc, returns_nonnull)) void *memory_new_array(size_t count, size_t size);

/* The same at a multiple of `alignment`, a power of two that `size` is a multiple of. */
__attribute__((malloc, returns_nonnull)) void *memory_new_aligned(size_t alignment, size_t size);

/* As realloc(); what is new is not initialised. */
__attribute__((returns_nonnull)) void *memory_resize(void *block, size_t size);

/* A copy, to be freed; NULL for NULL. */
char *memory_copy_text(const char *text);

/* A copy of `length` bytes with a NUL after them. */
__attribute__((malloc, returns_nonnull)) char *memory_copy_bytes(const char *bytes, size_t length);

/* A formatted text, to be freed. */
__attribute__((format(printf, 1, 2), malloc, returns_nonnull)) char *memory_format(const char *format, ...);

/* The same for Jansson's values: none of its functions fails for want of memory any more. Before its first use. */
void memory_serve_jansson(void);
