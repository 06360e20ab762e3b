/* buffer.h - a growing byte buffer with a maximum from birth.
 *
 * Failure is sticky: after an append that did not fit or found no memory, `failed` stays true and later appends do nothing,
 * so a writer checks once, at its end. `starved` tells the second from the first: nobody's text is to blame. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What many may take together, whatever thread they are on. */
struct buffer_total {
	_Atomic size_t used;
	_Atomic size_t limit;
};

/* What some buffers of one owner may take together, and what it takes beside them. They count against the total too. */
struct buffer_budget {
	size_t used;
	size_t limit;		    /* beyond it an append fails */
	size_t uncharged;	    /* so much of it does not count against the total */
	struct buffer_total *total; /* beyond its limit an append fails for want of memory; NULL: there is none */
};

struct buffer {
	char *data; /* NUL-terminated when not NULL */
	size_t length;
	size_t capacity;
	size_t maximum; /* bytes; an append beyond it fails */
	bool failed;
	bool starved;		      /* it failed for want of memory */
	struct buffer_budget *budget; /* that its memory counts against, or NULL; outlives it */
};

/* Memory that is no buffer's. False: it is too much, and counts nothing. */
bool buffer_budget_take(struct buffer_budget *budget, size_t bytes);
void buffer_budget_give(struct buffer_budget *budget, size_t bytes);

void buffer_init(struct buffer *buffer, size_t maximum);
void buffer_free(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* empty again, memory kept, failure forgotten */

/* Empty again; memory beyond `keep_bytes` is given back. */
void buffer_reset(struct buffer *buffer, size_t keep_bytes);

/* Makes room for `length` more bytes and returns where they go, NULL when they do not fit. The caller then adds to
 * buffer->length what it wrote. */
char *buffer_reserve(struct buffer *buffer, size_t length);

/* Whether so many bytes and a NUL go in as it is: the usual case, which is looked at where it is asked. (In two steps, so that no sum overflows.) */
static inline bool buffer_has_room(const struct buffer *buffer, size_t length)
{
	return !buffer->failed && length < buffer->capacity - buffer->length && length <= buffer->maximum - buffer->length;
}

/* `bytes` may be NULL when there are none. */
static inline void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	char *to = buffer_has_room(buffer, length) ? buffer->data + buffer->length : buffer_reserve(buffer, length);

	if (to == NULL)
		return;
	if (length > 0)
		memcpy(to, bytes, length);
	to[length] = '\0';
	buffer->length += length;
}

static inline void buffer_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

static inline void buffer_char(struct buffer *buffer, char byte)
{
	buffer_append(buffer, &byte, 1);
}

void buffer_integer(struct buffer *buffer, int64_t value);
void buffer_unsigned(struct buffer *buffer, uint64_t value);
__attribute__((format(printf, 2, 3))) void buffer_format(struct buffer *buffer, const char *format, ...);

/* Its text, "" of one that has no memory yet: what walks from here to begin + length never counts from NULL. */
const char *buffer_begin(const struct buffer *buffer);

/* Hands the text over to the caller (free() it) and leaves the buffer empty. NULL if the buffer failed. */
char *buffer_take(struct buffer *buffer);
