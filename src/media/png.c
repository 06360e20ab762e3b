/* png.c - a picture as PNG (ISO/IEC 15948): four colours in a palette, two bits a pixel.
 *
 * A row that is equal to the one above is written as zeros by the filter Up, so that nearly all of what zlib sees is one long run. */
#include "media/internal.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* Z_RLE finds nothing but runs, which need no window: 20 KiB instead of 260. */
#define WINDOW_BITS 12
#define MEMORY_LEVEL 3
#define PIECE_BYTES 4096

static size_t begin_chunk(struct buffer *out, const char *kind)
{
	size_t place = out->length;

	media_u32(out, 0);
	buffer_append(out, kind, 4);
	return place;
}

static void end_chunk(struct buffer *out, size_t place)
{
	if (out->failed)
		return;
	media_set_u32(out, place, (uint32_t)(out->length - place - 8));
	media_u32(out, (uint32_t)crc32(0, (const Bytef *)out->data + place + 4, (uInt)(out->length - place - 4)));
}

static bool is_ascii(const char *text)
{
	while (*text > 0)
		text++;
	return *text == '\0';
}

/* tEXt is Latin-1; what is beyond ASCII is iTXt, which is UTF-8. */
static void write_comment(struct buffer *out, const char *text, size_t length)
{
	bool ascii = is_ascii(text);
	size_t place = begin_chunk(out, ascii ? "tEXt" : "iTXt");

	buffer_append(out, "Comment", 8);
	if (!ascii)
		media_zeros(out, 4); /* not compressed; no language; no translated keyword */
	buffer_append(out, text, length);
	end_chunk(out, place);
}

/* Compresses `length` bytes, and with `flush` Z_FINISH what is left. */
static bool squeeze(z_stream *stream, const unsigned char *bytes, size_t length, int flush, struct buffer *out)
{
	int state;

	stream->next_in = (Bytef *)(uintptr_t)bytes;
	stream->avail_in = (uInt)length;
	do {
		stream->next_out = (Bytef *)buffer_reserve(out, PIECE_BYTES);
		if (stream->next_out == NULL)
			return false;
		stream->avail_out = PIECE_BYTES;
		state = deflate(stream, flush);
		out->length += PIECE_BYTES - stream->avail_out;
	} while (stream->avail_out == 0 || stream->avail_in > 0);
	return state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR;
}

static void pack(const unsigned char *tones, int width, unsigned char *packed)
{
	for (int x = 0; x < width; x += 4, packed++) {
		unsigned byte = 0;
		for (int i = 0; i < 4; i++)
			byte = byte << 2 | (x + i < width ? tones[x + i] : 0);
		*packed = (unsigned char)byte;
	}
}

/* The rows; each begins with its filter: 0 as it is, 2 the difference to the one above. */
static bool write_rows(const struct picture *picture, z_stream *stream, struct buffer *out)
{
	unsigned char tones[LIMIT_MEDIA_SIDE], row[1 + LIMIT_MEDIA_SIDE / 4], same[sizeof row] = { 2 };
	size_t length = 1 + ((size_t)picture->width + 3) / 4;
	int last = -1;

	row[0] = 0;
	for (int y = 0; y < picture->height; y++) {
		int kind = picture_row_kind(picture, y);
		if (kind != last) {
			picture_draw_row(picture, y, tones);
			pack(tones, picture->width, row + 1);
		}
		if (!squeeze(stream, kind != last ? row : same, length, Z_NO_FLUSH, out))
			return false;
		last = kind;
	}
	return squeeze(stream, NULL, 0, Z_FINISH, out);
}

static bool write_pixels(const struct picture *picture, struct buffer *out)
{
	z_stream stream = { 0 };
	size_t place = begin_chunk(out, "IDAT");
	bool ok;

	if (deflateInit2(&stream, 1, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_RLE) != Z_OK)
		return false;
	ok = write_rows(picture, &stream, out);
	deflateEnd(&stream);
	end_chunk(out, place);
	return ok;
}

bool png_write(const struct media_wish *wish, struct buffer *out)
{
	struct picture picture;
	size_t place;

	picture_open(&picture, wish, LIMIT_MEDIA_SIDE);
	buffer_append(out, "\211PNG\r\n\032\n", 8);
	place = begin_chunk(out, "IHDR");
	media_u32(out, (uint32_t)picture.width);
	media_u32(out, (uint32_t)picture.height);
	buffer_append(out, "\2\3\0\0\0", 5); /* two bits, a palette */
	end_chunk(out, place);
	place = begin_chunk(out, "PLTE");
	buffer_append(out, picture.colours, sizeof picture.colours);
	end_chunk(out, place);
	if (wish->comment != NULL)
		write_comment(out, wish->comment, strlen(wish->comment));
	if (!write_pixels(&picture, out))
		return false;
	place = begin_chunk(out, "IEND");
	end_chunk(out, place);
	return !out->failed;
}
