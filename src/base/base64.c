/* base64.c - the encoder. What decodes, and knows bad input from good, is artifact/artifact_decode.c. */
#include "base/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_length(size_t bytes)
{
	return (bytes + 2) / 3 * 4;
}

size_t base64_write(const unsigned char *bytes, size_t length, char *text)
{
	char *at = text;
	uint32_t group;

	for (; length >= 3; bytes += 3, length -= 3) {
		group = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = digits[group >> 6 & 63];
		*at++ = digits[group & 63];
	}
	if (length > 0) {
		group = (uint32_t)bytes[0] << 16 | (length > 1 ? (uint32_t)bytes[1] << 8 : 0);
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = length > 1 ? digits[group >> 6 & 63] : '=';
		*at++ = '=';
	}
	return (size_t)(at - text);
}
