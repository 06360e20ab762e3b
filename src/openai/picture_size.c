/* picture_size.c - reads the heads of picture files. What a vendor sends is not believed further than it reaches. */
#include "openai/picture_size.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES 65536 /* a JPEG may have a preview of itself before it says its size */

static int big16(const unsigned char *at)
{
	return at[0] << 8 | at[1];
}

static int little16(const unsigned char *at)
{
	return at[1] << 8 | at[0];
}

static int little24(const unsigned char *at)
{
	return at[2] << 16 | little16(at);
}

static bool is_size(int width, int height)
{
	return width > 0 && height > 0;
}

static bool size_of_png(const unsigned char *bytes, size_t length, int *width, int *height)
{
	if (length < 24 || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) != 0 || memcmp(bytes + 12, "IHDR", 4) != 0 || bytes[16] > 0x7f ||
		bytes[20] > 0x7f)
		return false;
	*width = big16(bytes + 16) << 16 | big16(bytes + 18);
	*height = big16(bytes + 20) << 16 | big16(bytes + 22);
	return is_size(*width, *height);
}

static bool size_of_gif(const unsigned char *bytes, size_t length, int *width, int *height)
{
	if (length < 10 || memcmp(bytes, "GIF8", 4) != 0)
		return false;
	*width = little16(bytes + 6);
	*height = little16(bytes + 8);
	return is_size(*width, *height);
}

/* A start of frame: all of 0xC0 to 0xCF but tables (C4, CC) and what is reserved (C8). */
static bool is_frame(int marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static bool size_of_jpeg(const unsigned char *bytes, size_t length, int *width, int *height)
{
	size_t at = 2;

	if (length < 4 || bytes[0] != 0xff || bytes[1] != 0xd8)
		return false;
	while (at + 9 <= length && bytes[at] == 0xff) {
		if (bytes[at + 1] == 0xff) { /* fill */
			at++;
		} else if (is_frame(bytes[at + 1])) {
			*height = big16(bytes + at + 5);
			*width = big16(bytes + at + 7);
			return is_size(*width, *height);
		} else {
			at += 2 + (size_t)big16(bytes + at + 2);
		}
	}
	return false;
}

static bool size_of_webp(const unsigned char *bytes, size_t length, int *width, int *height)
{
	if (length < 30 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WEBP", 4) != 0)
		return false;
	if (memcmp(bytes + 12, "VP8X", 4) == 0) {
		*width = 1 + little24(bytes + 24);
		*height = 1 + little24(bytes + 27);
	} else if (memcmp(bytes + 12, "VP8L", 4) == 0) {
		*width = 1 + (little16(bytes + 21) & 0x3fff);
		*height = 1 + (little24(bytes + 22) >> 6 & 0x3fff);
	} else {
		*width = little16(bytes + 26) & 0x3fff;
		*height = little16(bytes + 28) & 0x3fff;
	}
	return is_size(*width, *height);
}

bool picture_size(const unsigned char *bytes, size_t length, int *width, int *height)
{
	return size_of_png(bytes, length, width, height) || size_of_jpeg(bytes, length, width, height) ||
	       size_of_webp(bytes, length, width, height) || size_of_gif(bytes, length, width, height);
}

bool picture_size_of_file(int descriptor, int *width, int *height)
{
	unsigned char *bytes = malloc(HEAD_BYTES);
	ssize_t got = bytes != NULL ? pread(descriptor, bytes, HEAD_BYTES, 0) : 0;
	bool known = got > 0 && picture_size(bytes, (size_t)got, width, height);

	free(bytes);
	return known;
}
