/* base64.h - bytes as base64 (RFC 4648, 4), a piece at a time. Any thread, no state. */
#pragma once

#include <stddef.h>

/* How long the text of so many bytes is. Pieces whose lengths are multiples of 3 are texts that go on in each other. */
size_t base64_length(size_t bytes);

/* Writes the text, without a NUL; returns its length. `text` may be the memory that `bytes` ends in: they are read before their place is written. */
size_t base64_write(const unsigned char *bytes, size_t length, char *text);
