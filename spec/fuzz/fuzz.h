/* fuzz.h - what the targets share: an oracle that ends the run with what was wrong, and pieces of the input. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                                                    \
	do {                                                                                                                     \
		if (!(condition)) {                                                                                              \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                  \
			abort();                                                                                                 \
		}                                                                                                                \
	} while (0)

/* A copy of exactly these bytes, so that a read beyond them is seen. */
static inline char *fuzz_copy(const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	FUZZ_CHECK(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

/* The same as a text with a NUL behind it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* The part of the input before the first line break, and what follows it. */
static inline size_t fuzz_split(const uint8_t *data, size_t size, const uint8_t **rest, size_t *rest_size)
{
	const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;

	*rest = line != NULL ? line + 1 : data + size;
	*rest_size = (size_t)(data + size - *rest);
	return line != NULL ? (size_t)(line - data) : size;
}
