/* buffer.c - the growing buffer. No locks: a buffer belongs to one thread at a time. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_BYTES 1048576 /* from here on a buffer grows by a quarter */

void buffer_init(struct buffer *buffer, size_t maximum)
{
	*buffer = (struct buffer){ .maximum = maximum };
}

/* How much of `used` counts against the total. */
static size_t charged(const struct buffer_budget *budget, size_t used)
{
	return used > budget->uncharged ? used - budget->uncharged : 0;
}

void buffer_budget_give(struct buffer_budget *budget, size_t bytes)
{
	size_t charge = charged(budget, budget->used) - charged(budget, budget->used - bytes);

	budget->used -= bytes;
	if (budget->total != NULL && charge > 0)
		atomic_fetch_sub_explicit(&budget->total->used, charge, memory_order_relaxed);
}

bool buffer_budget_take(struct buffer_budget *budget, size_t bytes)
{
	struct buffer_total *total = budget->total;
	size_t charge;

	if (bytes > budget->limit - budget->used)
		return false;
	charge = charged(budget, budget->used + bytes) - charged(budget, budget->used);
	if (total != NULL && charge > 0 &&
		atomic_fetch_add_explicit(&total->used, charge, memory_order_relaxed) + charge >
			atomic_load_explicit(&total->limit, memory_order_relaxed)) {
		atomic_fetch_sub_explicit(&total->used, charge, memory_order_relaxed);
		return false;
	}
	budget->used += bytes;
	return true;
}

static void uncharge_buffer(struct buffer_budget *budget, size_t bytes)
{
	if (budget != NULL && bytes > 0)
		buffer_budget_give(budget, bytes);
}

/* False: the buffer has failed. */
static bool charge_buffer(struct buffer *buffer, size_t bytes)
{
	struct buffer_budget *budget = buffer->budget;

	if (budget == NULL || buffer_budget_take(budget, bytes))
		return true;
	buffer->failed = true;
	buffer->starved = bytes <= budget->limit - budget->used;
	return false;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	uncharge_buffer(buffer->budget, buffer->budget != NULL ? buffer->capacity : 0);
	*buffer = (struct buffer){ .maximum = buffer->maximum, .budget = buffer->budget };
}

void buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->failed = buffer->starved = false;
	if (buffer->data != NULL)
		buffer->data[0] = '\0';
}

void buffer_reset(struct buffer *buffer, size_t keep_bytes)
{
	if (buffer->capacity > keep_bytes)
		buffer_free(buffer);
	else
		buffer_clear(buffer);
}

const char *buffer_begin(const struct buffer *buffer)
{
	return buffer->data != NULL ? buffer->data : "";
}

char *buffer_reserve(struct buffer *buffer, size_t length)
{
	size_t needed, capacity;
	char *data;

	if (buffer->failed)
		return NULL;
	if (length > buffer->maximum - buffer->length) {
		buffer->failed = true;
		return NULL;
	}
	needed = buffer->length + length + 1;
	if (needed > buffer->capacity) {
		capacity = buffer->capacity == 0 ? 512 : buffer->capacity;
		while (capacity < needed)
			capacity += capacity < LARGE_BYTES ? capacity : capacity / 4;
		if (!charge_buffer(buffer, capacity - buffer->capacity))
			return NULL;
		data = realloc(buffer->data, capacity);
		if (data == NULL) {
			uncharge_buffer(buffer->budget, capacity - buffer->capacity);
			buffer->failed = buffer->starved = true;
			return NULL;
		}
		buffer->data = data;
		buffer->capacity = capacity;
	}
	return buffer->data + buffer->length;
}

void buffer_unsigned(struct buffer *buffer, uint64_t value)
{
	char digits[24];
	char *start = digits + sizeof digits;

	do {
		*--start = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buffer_append(buffer, start, (size_t)(digits + sizeof digits - start));
}

void buffer_integer(struct buffer *buffer, int64_t value)
{
	if (value < 0) {
		buffer_char(buffer, '-');
		buffer_unsigned(buffer, 0 - (uint64_t)value);
	} else {
		buffer_unsigned(buffer, (uint64_t)value);
	}
}

/* Most texts fit in what is there already, and then are formatted only once. */
void buffer_format(struct buffer *buffer, const char *format, ...)
{
	size_t room = buffer->capacity > buffer->length ? buffer->capacity - buffer->length : 0;
	va_list arguments, again;
	int length;
	char *to;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(room > 0 ? buffer->data + buffer->length : NULL, room, format, arguments);
	va_end(arguments);
	to = length < 0 ? NULL : buffer_reserve(buffer, (size_t)length);
	if (to == NULL) {
		if (room > 0)
			buffer->data[buffer->length] = '\0';
	} else {
		if ((size_t)length >= room)
			vsnprintf(to, (size_t)length + 1, format, again);
		buffer->length += (size_t)length;
	}
	va_end(again);
}

char *buffer_take(struct buffer *buffer)
{
	char *data = NULL;

	if (!buffer->failed && buffer_reserve(buffer, 0) != NULL) {
		buffer->data[buffer->length] = '\0';
		data = buffer->data;
		buffer->data = NULL;
	}
	buffer_free(buffer);
	return data;
}
