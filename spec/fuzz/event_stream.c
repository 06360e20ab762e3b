/* event_stream.c - an event stream is read the same however its bytes arrive. The first byte is the size of the pieces. */
#include "fuzz.h"

#include "cli/stream_reader.h"

static void note(void *context, const char *id, const char *data)
{
	struct buffer *seen = context;

	FUZZ_CHECK(strlen(id) < sizeof((struct stream_reader *)NULL)->id);
	buffer_format(seen, "%s|%s\n", id, data);
}

static void read_stream(struct buffer *seen, const uint8_t *data, size_t size, size_t piece)
{
	struct stream_reader reader;
	size_t length;
	char *bytes;

	buffer_init(seen, 1024 * 1024);
	stream_reader_open(&reader, note, seen);
	stream_reader_begin(&reader);
	for (; size > 0; data += length, size -= length) {
		length = piece < size ? piece : size;
		bytes = fuzz_copy(data, length);
		stream_reader_take(&reader, bytes, length);
		free(bytes);
	}
	stream_reader_close(&reader);
	buffer_text(seen, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer whole, pieces;

	if (size < 2)
		return 0;
	read_stream(&whole, data + 1, size - 1, size);
	read_stream(&pieces, data + 1, size - 1, data[0] % 16 + 1);
	FUZZ_CHECK(strcmp(whole.data, pieces.data) == 0);
	buffer_free(&whole);
	buffer_free(&pieces);
	return 0;
}
