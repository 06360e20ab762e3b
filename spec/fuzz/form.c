/* form.c - any body as a form. The first line is its Content-Type. What is read lies in the body, in order, and neither overlaps nor is out of bounds; a form
 * that is good is good again when it is written anew, with the same parts. */
#include "fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "http/form.h"

#define PARTS_BYTES (1 << 20)
#define NEW_TYPE "multipart/form-data; boundary=\"----another boundary----\""

static void check_span(struct form_span span, const char *begin, const char *end)
{
	FUZZ_CHECK(span.at != NULL || span.length == 0);
	FUZZ_CHECK(span.at == NULL || (span.at >= begin && span.length <= (size_t)(end - span.at)));
}

static void write_part(struct buffer *out, const struct form_part *part)
{
	buffer_text(out, "------another boundary----\r\nContent-Disposition: form-data; name=\"");
	buffer_append(out, part->name.at, part->name.length);
	buffer_text(out, part->filename.at != NULL ? "\"; filename=\"\"\r\n\r\n" : "\"\r\n\r\n");
	buffer_append(out, part->content.at, part->content.length);
	buffer_text(out, "\r\n");
}

static int read_all(const char *type, const char *body, size_t length, struct buffer *again)
{
	struct form_reader reader;
	struct form_part part;
	struct error error;
	const char *last = body;
	int count = 0;

	if (form_open(&reader, type, body, length, &error) != ERROR_NONE)
		return -1;
	while (form_next(&reader, &part, &error)) {
		check_span(part.name, body, body + length);
		check_span(part.filename, body, body + length);
		check_span(part.type, body, body + length);
		check_span(part.content, last, body + length);
		FUZZ_CHECK(part.name.length > 0 && part.name.length <= LIMIT_FORM_NAME_BYTES);
		FUZZ_CHECK(++count <= LIMIT_FORM_PARTS);
		last = part.content.at + part.content.length;
		if (again != NULL)
			write_part(again, &part);
	}
	return error.code == ERROR_NONE ? count : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line = memchr(text, '\n', size);
	char type[512];
	struct buffer again;
	int count;

	if (line == NULL || (size_t)(line - text) >= sizeof type)
		return 0;
	memcpy(type, text, (size_t)(line - text));
	type[line - text] = '\0';
	line++;
	buffer_init(&again, PARTS_BYTES);
	count = read_all(type, line, size - (size_t)(line - text), &again);
	buffer_text(&again, "------another boundary------\r\n");
	if (count > 0 && !again.failed && memmem(text, size, "another boundary", 16) == NULL)
		FUZZ_CHECK(read_all(NEW_TYPE, again.data, again.length, NULL) == count);
	buffer_free(&again);
	return 0;
}
