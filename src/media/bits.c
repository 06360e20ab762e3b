/* bits.c - numbers of some bits, and of bytes in either order, at the end of a buffer. */
#include "media/internal.h"

#include <string.h>

void bits_put(struct bits *bits, uint32_t value, int width)
{
	bits->pending = bits->pending << width | value;
	bits->count += width;
	while (bits->count >= 8) {
		bits->count -= 8;
		buffer_char(bits->out, (char)(bits->pending >> bits->count));
	}
	bits->pending &= (1u << bits->count) - 1;
}

void bits_align(struct bits *bits, int bit)
{
	while (bits->count > 0)
		bits_put(bits, (uint32_t)bit, 1);
}

void media_u16(struct buffer *out, unsigned value)
{
	buffer_append(out, (const char[]){ (char)(value >> 8), (char)value }, 2);
}

void media_u32(struct buffer *out, uint32_t value)
{
	media_u16(out, value >> 16);
	media_u16(out, value & 0xffff);
}

void media_u16_low(struct buffer *out, unsigned value)
{
	buffer_append(out, (const char[]){ (char)value, (char)(value >> 8) }, 2);
}

void media_u32_low(struct buffer *out, uint32_t value)
{
	media_u16_low(out, value & 0xffff);
	media_u16_low(out, value >> 16);
}

void media_zeros(struct buffer *out, size_t count)
{
	char *to = buffer_reserve(out, count);

	if (to == NULL)
		return;
	memset(to, 0, count + 1);
	out->length += count;
}

void media_set_u32(struct buffer *out, size_t place, uint32_t value)
{
	for (int i = 0; i < 4 && !out->failed; i++)
		out->data[place + (size_t)i] = (char)(value >> (24 - 8 * i));
}

void media_set_u32_low(struct buffer *out, size_t place, uint32_t value)
{
	for (int i = 0; i < 4 && !out->failed; i++)
		out->data[place + (size_t)i] = (char)(value >> (8 * i));
}
