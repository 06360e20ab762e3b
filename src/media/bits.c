/* bits.c - numbers of some bits, and of bytes in either order, at the end of a buffer; chunks of RIFF. */
#include "media/internal.h"

#include <string.h>

static void put_byte(struct bits *bits, unsigned char byte)
{
	if (bits->guard == BITS_H264 && bits->zeros == 2 && byte <= 3) {
		buffer_char(bits->out, 3);
		bits->zeros = 0;
	}
	buffer_char(bits->out, (char)byte);
	if (bits->guard == BITS_JPEG && byte == 0xff)
		buffer_char(bits->out, 0);
	bits->zeros = byte == 0 ? bits->zeros + 1 : 0;
}

void bits_put(struct bits *bits, uint32_t value, int width)
{
	bits->pending = bits->pending << width | value;
	bits->count += width;
	while (bits->count >= 8) {
		bits->count -= 8;
		put_byte(bits, (unsigned char)(bits->pending >> bits->count));
	}
	bits->pending &= (1u << bits->count) - 1;
}

void bits_put_ue(struct bits *bits, uint32_t value)
{
	int width = 0;

	while ((value + 1) >> width > 1)
		width++;
	bits_put(bits, 0, width);
	bits_put(bits, value + 1, width + 1);
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

size_t riff_begin(struct buffer *out, const char *kind)
{
	buffer_append(out, kind, 4);
	media_u32_low(out, 0);
	return out->length;
}

void riff_end(struct buffer *out, size_t place)
{
	size_t length = out->length - place;

	media_set_u32_low(out, place - 4, (uint32_t)length);
	if (length % 2 == 1)
		buffer_char(out, 0);
}
