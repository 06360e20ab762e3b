/* artifact_decode.c - base64 and data URIs (RFC 4648, RFC 2397) into a file, without a second copy of the whole. The artifacts thread. */
#include "artifact/artifact_decode.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/text.h"

#define SLICE_DIGITS 16384 /* a multiple of 4 */
#define HEADER_BYTES 255

struct slice {
	struct artifact_file *file;
	size_t count;
	char digits[SLICE_DIGITS];
	unsigned char bytes[SLICE_DIGITS / 4 * 3];
};

static bool malformed(struct artifact_file *file, const char *what)
{
	error_set(&file->error, ERROR_INVALID, NULL, "%s", what);
	return false;
}

/* Decodes the digits collected, a multiple of 4 but at the end of the text. */
static bool decode_slice(struct slice *slice)
{
	size_t padding = (4 - slice->count % 4) % 4;
	int length;

	if (slice->count == 0)
		return true;
	if (padding == 3)
		return malformed(slice->file, "the base64 text is cut off");
	memset(slice->digits + slice->count, '=', padding);
	length = EVP_DecodeBlock(slice->bytes, (const unsigned char *)slice->digits, (int)(slice->count + padding));
	slice->count = 0;
	if (length < (int)padding)
		return malformed(slice->file, "that is not base64");
	return artifact_file_write(slice->file, slice->bytes, (size_t)length - padding);
}

bool artifact_decode_base64(const char *text, size_t length, struct artifact_file *file)
{
	struct slice slice = { .file = file };
	bool ended = false;

	for (const char *at = text, *end = text + length; at < end; at++) {
		char digit = *at == '-' ? '+' : *at == '_' ? '/' : *at;

		if (isspace((unsigned char)digit))
			continue;
		if (digit == '=') {
			ended = true;
			continue;
		}
		if (ended || (!isalnum((unsigned char)digit) && digit != '+' && digit != '/'))
			return malformed(file, "that is not base64");
		slice.digits[slice.count++] = digit;
		if (slice.count == SLICE_DIGITS && !decode_slice(&slice))
			return false;
	}
	return decode_slice(&slice);
}

/* A percent sign without two digits means itself. */
static bool decode_percent(const char *text, size_t length, struct artifact_file *file)
{
	unsigned char bytes[4096];
	size_t count = 0;

	for (size_t i = 0; i < length; i++) {
		bytes[count] = (unsigned char)text[i];
		if (text[i] == '%' && i + 2 < length &&
			text_read_hex((char[]){ text[i + 1], text[i + 2], '\0' }, &bytes[count], 1))
			i += 2;
		if (++count == sizeof bytes) {
			if (!artifact_file_write(file, bytes, count))
				return false;
			count = 0;
		}
	}
	return count == 0 || artifact_file_write(file, bytes, count);
}

bool artifact_decode_data_uri(const char *uri, size_t length, struct artifact_file *file, char *type, size_t size)
{
	const char *comma = memchr(uri, ',', length < HEADER_BYTES ? length : HEADER_BYTES), *data;
	size_t head;

	if (length < 5 || strncasecmp(uri, "data:", 5) != 0 || comma == NULL)
		return malformed(file, "that is not a data URI");
	head = (size_t)(comma - uri);
	data = comma + 1;
	snprintf(type, size, "%.*s", (int)strcspn(uri + 5, ";,"), uri + 5);
	if (head >= 7 && strncasecmp(comma - 7, ";base64", 7) == 0)
		return artifact_decode_base64(data, length - head - 1, file);
	return decode_percent(data, length - head - 1, file);
}
